package ip

import (
	"context"
	_ "embed" // the scripts, kept as files so that shellcheck and editors know them
	"regexp"
	"strconv"

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

//go:embed sh/eligible.sh
var eligibleSh string

// Eligible: the interface is there and its link up, and nothing brings the
// address up at boot.
func (k Kit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	s := k.script("eligible", eligibleSh, in)
	s.Deadline = k.Timeout(kits.ActEligible, in)
	s.Args, s.Light = append(s.Args, staticPattern(in.Attrs[FieldAddress])), true
	res, err := h.Run(ctx, s)
	return judgeEligible(in, res, err)
}

// CheckScript prints where the address is and, unless NOBCASTPING=1, who answers.
func (k Kit) CheckScript(in kits.Instance) kits.Script {
	s := k.script("check", checkSh, in)
	s.Deadline = k.Timeout(kits.ActCheck, in)
	quiet := in.Tune(NoBroadcastPing, "0")
	s.Args, s.Light = append(s.Args, quiet), quiet == "1" // a broadcast ping waits for seconds
	return s
}

// Check runs the check's script by itself.
func (k Kit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.CheckScript(in))
	return k.JudgeCheck(in, res, err)
}

// Start brings the address up on its interface, announces it, and looks.
func (k Kit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.mutating("start", startSh, kits.ActStart, in))
	return judgeStart(in, res, err)
}

// Stop removes the address from whatever interface has it, and looks.
func (k Kit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.mutating("stop", stopSh, kits.ActStop, in))
	return judgeStop(in, res, err)
}

// Recover is a start: it puts right an address that is gone, on another
// interface, or has another prefix length. A link that is down it leaves alone.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.mutating("recover", startSh, kits.ActRecover, in))
	return judgeStart(in, res, err)
}

func (k Kit) mutating(name, body string, a kits.Action, in kits.Instance) kits.Script {
	s := k.script(name, body, in)
	s.Deadline, s.Mutates, s.Light = k.Timeout(a, in), true, true
	return s
}

func (Kit) script(name, body string, in kits.Instance) kits.Script {
	return kits.Script{
		Name: "ip/" + name,
		Body: libSh + "\n" + body,
		Args: []string{
			in.Attrs[FieldAddress],
			strconv.Itoa(prefixLen(in.Attr(FieldNetmask, defaultMask))),
			deviceOf(in),
			in.Node.Address,
		},
	}
}

// staticPattern finds a line that sets the address: as a whole (10.1.0.10 is not
// 10.1.0.101) and not behind a comment sign.
func staticPattern(addr string) string {
	return `^([^#;]*[^0-9.#;])?` + regexp.QuoteMeta(addr) + `([^0-9.]|$)`
}
