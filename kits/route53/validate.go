package route53

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// hostForm is one label of a host name; the first may also be an asterisk.
var hostForm = regexp.MustCompile(`^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$`)

// longestName is the longest domain name DNS can carry, as text without the last dot.
const longestName = 253

// Validate judges the fields of one node.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, fix, format string, args ...any) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: fmt.Sprintf(format, args...), Fix: fix})
	}
	zone, err := parseZone(in.Attrs[FieldZone])
	switch {
	case in.Attrs[FieldZone] == "":
		add(FieldZone, `write zone = "example.com"`, "no hosted zone is named")
	case err != nil:
		add(FieldZone, `write the domain name, like "example.com", or "example.com (Z0123456789ABC)"`, "%v", err)
	}
	if text, fix := hostProblem(in.Attrs[FieldHost], zone.Name); text != "" {
		add(FieldHost, fix, "%s", text)
	}
	if _, err := addressOn(in, in.Node.Name); err != nil {
		add(FieldIP, "make the IP resource a child, and give it an address on every server", "%v", err)
	}
	if in.Node.Region == "" {
		add("", "set the server's region", "the region of %s is not known", in.Node.Name)
	}
	if in.Attr(FieldCredentials, CredRegion) == CredProfile && in.Attrs[FieldProfile] == "" {
		add(FieldProfile, `write profile = "NAME", or credentials = "default"`, "credentials is profile, but no profile is named")
	}
	return out
}

// hostProblem says what is wrong with a host name, and what to write instead. The zone's name may be empty.
func hostProblem(host, zone string) (text, fix string) {
	bare := strings.TrimSuffix(zone, ".")
	switch {
	case host == "":
		return "no host name is given", `write host = "www"`
	case bare != "" && (strings.EqualFold(strings.TrimSuffix(host, "."), bare) || strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), "."+bare)):
		short := host[:max(0, len(strings.TrimSuffix(host, "."))-len(bare)-1)]
		if short == "" {
			short = "www"
		}
		return fmt.Sprintf("%q holds the domain name, which the zone says already", host), fmt.Sprintf("write host = %q", short)
	case strings.HasSuffix(host, "."):
		return fmt.Sprintf("%q ends in a dot; the host name is the part before the domain", host), fmt.Sprintf("write host = %q", strings.TrimRight(host, "."))
	case len(host)+1+len(bare) > longestName:
		return fmt.Sprintf("the name is longer than %d characters", longestName), "choose a shorter host name"
	}
	for i, label := range strings.Split(host, ".") {
		if !hostForm.MatchString(label) && (i > 0 || label != "*") {
			return fmt.Sprintf("%q is not a host name", host), `write letters, digits and hyphens, like "www"`
		}
	}
	return "", ""
}

// Effects tells which record a start will change, as far as the definition alone says it; Preview asks Route 53.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	if a != kits.ActStart && a != kits.ActRecover {
		return nil
	}
	w, err := wished(in)
	if err != nil {
		return nil
	}
	from := ""
	if in.Active != "" && in.Active != in.Node.Name {
		from, _ = addressOn(in, in.Active) // not known is not shown
	}
	if from == w.addr {
		return nil // the same virtual IP: a move inside a region changes nothing
	}
	return []kits.Effect{{Kind: "record", What: w.what(), From: from, To: w.addr}}
}

// what is the changed thing in an effect.
func (w wish) what() string {
	return fmt.Sprintf("%s A, TTL %d s", w.shown(), w.ttl)
}

// Preview asks Route 53 and tells exactly what a start would change now. It changes nothing.
func (k Kit) Preview(ctx context.Context, in kits.Instance) ([]kits.Effect, error) {
	w, err := wished(in)
	if err != nil {
		return nil, fmt.Errorf("previewing the record of %s: %w", in.Tag, err)
	}
	_, rec, err := k.read(ctx, in, w)
	switch {
	case err != nil:
		return nil, fmt.Errorf("previewing the record of %s: %w", in.Tag, err)
	case rec == nil:
		return []kits.Effect{{Kind: "record", What: w.what() + ", created", To: w.addr}}, nil
	case rec.Is(w.addr):
		return nil, nil
	}
	return []kits.Effect{{Kind: "record", What: w.what(), From: rec.Shows(), To: w.addr}}, nil
}

// command is the step for a person who cannot wait for Route 53's API to be in the engine's reach: copied as it is into
// any shell with the AWS command line and credentials for the zone.
func (w wish) command(a cloud.Access, zone cloud.Zone) string {
	batch := fmt.Sprintf(`{"Changes":[{"Action":"UPSERT","ResourceRecordSet":{"Name":%s,"Type":"A","TTL":%d,"ResourceRecords":[{"Value":%s}]}}]}`,
		jsonText(w.name), w.ttl, jsonText(w.addr))
	id := shellWord(zone.ID)
	if zone.ID == "" {
		query := fmt.Sprintf("HostedZones[?Name=='%s'].Id | [0]", zone.Name)
		id = fmt.Sprintf(`"$(aws route53 list-hosted-zones-by-name --dns-name %s --query %s --output text)"`, shellWord(zone.Name), shellWord(query))
	}
	out := "aws route53 change-resource-record-sets --hosted-zone-id " + id + " --change-batch " + shellWord(batch)
	if a.Profile != "" {
		out += " --profile " + shellWord(a.Profile)
	}
	return out
}

// jsonText writes a JSON string. Names and addresses hold printable ASCII only; the backslash of \052 is doubled.
func jsonText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// plainWord needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:-]+$`)

// shellWord quotes a word for a POSIX shell.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
