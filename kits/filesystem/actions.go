package filesystem

import (
	"context"
	_ "embed" // the scripts, kept as files so that shellcheck and editors know them
	"fmt"
	"regexp"
	"strconv"
	"strings"
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

//go:embed sh/eligible.sh
var eligibleSh string

//go:embed sh/choices.sh
var choicesSh string

// Eligible: the tools and the kind of file system are there, the mount point is free, the
// device is there unless a mirror is to make it, and nothing mounts it at boot.
func (k Kit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	res, err := h.Run(ctx, k.script("eligible", eligibleSh, kits.ActEligible, in, in.Attrs[FieldType], unitName(point(in))))
	return judgeEligible(in, res, err)
}

// CheckScript looks at the mount table and, on the active node, tries the disk.
func (k Kit) CheckScript(in kits.Instance) kits.Script {
	return k.script("check", checkSh, kits.ActCheck, in,
		seconds(tuned(in, CheckTimeout, defaultCheck)), flag(probed(in)), flag(writable(in)))
}

// Check runs the check's script by itself.
func (k Kit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.CheckScript(in))
	return k.JudgeCheck(in, res, err)
}

// Start mounts the device and tries it. What is already right stays as it is; what is in the
// way stays too, and the start fails.
func (k Kit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.mount("start", kits.ActStart, in))
	return judgeStart(in, res, err)
}

// Recover mounts what has vanished. A file system that has gone read-only is left so; see the package comment.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.mount("recover", kits.ActRecover, in))
	return judgeStart(in, res, err)
}

// Stop unmounts it, with what is mounted below it, and waits until all is written.
func (k Kit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.script("stop", stopSh, kits.ActStop, in,
		flag(in.Tune(Kill, "1") != "0"), seconds(tuned(in, StopTimeout, defaultStop)), regexp.QuoteMeta(point(in))))
	return judgeStop(in, res, err)
}

func (k Kit) mount(name string, a kits.Action, in kits.Instance) kits.Script {
	return k.script(name, startSh, a, in, in.Attrs[FieldType], in.Attr(FieldOptions, defaultOptions),
		seconds(tuned(in, StartTimeout, defaultStart)), seconds(tuned(in, CheckTimeout, defaultCheck)), flag(writable(in)))
}

// script puts the common prelude before a body, and the common arguments before its own.
func (k Kit) script(name, body string, a kits.Action, in kits.Instance, args ...string) kits.Script {
	return kits.Script{
		Name: "filesystem/" + name, Body: libSh + "\n" + body, Deadline: k.Timeout(a, in),
		Mutates: a == kits.ActStart || a == kits.ActStop || a == kits.ActRecover,
		Args:    append([]string{point(in), encode(point(in)), Device(in), fileName(in.Tag)}, args...),
	}
}

// probed: the disk is tried where the resource is, and where nobody knows where it is.
// Elsewhere nothing is ever written.
func probed(in kits.Instance) bool { return in.Active == "" || in.Active == in.Node.Name }

// fileName is a resource's name below /run: whatever is no letter or digit is written as _xx.
func fileName(tag string) string {
	var b strings.Builder
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

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// seconds rounds up, so that a limit is never cut to zero.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
