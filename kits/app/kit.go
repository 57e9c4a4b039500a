package app

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The kit's field names. Each command has a limit: its name and "_timeout".
const (
	FieldStart   = "start"
	FieldStop    = "stop"
	FieldCheck   = "check"
	FieldRecover = "recover"
	FieldUser    = "user"
	FieldUnit    = "unit"

	timeoutSuffix = "_timeout"
)

// The limits that are used when none are given, in seconds: generous for a
// start, which may read a journal; short for a check, which runs all the time.
const (
	defaultStart   = "60"
	defaultStop    = "60"
	defaultCheck   = "20"
	defaultRecover = "60"
)

// slack is added to the limits of the commands: for systemd's own 10 s between
// TERM and KILL, and for a last check.
const slack = 15 * time.Second

// Kit protects an application by the user's own commands. Its zero value is ready.
type Kit struct{}

var (
	_ kits.Kit     = Kit{}
	_ kits.Batcher = Kit{}
)

// Name is "app".
func (Kit) Name() string { return "app" }

// Traits: nothing but the default order, children before parents.
func (Kit) Traits() kits.Traits { return kits.Traits{} }

// Tunables: none.
func (Kit) Tunables() []kits.Tunable { return nil }

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	command := func(name, label, help string, required bool) kits.Field {
		return kits.Field{Name: name, Label: label, Help: help, Kind: kits.KindText, Required: required}
	}
	limit := func(of, label, def string) kits.Field {
		return kits.Field{
			Name: of + timeoutSuffix, Label: label, Kind: kits.KindDuration, Default: def,
			Help: "Seconds. When they are over, the outcome of a check is unknown, never a failure.",
		}
	}
	return []kits.Field{
		command(FieldStart, "Start script", "Path or command. May be called when the application runs already.", true),
		limit(FieldStart, "Start timeout", defaultStart),
		command(FieldStop, "Stop script", "Path or command. May be called when nothing runs.", true),
		limit(FieldStop, "Stop timeout", defaultStop),
		command(FieldCheck, "Check script", "Path or command. Exit 0 = works, 190 = impaired, 1 = failed; 75, 124 and above = unknown.", true),
		limit(FieldCheck, "Check timeout", defaultCheck),
		command(FieldRecover, "Recover script", "Path or command for local recovery. Left out: stop and start.", false),
		limit(FieldRecover, "Recover timeout", defaultRecover),
		command(FieldUser, "User", "Who runs the commands. Left out: root.", false),
		command(FieldUnit, "Systemd unit", "The application's own unit, if it has one: it must not be enabled at boot.", false),
	}
}

var (
	userName = regexp.MustCompile(`^[a-z_][a-z0-9_.-]{0,31}$`)
	unitName = regexp.MustCompile(`^[A-Za-z0-9:_][A-Za-z0-9:_.@\\-]{0,199}$`)
)

// Validate judges the fields without touching anything.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, text, fix string) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix})
	}
	for _, f := range []string{FieldStart, FieldStop, FieldCheck, FieldRecover} {
		c := in.Attrs[f]
		if strings.TrimSpace(c) == "" && f != FieldRecover {
			add(f, "the "+f+" command is missing", `write a path like "/etc/ferry/www-`+f+`", or a command`)
		}
		if strings.ContainsRune(c, 0) || len(c) > 4096 {
			add(f, "the "+f+" command is longer than 4096 bytes or contains a NUL", "put it into a script on the nodes and give its path")
		}
		if s := in.Attrs[f+timeoutSuffix]; s != "" {
			if _, err := kits.ParseSeconds(s); err != nil {
				add(f+timeoutSuffix, err.Error(), `write seconds, like "60"`)
			}
		}
	}
	if u := in.Attrs[FieldUser]; u != "" && !userName.MatchString(u) {
		add(FieldUser, fmt.Sprintf("%q cannot be the name of a user", u), "write the user's login name, or leave it out for root")
	}
	if u := in.Attrs[FieldUnit]; u != "" && !unitName.MatchString(u) {
		add(FieldUnit, fmt.Sprintf("%q cannot be the name of a systemd unit", u), `write it like "www.service"`)
	}
	return out
}

// Effects: a process comes or goes.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	e := kits.Effect{Kind: "process", What: in.Attrs[FieldStart]}
	switch a {
	case kits.ActStart:
		e.To = in.Node.Name
		if in.Active != in.Node.Name {
			e.From = in.Active
		}
	case kits.ActRecover:
		e.From, e.To = in.Node.Name, in.Node.Name
		if c := in.Attrs[FieldRecover]; c != "" {
			e.What = c
		}
	case kits.ActStop:
		e.What, e.From = in.Attrs[FieldStop], in.Node.Name
	default:
		return nil
	}
	return []kits.Effect{e}
}

// Timeout adds up what the commands of an action may take. The node's own bounds
// come first; this is the outermost one.
func (Kit) Timeout(a kits.Action, in kits.Instance) time.Duration {
	check := limit(in, FieldCheck)
	switch a {
	case kits.ActStart:
		return limit(in, FieldStart) + check + slack
	case kits.ActStop:
		return limit(in, FieldStop) + check + slack
	case kits.ActRecover:
		if in.Attrs[FieldRecover] == "" {
			return limit(in, FieldStop) + limit(in, FieldStart) + 2*check + 2*slack
		}
		return limit(in, FieldRecover) + check + slack
	case kits.ActEligible:
		return 15 * time.Second
	}
	return check + 3*time.Second
}

// limit is a command's own limit; a value that does not validate counts as left out.
func limit(in kits.Instance, field string) time.Duration {
	def := map[string]string{FieldStart: defaultStart, FieldStop: defaultStop, FieldCheck: defaultCheck, FieldRecover: defaultRecover}[field]
	d, err := kits.ParseSeconds(in.Attr(field+timeoutSuffix, def))
	if err != nil {
		d, _ = kits.ParseSeconds(def)
	}
	return d
}

// UnitName is the transient unit that an application's start command runs in,
// without ".service". Whatever is no letter or digit is written as _xx, so that
// two tags never share a unit and none can contain a dash or an option.
func UnitName(tag string) string {
	var b strings.Builder
	b.WriteString("ferry-app-")
	for i := range len(tag) {
		c := tag[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}
