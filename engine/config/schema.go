package config

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// object is a piece of JSON Schema.
type object map[string]any

// Schema is a JSON Schema (draft 2020-12) of the definition file, for editors. It
// describes shapes; what belongs together only Load can tell.
func Schema(reg kits.Registry) ([]byte, error) {
	top := keyed(topKeys())
	top["estate"] = closed(keyed(estateKeys()), "name")
	top["ssh"] = closed(keyed(sshKeys()))
	top["tuning"] = tuningSchema(reg)
	top["region"] = named(closed(keyed(regionKeys())))
	top["server"] = named(serverSchema(reg))
	top["cluster"] = named(clusterSchema(reg))
	words := []string{"none", "confirm", "block", "confirm+block"}
	top["flag"] = named(named(object{"enum": words}))
	top["notify"] = named(notifySchema())
	for _, k := range topKeys() {
		top[k.name].(object)["description"] = k.help
	}
	s := closed(top, "estate")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "ferry estate definition"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return append(out, '\n'), nil
}

// closed is an object with these properties and no others.
func closed(properties object, required ...string) object {
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// named is an object whose keys are names.
func named(each object) object { return object{"type": "object", "additionalProperties": each} }

func keyed(keys []key) object {
	o := object{}
	for _, k := range keys {
		o[k.name] = k.schema()
	}
	return o
}

func (k key) schema() object {
	o := object{"description": k.help}
	switch k.kind {
	case kText:
		o["type"] = "string"
	case kWord:
		o["enum"] = k.words
	case kNumber:
		o["type"] = "integer"
	case kYesNo:
		o["type"] = "boolean"
	case kList:
		o["type"], o["items"] = "array", object{"type": "string"}
	}
	return o
}

func serverSchema(reg kits.Registry) object {
	p := keyed(serverKeys())
	p["ssh"] = closed(keyed(sshKeys()))
	p["tuning"] = tuningSchema(reg)
	return closed(p, "region", "address")
}

func tuningSchema(reg kits.Registry) object {
	p := object{}
	for _, row := range hierarchy.Tunings(reg) {
		o := object{"description": row.Help}
		if row.Default != "" {
			o["default"] = row.Default
		}
		switch row.Kind {
		case hierarchy.TuningSeconds:
			o["type"], o["minimum"], o["maximum"] = []string{"integer", "string"}, row.Min, row.Max
		case hierarchy.TuningCount:
			o["type"], o["minimum"], o["maximum"] = "integer", row.Min, row.Max
		case hierarchy.TuningSwitch:
			o["enum"] = []any{0, 1, false, true}
			o["default"] = 0
		case hierarchy.TuningWord:
			o["enum"] = row.Choices
		default:
			o["type"] = []string{"string", "integer", "array"}
		}
		p[row.Name] = o
	}
	return closed(p)
}

func clusterSchema(reg kits.Registry) object {
	p := keyed(clusterKeys())
	p["path"] = object{"type": "array", "items": closed(keyed(pathKeys()), "from", "to", "to_address")}
	p["resource"] = named(resourceSchema(reg))
	return closed(p, "servers")
}

// resourceSchema is one alternative per kit, told apart by the word at "kit".
func resourceSchema(reg kits.Registry) object {
	var each []object
	for _, name := range reg.Names() {
		fields := reg[name].Fields()
		p := keyed(resourceKeys())
		p["kit"] = object{"const": name}
		on := keyed(placementKeys())
		for _, f := range fields {
			if f.Kind == kits.KindSecret {
				continue
			}
			p[f.Name] = fieldSchema(f)
			if f.PerNode {
				on[f.Name] = fieldSchema(f)
			}
		}
		list := object{"type": "array", "items": object{"type": "string"}, "uniqueItems": true}
		p["on"] = object{"anyOf": []object{list, named(closed(on, "priority"))}}
		required := []string{"kit", "on"}
		for _, f := range fields {
			if f.Required && f.Default == "" && !f.PerNode {
				required = append(required, f.Name)
			}
		}
		each = append(each, closed(p, slices.Clone(required)...))
	}
	if each == nil {
		return object{"type": "object"}
	}
	return object{"anyOf": each}
}

func fieldSchema(f kits.Field) object {
	o := object{"description": f.Label, "type": "string"}
	if f.Help != "" {
		o["description"] = f.Label + ": " + f.Help
	}
	if f.Default != "" {
		o["default"] = f.Default
	}
	switch f.Kind {
	case kits.KindChoice:
		if len(f.Choices) > 0 {
			o["enum"] = f.Choices
		}
	case kits.KindDuration:
		o["type"] = []string{"string", "integer"}
	case kits.KindBool:
		o["type"] = "boolean"
	case kits.KindCIDRs:
		o["type"], o["items"] = []string{"array", "string"}, object{"type": "string"}
	}
	return o
}
