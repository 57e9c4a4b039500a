package r53sim

import "strings"

// maxAliases bounds how far aliases are followed.
const maxAliases = 8

// Lookup finds the record set that answers a (canonical) name and type: itself, the target of its alias in the same
// zone, or that of a wildcard. Under a routing policy it is the primary or heaviest set. exists says whether the name is
// there at all, for another type or above other names.
func (z Zone) Lookup(name, kind string) (r *Record, exists bool) {
	owner, exists := z.owner(name)
	if !exists {
		return nil, false
	}
	for range maxAliases {
		r = z.best(owner, kind)
		if r == nil || r.Alias == nil {
			break
		}
		owner, r = canonical(r.Alias.Name), nil
	}
	return r, true
}

// owner is the name whose records answer for a name: its own, or the wildcard's beside it (RFC 4592).
func (z Zone) owner(name string) (string, bool) {
	if z.holds(name) {
		return name, true
	}
	for at := name; inZone(at, z.Name) && at != z.Name; {
		_, above, ok := strings.Cut(at, ".")
		if !ok {
			break
		}
		if wild := `\052.` + above; z.has(wild) {
			return wild, true
		}
		if z.holds(above) {
			break // the closest name that is there ends the search
		}
		at = above
	}
	return "", false
}

// holds says whether a name has records or lies above names that have.
func (z Zone) holds(name string) bool {
	for _, r := range z.Records {
		if inZone(r.Name, name) {
			return true
		}
	}
	return false
}

func (z Zone) has(name string) bool {
	for _, r := range z.Records {
		if r.Name == name {
			return true
		}
	}
	return false
}

// best is the set of that name and type that answers: the primary or the heaviest one, else the first.
func (z Zone) best(name, kind string) *Record {
	var out *Record
	rank := func(r *Record) int64 {
		switch {
		case r.Failover == "PRIMARY":
			return 1
		case r.Weight != nil:
			return *r.Weight
		}
		return 0
	}
	for i := range z.Records {
		r := &z.Records[i]
		if r.Name == name && r.Type == kind && (out == nil || rank(r) > rank(out)) {
			out = r
		}
	}
	return out
}
