package app

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// answer is what the scripts print before "@out", and what comes after it.
type answer struct {
	marks map[string]string
	list  []mark // all of them, in order: some words come more than once
	out   string
}

type mark struct{ word, value string }

// parse reads an answer. One that does not reach "@out" was cut off.
func parse(res kits.Result) (answer, error) {
	a := answer{marks: map[string]string{}}
	rest := res.Stdout
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if line == "@out" {
			a.out = kits.Clean(strings.TrimSpace(rest), kits.OutputLimit)
			return a, nil
		}
		word, value, _ := strings.Cut(line, " ")
		if strings.HasPrefix(word, "@") {
			value = kits.OneLine(value, 200)
			a.marks[word[1:]] = value
			a.list = append(a.list, mark{word[1:], value})
		}
	}
	return a, errors.New("the answer is not complete")
}

// Exit codes of the check command with a meaning of their own.
const (
	exitBusy     = 75
	exitImpaired = 190
)

// classify reads an exit code of the check command; see the package comment.
func classify(code string) (o kits.Outcome, impaired bool) {
	n, err := strconv.Atoi(code)
	switch {
	case n == exitImpaired:
		return kits.OK, true
	case err != nil || n < 0 || n == exitBusy || n >= 124:
		return kits.Unknown, false
	case n == 0:
		return kits.OK, false
	}
	return kits.Failed, false
}

// JudgeCheck turns a check's answer into a report.
func (Kit) JudgeCheck(in kits.Instance, res kits.Result, err error) kits.Report {
	a, bad := read(in, "check", res, err)
	if bad != nil {
		return *bad
	}
	return judgeCode(in, a)
}

// judgeCode judges the check's exit code and the units beside it.
func judgeCode(in kits.Instance, a answer) kits.Report {
	code := a.marks["check"]
	r := kits.Report{Output: a.out, Presence: presence(a), Details: map[string]string{"check": code}}
	r.Outcome, r.Impaired = classify(code)
	switch {
	case r.Impaired:
		r.Reason = why(in, "app.impaired", "the check of %s says that it is impaired%s", in.Tag, saying(a))
	case r.Outcome == kits.Failed:
		r.Reason = why(in, "app.failed", "the check of %s on %s says that it does not work (exit %s)%s", in.Tag, in.Node.Name, code, saying(a))
	case r.Outcome == kits.Unknown:
		r.Reason = why(in, "app.check-unknown", "whether %s works on %s is not known: %s", in.Tag, in.Node.Name, meaning(code, in))
	}
	return r
}

// presence: a check that says yes, or a unit that was started and not stopped.
// Failed without either is Absent; an unknown check proves nothing.
func presence(a answer) kits.Presence {
	o, _ := classify(a.marks["check"])
	switch {
	case o == kits.OK || there(a.marks["unit"]) || there(a.marks["own"]):
		return kits.Present
	case o == kits.Failed && a.marks["unit"] != "":
		return kits.Absent
	}
	return kits.PresenceUnknown
}

func there(state string) bool {
	return state == "active" || state == "activating" || state == "reloading" || state == "deactivating"
}

// judgeStart judges a start or a recovery.
func judgeStart(in kits.Instance, what string, res kits.Result, err error) kits.Report {
	a, bad := read(in, what, res, err)
	if bad != nil {
		return *bad
	}
	if did, failed := strings.CutPrefix(a.marks["did"], "failed"); failed {
		return kits.Report{
			Outcome: kits.Failed, Presence: presence(a), Output: a.out,
			Reason: why(in, "app."+what+"-failed", "the %s command of %s failed on %s (exit and reason: %s)%s",
				what, in.Tag, in.Node.Name, strings.TrimSpace(did), saying(a)),
		}
	}
	r := judgeCode(in, a)
	if r.Outcome == kits.Failed {
		r.Reason = why(in, "app.not-up", "%s was started on %s, but its check did not say yes in time (exit %s)%s",
			in.Tag, in.Node.Name, a.marks["check"], saying(a))
	}
	return r
}

// judgeStop: only a check that says no, and no unit left, is a stop.
func judgeStop(in kits.Instance, res kits.Result, err error) kits.Report {
	a, bad := read(in, "stop", res, err)
	if bad != nil {
		return *bad
	}
	r := kits.Report{Output: a.out, Presence: presence(a), Details: map[string]string{"stop": a.marks["stop"], "check": a.marks["check"]}}
	switch o, _ := classify(a.marks["check"]); {
	case o == kits.OK:
		r.Outcome = kits.Failed
		r.Reason = why(in, "app.still-running", "%s still works on %s after its stop command (exit %s); stop it by hand, then repeat%s",
			in.Tag, in.Node.Name, a.marks["stop"], saying(a))
	case o == kits.Unknown:
		r.Reason = why(in, "app.check-unknown", "whether %s is gone from %s is not known: %s",
			in.Tag, in.Node.Name, meaning(a.marks["check"], in))
	case r.Presence == kits.Absent:
		r.Outcome = kits.OK
	case r.Presence == kits.Present:
		r.Outcome = kits.Failed
		r.Reason = why(in, "app.unit-left", "%s no longer works on %s, but its unit is still there; look at systemctl status %s %s",
			in.Tag, in.Node.Name, UnitName(in.Tag), in.Attrs[FieldUnit])
	default:
		r.Reason = why(in, "app.no-systemd", "systemd on %s does not say whether something of %s is left", in.Node.Name, in.Tag)
	}
	return r
}

// judgeEligible: nothing the commands need is missing.
func judgeEligible(in kits.Instance, res kits.Result, err error) kits.Eligibility {
	a, bad := read(in, "eligible", res, err)
	if bad != nil {
		return kits.Eligibility{Outcome: bad.Outcome, Reason: bad.Reason}
	}
	node := in.Node.Name
	for _, m := range a.list {
		var r kits.Reason
		switch {
		case m.word == "notool":
			r = why(in, "app.no-tool", "%s has no %s, which the kit app needs", node, m.value)
		case m.word == "nouser":
			r = why(in, "app.no-user", "%s has no user %s; create it or correct the field user", node, m.value)
		case m.word == "missing":
			r = why(in, "app.no-script", "%s is missing on %s or cannot be executed; copy it there", m.value, node)
		case m.word == "enabled" && (strings.HasPrefix(m.value, "enabled") || m.value == "alias" || m.value == "generated"):
			r = why(in, "app.starts-at-boot", "%s would start by itself when %s boots; switch that off with: systemctl disable %s",
				in.Attrs[FieldUnit], node, in.Attrs[FieldUnit])
		default:
			continue
		}
		return kits.Eligibility{Outcome: kits.Failed, Reason: r}
	}
	return kits.Eligibility{Outcome: kits.OK}
}

// read parses a result; the report is set when there is nothing to judge.
func read(in kits.Instance, what string, res kits.Result, err error) (answer, *kits.Report) {
	if err != nil {
		return answer{}, &kits.Report{Reason: why(in, "app.no-answer", "%s of %s on %s did not come to an end: %v", what, in.Tag, in.Node.Name, err)}
	}
	a, perr := parse(res)
	if perr != nil {
		return a, &kits.Report{
			Output: kits.Clean(res.Stderr+res.Stdout, kits.OutputLimit),
			Reason: why(in, "app.unreadable", "what %s said about %s cannot be read: %v", in.Node.Name, in.Tag, perr),
		}
	}
	return a, nil
}

// meaning says in words what an unusual exit code of the check stands for.
func meaning(code string, in kits.Instance) string {
	n, err := strconv.Atoi(code)
	switch {
	case err != nil:
		return "the check was not run"
	case n == exitBusy:
		return "the check says that it cannot tell now (exit 75)"
	case n == 124:
		return fmt.Sprintf("the check did not end within %s s", seconds(limit(in, FieldCheck)))
	case n == 125:
		return "the tool that runs the check failed (exit 125)"
	case n == 126 || n == 127:
		return fmt.Sprintf("the check command cannot be run (exit %d): %s", n, kits.OneLine(in.Attrs[FieldCheck], 120))
	}
	return fmt.Sprintf("the check was killed (exit %d)", n)
}

// saying appends the last line of the output, when there is any.
func saying(a answer) string {
	if s := kits.OneLine(a.out, 160); s != "" {
		return ": " + s
	}
	return ""
}

func why(in kits.Instance, code, format string, args ...any) kits.Reason {
	return kits.Why(code, fmt.Sprintf(format, args...), "tag", in.Tag, "node", in.Node.Name)
}
