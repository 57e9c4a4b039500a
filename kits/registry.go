package kits

import (
	"fmt"
	"slices"
)

// Registry holds the kits a program was built with, by name.
type Registry map[string]Kit

// NewRegistry makes a registry; two kits of one name are a programming error.
func NewRegistry(all ...Kit) (Registry, error) {
	r := Registry{}
	for _, k := range all {
		if _, twice := r[k.Name()]; twice {
			return nil, fmt.Errorf("kit %q registered twice", k.Name())
		}
		r[k.Name()] = k
	}
	return r, nil
}

// Names lists the kits, sorted.
func (r Registry) Names() []string {
	names := make([]string, 0, len(r))
	for n := range r {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
