package app

import (
	"context"
	_ "embed" // the scripts, kept as files so that shellcheck and editors know them
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed sh/lib.sh
var libSh string

//go:embed sh/check.sh
var checkSh string

//go:embed sh/start.sh
var startSh string

//go:embed sh/stop.sh
var stopSh string

//go:embed sh/recover.sh
var recoverSh string

//go:embed sh/eligible.sh
var eligibleSh string

// Eligible: systemd and the tools are there, the scripts too, the user exists, and
// the application's own unit does not start at boot. The commands are not run.
func (k Kit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	res, err := h.Run(ctx, kits.Script{
		Name: "app/eligible", Body: eligibleSh, Deadline: k.Timeout(kits.ActEligible, in), Light: true,
		Args: []string{
			in.Attrs[FieldUser], in.Attrs[FieldUnit],
			in.Attrs[FieldStart], in.Attrs[FieldStop], in.Attrs[FieldCheck], in.Attrs[FieldRecover],
		},
	})
	return judgeEligible(in, res, err)
}

// CheckScript runs the check command and asks systemd about the units.
func (k Kit) CheckScript(in kits.Instance) kits.Script {
	return script("check", checkSh, kits.ActCheck, limit(in, FieldCheck), in)
}

// Check runs the check's script by itself.
func (k Kit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.CheckScript(in))
	return k.JudgeCheck(in, res, err)
}

// Start runs the start command in its unit and checks until it works or the time is over.
func (k Kit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, script("start", startSh, kits.ActStart, limit(in, FieldStart), in))
	return judgeStart(in, "start", res, err)
}

// Stop runs the stop command, ends what is left of the units, and checks that it is gone.
func (k Kit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, script("stop", stopSh, kits.ActStop, limit(in, FieldStop), in))
	return judgeStop(in, res, err)
}

// Recover runs the recover command, or stops and starts again where there is none.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	bound := limit(in, FieldRecover)
	if in.Attrs[FieldRecover] == "" {
		bound = limit(in, FieldStart)
	}
	res, err := h.Run(ctx, script("recover", recoverSh, kits.ActRecover, bound, in))
	return judgeStart(in, "recover", res, err)
}

// script puts the common prelude before a body. bound is the limit of the action's own command.
func script(name, body string, a kits.Action, bound time.Duration, in kits.Instance) kits.Script {
	return kits.Script{
		Name: "app/" + name, Body: libSh + "\n" + body,
		Deadline: Kit{}.Timeout(a, in), Mutates: a != kits.ActCheck,
		Args: []string{
			UnitName(in.Tag), in.Attrs[FieldUser], in.Attrs[FieldUnit], seconds(bound),
			in.Attrs[FieldCheck], seconds(limit(in, FieldCheck)),
			in.Attrs[FieldStart], in.Attrs[FieldStop], seconds(limit(in, FieldStop)),
			in.Attrs[FieldRecover],
		},
	}
}

// seconds rounds up, so that a limit is never cut to zero.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
