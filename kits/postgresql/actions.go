package postgresql

import (
	"context"
	_ "embed" // the scripts, kept as files so that shellcheck and editors know them
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed sh/lib.sh
var libSh string

//go:embed sh/act.sh
var actSh string

//go:embed sh/check.sh
var checkSh string

//go:embed sh/start.sh
var startSh string

//go:embed sh/stop.sh
var stopSh string

//go:embed sh/recover.sh
var recoverSh string

// query is the check's question: one row that begins with "ferry|". It writes nothing (see the
// package comment), asks for nothing that a role without rights could not see, and looks
// only at memory and pg_control. Every version from 10 on answers it.
const query = `select 'ferry', pg_is_in_recovery(), current_setting('transaction_read_only'), ` +
	`current_setting('server_version'), extract(epoch from now() - pg_postmaster_start_time())::bigint, ` +
	`(select count(*) from pg_stat_activity where backend_type = 'client backend'), current_setting('max_connections'), ` +
	`(select extract(epoch from now() - checkpoint_time)::bigint from pg_control_checkpoint()), ` +
	`(select count(*) from pg_stat_activity where state = 'active' and wait_event_type = 'IO' ` +
	`and lower(wait_event) = 'walsync' and now() - query_start > interval '10 s')`

// CheckScript looks for the server and asks it.
func (k Kit) CheckScript(in kits.Instance) kits.Script {
	return script("check", libSh+"\n"+checkSh, kits.ActCheck, in)
}

// Check runs the check's script by itself.
func (k Kit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.CheckScript(in))
	return k.JudgeCheck(in, res, err)
}

// Start starts the server in a unit of its own and waits until it is ready.
func (Kit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, script("start", libSh+"\n"+actSh+"\n"+startSh, kits.ActStart, in))
	return judgeStart(in, "start", res, err)
}

// Stop ends the server: fast, immediate, by force, each within its time.
func (Kit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, script("stop", libSh+"\n"+actSh+"\n"+stopSh, kits.ActStop, in))
	return judgeStop(in, res, err)
}

// Recover starts the server again when it is gone; one that runs and cannot be reached is taken down before.
func (Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, script("recover", libSh+"\n"+actSh+"\n"+recoverSh, kits.ActRecover, in))
	return judgeStart(in, "recovery", res, err)
}

// script gives a body the resource's fields and limits.
func script(name, body string, a kits.Action, in kits.Instance) kits.Script {
	return kits.Script{
		Name: "postgresql/" + name, Body: body, Deadline: Kit{}.Timeout(a, in), Mutates: a != kits.ActCheck && a != kits.ActEligible,
		Args: []string{
			UnitName(in.Tag), in.Attrs[FieldData], in.Attrs[FieldBin], in.Attr(FieldPort, DefaultPort),
			in.Attr(FieldSocket, DefaultSocket), in.Attr(FieldOSUser, DefaultUser), in.Attr(FieldDBUser, DefaultUser),
			seconds(limit(in, CheckTimeout)), query,
			seconds(limit(in, StartTimeout)), seconds(limit(in, StopTimeout)), seconds(limit(in, ImmediateTimeout)),
			in.Tune(KillLast, "1"), in.Tune(HangFails, "0"), in.Attrs[FieldLog], in.Attrs[FieldConfig],
			strings.Join(mounts(in), "\n"),
		},
	}
}

// seconds rounds up, so that a limit is never cut to zero.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
