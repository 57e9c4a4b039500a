package api

import (
	"context"
	"fmt"
)

// Role is what a caller may do; a higher one includes the lower ones.
type Role int

// The roles. The zero value may do nothing.
const (
	Nobody Role = iota
	Guest
	Operator
	Administrator
)

// String gives the role's word.
func (r Role) String() string {
	switch r {
	case Guest:
		return "guest"
	case Operator:
		return "operator"
	case Administrator:
		return "administrator"
	}
	return "nobody"
}

// MarshalText writes the word.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads it; every other word is Nobody.
func (r *Role) UnmarshalText(b []byte) error {
	*r = Nobody
	for _, known := range []Role{Guest, Operator, Administrator} {
		if known.String() == string(b) {
			*r = known
		}
	}
	return nil
}

// Caller is who is at the other end, by the kernel's word.
type Caller struct {
	Who  string `json:"who"` // user name, or "uid 1234" when it has none
	Role Role   `json:"role"`
}

type callerKey struct{}

// WithCaller puts the caller into a context for the engine to record. The server does
// it; a command that runs the engine in its own process may do it, too.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom tells who makes a call, for calls whose arguments have no place for it
// (SetTuning, GracefulStop). It is not ok inside one process, where nobody asked.
func CallerFrom(ctx context.Context) (c Caller, ok bool) {
	c, ok = ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// may refuses a call that needs a higher role.
func (c Caller) may(need Role, call string) *Error {
	if c.Role >= need {
		return nil
	}
	if c.Role == Nobody {
		return &Error{Kind: KindDenied, Message: fmt.Sprintf("%s may not use this engine", c.Who),
			Hint: "an administrator can add you to one of the engine's groups (ferry, ferry-operator, ferry-admin)"}
	}
	return &Error{Kind: KindDenied, Message: fmt.Sprintf("%s needs the role %s; %s is %s", call, need, c.Who, c.Role),
		Hint: "roles come from groups: ferry-operator for operators, ferry-admin for administrators"}
}
