package cloud

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what an error means for the caller.
type Kind string

// The kinds. Only Refused, NotFound and Unauthorized are answers; the others say that nothing is known, and never that
// something failed.
const (
	// Throttled: AWS asked to slow down until the deadline was over.
	Throttled Kind = "throttled"
	// Busy: AWS still works on an earlier change of the same thing; nothing was done.
	Busy Kind = "busy"
	// Unauthorized: the credentials are missing, wrong, expired, or lack a permission.
	Unauthorized Kind = "unauthorized"
	// NotFound: AWS does not know the thing named. It proves nothing about an instance (eventual consistency).
	NotFound Kind = "not-found"
	// Unreachable: no connection, a dropped one, or a server error at AWS.
	Unreachable Kind = "unreachable"
	// Refused: AWS understood and will not do it.
	Refused Kind = "refused"
	// Timeout: no answer in time. A change may have been made nevertheless.
	Timeout Kind = "timeout"
)

// Error is a call to AWS that did not succeed.
type Error struct {
	Kind Kind
	// Op and Region are the API action and where it was called.
	Op, Region string
	// Subject is what it was about: an id, or "10.1.0.10/32 in rtb-1".
	Subject string
	// Code is AWS's own error code, empty when there was no answer.
	Code string
	// Hint says what a person can do.
	Hint string
	Err  error
}

// Error tells what happened, where, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s", e.Op, e.Region)
	if e.Subject != "" {
		fmt.Fprintf(&b, " (%s)", e.Subject)
	}
	fmt.Fprintf(&b, ": %s", e.Kind)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of an error; Unreachable for one that is not an *Error, since then nothing is known.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unreachable
}

// CodeOf is AWS's own code for an error; empty when there was no answer.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// InDoubt says whether a change that ended so may have been made nevertheless.
func (k Kind) InDoubt() bool { return k == Unreachable || k == Timeout }

// Answered says whether AWS answered, so that trying again at once gives the same.
func (k Kind) Answered() bool { return k == Refused || k == NotFound || k == Unauthorized }
