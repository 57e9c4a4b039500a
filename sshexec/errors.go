package sshexec

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says what sort of thing went wrong; callers decide on it.
type Kind string

// The kinds of errors.
const (
	Unreachable    Kind = "unreachable"      // no connection to the node or to a jump host before it
	AuthFailed     Kind = "auth failed"      // the server accepts none of our keys
	HostKeyUnknown Kind = "host key unknown" // no known_hosts file has a key for it
	HostKeyChanged Kind = "host key changed" // the key differs from the known one, or was revoked
	SudoRefused    Kind = "sudo refused"     // sudo -n wants a password or forbids the shell
	Refused        Kind = "refused"          // the server gives us no shell
	Deadline       Kind = "deadline"         // no answer in time
	Canceled       Kind = "canceled"         // the caller gave up
	Broken         Kind = "broken"           // the connection was lost after the request was sent
	Failed         Kind = "failed"           // the node answered that it could not do it
	Invalid        Kind = "invalid"          // the request or the configuration makes no sense
	Closed         Kind = "closed"           // the pool or node was closed by us
)

// Error is every error of this package.
type Error struct {
	Kind Kind
	Node string // the target's name
	Hop  string // the jump host that it happened at; empty when it was the node itself
	Op   string // what was being done: "connect", "run", "put", …
	Sent bool   // the request was sent: what it did is unknown
	Hint string // what to do next, often a command
	Err  error
}

// Error says what happened, on which node, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Node + ": " + e.Op + ": ")
	if e.Hop != "" {
		b.WriteString("jump host " + e.Hop + ": ")
	}
	b.WriteString(e.Err.Error())
	if e.Sent {
		b.WriteString(" (it was sent: what it did is unknown)")
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of an error of this package, or "" of any other.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

// at returns a copy of an error as seen from a call on a node. An error that comes from a jump host names it.
func at(node, op string, err error) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Kind: Broken, Err: err}
	}
	c := *e
	if c.Node != "" && c.Node != node && c.Hop == "" {
		c.Hop = c.Node
	}
	c.Node = node
	if c.Op == "" {
		c.Op = op
	}
	return &c
}

// ended turns the end of a context into an error.
func ended(ctx context.Context) *Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Kind: Canceled, Err: context.Cause(ctx)}
	}
	return &Error{Kind: Deadline, Err: context.DeadlineExceeded}
}

// Clean makes a node's output fit for display: one line, no control or direction-changing characters, valid UTF-8, at
// most most characters. What a node prints is never trusted.
func Clean(text []byte, most int) string {
	text = text[:min(len(text), 4*most+16)]
	var b strings.Builder
	space, n := false, 0
	for len(text) > 0 && n < most {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case unicode.IsSpace(r):
			space = n > 0
			continue
		case !unicode.IsPrint(r):
			r = utf8.RuneError
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
