package oracle

import (
	"context"
	_ "embed" // the scripts, kept as files so that shellcheck and editors know them
	"strconv"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

//go:embed sh/lib.sh
var libSh string

//go:embed sh/check.sh
var checkSh string

//go:embed sh/eligible.sh
var eligibleSh string

//go:embed sh/start.sh
var startSh string

//go:embed sh/bring.sh
var bringSh string

//go:embed sh/stop.sh
var stopSh string

// CheckScript looks for the instance and asks it.
func (k Kit) CheckScript(in kits.Instance) kits.Script {
	return script("check", checkSh, kits.ActCheck, in)
}

// Check runs the check's script by itself.
func (k Kit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.CheckScript(in))
	return k.JudgeCheck(in, res, err)
}

// Eligible: the installation is there and in order, nothing of it starts at boot, and, where the
// database is open, its files lie where they can move.
func (k Kit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	res, err := h.Run(ctx, script("eligible", eligibleSh, kits.ActEligible, in, in.Attrs[FieldSPFile]))
	return judgeEligible(in, res, err)
}

// Start brings the instance up, from wherever it is, and looks.
func (k Kit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	return start(ctx, h, in, kits.ActStart)
}

// Recover does what a start does, and clears away what is left of a dead instance first.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	return start(ctx, h, in, kits.ActRecover)
}

func start(ctx context.Context, h kits.Host, in kits.Instance, a kits.Action) kits.Report {
	res, err := h.Run(ctx, script(string(a), startSh, a, in,
		strconv.Itoa(tuned(in).start), in.Attrs[FieldSPFile], in.Tune(EndBackup, "1"), string(a), prelude(bringSh)))
	return judgeStart(in, string(a), res, err)
}

// Stop shuts the instance down and looks until nothing of it is left.
func (k Kit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, script("stop", stopSh, kits.ActStop, in, strconv.Itoa(tuned(in).shutdown)))
	return judgeStop(in, res, err)
}

func prelude(body string) string { return orainst.Prelude + "\n" + libSh + "\n" + body }

// script puts the preludes before a body. more are the body's own arguments, $1 on.
func script(name, body string, a kits.Action, in kits.Instance, more ...string) kits.Script {
	return kits.Script{
		Name: "oracle/" + name, Body: prelude(body), Deadline: Kit{}.Timeout(a, in),
		Mutates: a == kits.ActStart || a == kits.ActStop || a == kits.ActRecover,
		Args: append([]string{
			in.Attrs[FieldSID], in.Attrs[FieldHome], in.Attr(FieldUser, defaultUser), "", orainst.UnitName(in.Tag),
			strconv.Itoa(tuned(in).answer), in.Attrs[FieldMonitor],
		}, more...),
	}
}
