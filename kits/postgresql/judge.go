package postgresql

import (
	"fmt"
	"maps"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// JudgeCheck turns a check's answer into a report.
func (Kit) JudgeCheck(in kits.Instance, res kits.Result, err error) kits.Report {
	a, bad := read(in, "the check", res, err)
	if bad != nil {
		return *bad
	}
	return judge(in, a)
}

// judge says what the facts mean, for a check and at the end of a start.
func judge(in kits.Instance, a answer) kits.Report {
	pm := a.marks["postmaster"]
	switch {
	case pm == "-":
		return judgeGone(in, a)
	case !number(pm):
		return unreadable(in, a.out, "it does not say whether a server runs")
	}
	r := judgeServer(in, a)
	r.Presence, r.Output = kits.Present, a.out
	details := map[string]string{"pid": pm}
	maps.Copy(details, r.Details)
	r.Details = details
	return r
}

// judgeGone: no server runs.
func judgeGone(in kits.Instance, a answer) kits.Report {
	r := kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Output: a.out}
	data := in.Attrs[FieldData]
	switch left, nodata := a.marks["orphans"], a.marks["nodata"]; {
	case left != "":
		r.Presence = kits.Present
		left = kits.OneLine(left, 60)
		r.Reason = about(why(in, "postgresql.orphans", "the server of %s on %s is gone, but processes of it are left (%s)", in.Tag, in.Node.Name, left), left)
	case nodata != "":
		r.Reason = why(in, "postgresql.no-directory", "%s does not run on %s, where its data directory %s is not there", in.Tag, in.Node.Name, data)
	default:
		r.Reason = why(in, "postgresql.gone", "%s does not run on %s: no server works in %s", in.Tag, in.Node.Name, data)
	}
	return r
}

// judgeServer: a server runs. Whether it can be reached, and what it answers.
func judgeServer(in kits.Instance, a answer) kits.Report {
	sock, rc, ready, status := a.marks["sock"], a.marks["rc"], a.marks["ready"], a.marks["status"]
	switch {
	case rc == "0" && sock == "ours":
		return judgeRow(in, a)
	case status == "starting":
		return unknown(in, "", "postgresql.starting", "%s on %s is starting: it replays its log, or a child of it has crashed", in.Tag, in.Node.Name)
	case status == "stopping":
		return unknown(in, "", "postgresql.stopping", "%s on %s is being shut down", in.Tag, in.Node.Name)
	case sock == "none":
		return judgeSocket(in, a)
	case sock != "ours":
		return unknown(in, sock, "postgresql.other-server", "the socket of %s on %s belongs to another server (process %s); two clusters cannot have the same port and socket directory: correct one of them",
			in.Tag, in.Node.Name, kits.OneLine(sock, 20))
	case ready == "1":
		return unknown(in, "", "postgresql.starting", "%s on %s is starting: it replays its log, or a child of it has crashed", in.Tag, in.Node.Name)
	case rc == "1":
		return judgeError(in, a)
	case rc == "2" && ready == "0":
		return refused(in, a)
	case ready == "2" && in.Tune(HangFails, "0") == "1":
		r := noAnswer(in, a)
		r.Outcome = kits.Failed
		return r
	case rc == "124" || rc == "137" || ready == "2" || rc == "2":
		return noAnswer(in, a)
	}
	return checkUnknown(in, fmt.Sprintf("psql ended with %s: %s", rc, kits.OneLine(a.out, 200)))
}

func checkUnknown(in kits.Instance, what string) kits.Report {
	return unknown(in, what, "postgresql.check-unknown", "whether %s works on %s is not known: %s", in.Tag, in.Node.Name, what)
}

func noAnswer(in kits.Instance, a answer) kits.Report {
	return unknown(in, seconds(limit(in, CheckTimeout)), "postgresql.no-answer", "%s runs on %s (process %s), but did not answer within %s s", in.Tag, in.Node.Name, a.marks["postmaster"], seconds(limit(in, CheckTimeout)))
}

// judgeRow: it answered.
func judgeRow(in kits.Instance, a answer) kits.Report {
	got, ok := readRow(a.out)
	if !ok {
		return unreadable(in, a.out, "psql did not print what was asked for")
	}
	r := kits.Report{Outcome: kits.OK, Impaired: true, Details: got.details()}
	node := in.Node.Name
	switch {
	case got.recovery:
		r.Reason = why(in, "postgresql.standby", "%s answers on %s, but as a standby, read-only; somebody has put it into recovery: promote it, or remove standby.signal and restart it", in.Tag, node)
	case got.readOnly:
		r.Reason = why(in, "postgresql.read-only", "%s on %s is read-only by default (default_transaction_read_only); set it to off", in.Tag, node)
	case got.stalled > 0:
		r.Reason = why(in, "postgresql.stalled", "%s answers on %s, but commits have been waiting for the disk for more than 10 s (sessions: %d)", in.Tag, node, got.stalled)
	case a.marks["lock"] != a.marks["postmaster"]:
		r.Reason = why(in, "postgresql.no-lock", "postmaster.pid of %s on %s is not the running server's; the server will shut itself down within a minute when it finds that out", in.Tag, node)
	case strings.Contains(a.out, "collation version mismatch"):
		r.Reason = why(in, "postgresql.collation", "%s works on %s, but sorts with another version of the system's collations than the data was written with: indexes on text may be wrong; install the same release on every node, or reindex", in.Tag, node)
	default:
		r.Impaired = false
	}
	return r
}

// judgeSocket: the server has no socket where it should have one. Ready is then what it says over TCP.
func judgeSocket(in kits.Instance, a answer) kits.Report {
	node, file := in.Node.Name, in.Attr(FieldSocket, DefaultSocket)
	if p := a.marks["port"]; p != "" && p != in.Attr(FieldPort, DefaultPort) {
		return unknown(in, kits.OneLine(p, 10), "postgresql.other-port", "%s on %s was started with port %s, not %s; correct the field port, or restart it with ferry", in.Tag, node, kits.OneLine(p, 10), in.Attr(FieldPort, DefaultPort))
	}
	switch {
	case a.marks["ready"] == "0":
		r := kits.Report{Outcome: kits.OK, Impaired: true}
		r.Reason = why(in, "postgresql.no-socket", "%s on %s answers over TCP, but its socket in %s is missing: local clients cannot connect; restart it when that is possible", in.Tag, node, file)
		return r
	case a.marks["ready"] == "2" && a.marks["status"] == "ready":
		r := kits.Report{Outcome: kits.Failed}
		r.Reason = why(in, "postgresql.unreachable", "%s runs on %s, but nobody can connect: its socket in %s is missing and it does not answer over TCP", in.Tag, node, file)
		return r
	}
	return checkUnknown(in, fmt.Sprintf("its socket in %s is missing, and pg_isready ended with %s", file, a.marks["ready"]))
}

// judgeError: the query ended with an error, which has a code whatever the language.
func judgeError(in kits.Instance, a answer) kits.Report {
	code, said := state(a.out), telling(a.out)
	switch {
	case code == "":
		return checkUnknown(in, fmt.Sprintf("psql ended with %s: %s", a.marks["rc"], kits.OneLine(a.out, 200)))
	case code == "57014": // query_canceled: its own time is over
		return noAnswer(in, a)
	case strings.HasPrefix(code, "58") || strings.HasPrefix(code, "XX"): // system_error, internal_error, data_corrupted
		r := kits.Report{Outcome: kits.Failed}
		r.Reason = about(why(in, "postgresql.error", "%s on %s cannot answer the simplest question: %s", in.Tag, in.Node.Name, said), said)
		return r
	}
	return refused(in, a)
}

// refused: the server works, and the check is not let in or not told. That is no reason to move anything.
func refused(in kits.Instance, a answer) kits.Report {
	said := telling(a.out)
	r := kits.Report{Outcome: kits.OK, Impaired: true}
	r.Reason = about(why(in, "postgresql.refused", "%s on %s accepts connections, but not the check's as %s: %s", in.Tag, in.Node.Name, in.Attr(FieldDBUser, DefaultUser), said), said)
	return r
}

// read parses a result; the report is set when there is nothing to judge.
func read(in kits.Instance, what string, res kits.Result, err error) (answer, *kits.Report) {
	if err != nil {
		r := unknown(in, err.Error(), "postgresql.did-not-end", "%s of %s on %s did not come to an end: %v", what, in.Tag, in.Node.Name, err)
		return answer{}, &r
	}
	a, perr := parse(res)
	if perr != nil || res.Truncated {
		r := unreadable(in, kits.Clean(res.Stderr+res.Stdout, kits.OutputLimit), "the answer is not complete")
		return a, &r
	}
	return a, nil
}

func unreadable(in kits.Instance, out, what string) kits.Report {
	return kits.Report{
		Output: out,
		Reason: about(why(in, "postgresql.unreadable", "what %s said about %s cannot be read: %s", in.Node.Name, in.Tag, what), kits.OneLine(what, 200)),
	}
}

func unknown(in kits.Instance, what, code, format string, args ...any) kits.Report {
	return kits.Report{Reason: about(why(in, code, format, args...), kits.OneLine(what, 300))}
}

func why(in kits.Instance, code, format string, args ...any) kits.Reason {
	return kits.Why(code, fmt.Sprintf(format, args...), "tag", in.Tag, "node", in.Node.Name, "data", in.Attrs[FieldData])
}

// about adds what a reason is about, for the texts of other languages: the argument "what".
func about(r kits.Reason, what string) kits.Reason {
	r.Args["what"] = what
	return r
}
