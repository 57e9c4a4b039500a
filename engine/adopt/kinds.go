package adopt

import (
	"encoding/json"
	"strings"
)

// Kept tells whether an entity of the policy's belongs into a copy. What was observed
// does not, nor do operations and questions: they are void for another engine. Of
// losses only those count on which a person has spoken or which only a person can end,
// of instances only those that are held. Kinds that are not known here are kept: a
// hold of a new kind must not get lost with its engine.
func Kept(key string, value []byte) bool {
	kind, _, _ := strings.Cut(key, "/")
	switch kind {
	case "op", "question", "node":
		return false
	case "meta":
		return true // so that operations keep being numbered upwards
	case "loss":
		return has(value, "refused") || has(value, "stuck")
	case "instance":
		return has(value, "held")
	}
	return true
}

func has(value []byte, field string) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal(value, &m) == nil && len(m[field]) > 0 && string(m[field]) != "null"
}

// Urgent tells whether a change of the entity must be on the nodes at once, because
// acting on what was before could put a service in service twice.
func Urgent(key string) bool {
	return strings.HasPrefix(key, "claim/") || strings.HasPrefix(key, keepPrefix)
}

// keepPrefix begins the keys of what Keepers have on record (policy.Keep).
const keepPrefix = "keep/"
