package wire

import (
	"crypto/sha256"
	_ "embed" // the node's side is kept as files so that shellcheck reads what nodes run
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The only commands a server is asked to run; see the package comment.
const (
	ShellCommand = "exec /bin/sh -s ferry-shell-1"
	SudoCommand  = "exec sudo -n /bin/sh -s ferry-shell-1"
)

//go:embed node.sh
var nodeLib string

//go:embed prelude.sh
var preludeText string

// Prelude returns what a new shell channel gets before its first request. It needs no answer: the first
// request may follow in the same write.
func Prelude() string {
	sum := sha256.Sum256([]byte(nodeLib))
	return strings.NewReplacer("@HASH@", hex.EncodeToString(sum[:8]), "@LIB@", nodeLib).Replace(preludeText)
}

const (
	headMark = "#ferry1 {"
	endMark  = "#ferry1 end "
	bodyMark = "F_B="
)

// header is the JSON of a request. Scripts and inputs follow in the shell text; here are only their lengths there.
type header struct {
	Nonce string      `json:"nonce"`
	Jobs  []jobHeader `json:"jobs"`
}

type jobHeader struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	Verb      Verb     `json:"verb,omitempty"`
	Args      [][]byte `json:"args,omitempty"` // bytes, since JSON text would mend what is not UTF-8
	Deadline  int64    `json:"deadline_ms"`
	MaxOutput int      `json:"max_output"`
	Guard     *Guard   `json:"guard,omitempty"`
	Beat      bool     `json:"beat,omitempty"`
	Body      int      `json:"body"`
	Stdin     int      `json:"stdin,omitempty"`
}

// Shell returns the request as text for the standard input of a long-lived shell. The request must be valid.
func (r Request) Shell() string {
	var b strings.Builder
	h := header{Nonce: r.Nonce}
	for _, j := range r.Jobs {
		h.Jobs = append(h.Jobs, j.header())
	}
	text, _ := json.Marshal(h) // strings, numbers and bytes: cannot fail
	fmt.Fprintf(&b, "#ferry1 %s\n", text)
	if r.Jobs[0].Beat {
		j := r.Jobs[0]
		fmt.Fprintf(&b, "%s%s\nferry_beat %s\n", bodyMark, Quote(j.Body), quoteAll(append([]string{r.Nonce, j.ID}, j.Args...)))
	} else {
		r.writeJobs(&b)
	}
	fmt.Fprintf(&b, "%s%s\n", endMark, r.Nonce)
	return b.String()
}

// writeJobs starts all jobs from one subshell that ends at once: they become nobody's children, so that the long-lived
// shell neither waits for them nor keeps a growing list of them.
func (r Request) writeJobs(b *strings.Builder) {
	fmt.Fprintf(b, "F_S=$((F_S + 1))\n(\nferry_begin %s", Quote(r.Nonce))
	for i, j := range r.Jobs {
		if j.Guard == nil && j.Verb != VerbAwait {
			fmt.Fprintf(b, " %d", i+1)
		}
	}
	b.WriteByte('\n')
	for i, j := range r.Jobs {
		fmt.Fprintf(b, "%s%s\n", bodyMark, Quote(j.script()))
		if len(j.Stdin) > 0 {
			fmt.Fprintf(b, "ferry_stdin %d <<'FERRY-%s'\n%sFERRY-%s\n", i+1, r.Nonce, encode(j.Stdin), r.Nonce)
		}
		fmt.Fprintf(b, "ferry_job %d %s %s\n", i+1, Quote(j.ID), Quote(j.spec()))
	}
	b.WriteString(")\n")
}

func (j Job) header() jobHeader {
	h := jobHeader{
		ID: j.ID, Name: strings.ToValidUTF8(j.Name, "?"), Verb: j.Verb, Deadline: max(1, j.Timeout().Milliseconds()),
		MaxOutput: j.Limit(), Guard: j.Guard, Beat: j.Beat, Body: len(Quote(j.script())),
	}
	for _, a := range j.Args {
		h.Args = append(h.Args, []byte(a))
	}
	if len(j.Stdin) > 0 {
		h.Stdin = len(encode(j.Stdin))
	}
	return h
}

// script is what the node's shell runs: a verb is a function of node.sh.
func (j Job) script() string {
	switch j.Verb {
	case VerbScript, VerbAwait:
		return j.Body
	default:
		return `. "$F_LIB"` + "\nferry_" + string(j.Verb) + ` "$@"`
	}
}

// spec is the shell text that sets a job's limits and arguments on the node.
func (j Job) spec() string {
	s := fmt.Sprintf("F_SECS=%.3f F_MAX=%d", j.Timeout().Seconds(), j.Limit())
	if g := j.Guard; g != nil {
		// systemd's own limit is a backstop for the case that our script is stuck; it must not come first.
		s += fmt.Sprintf(" F_UNIT=%s F_LOCK=%s F_ESTATE=%s F_ENGINE=%s F_EPOCH=%d F_AFTER=%d F_LONG=%d", Quote(g.Unit), Quote(g.Lock),
			Quote(g.Estate), Quote(g.Engine), g.Epoch, g.After, int((j.Timeout() + 30*time.Second).Seconds()))
		s += " F_LEADER=" + Quote(g.Leader) + " F_SINCE=" + g.since()
		if g.Light {
			s += " F_LIGHT=1"
		}
	}
	if j.Verb == VerbAwait {
		s += " F_AWAIT=" + Quote(j.Args[0])
	}
	return s + "\nset -- " + quoteAll(j.Args)
}

// since is the leader's time as it stands in the record; empty when there is none.
func (g *Guard) since() string {
	if g.Since.IsZero() {
		return ""
	}
	return g.Since.UTC().Format(time.RFC3339)
}

// Record is what a node writes down when it first obeys the guard's caller.
func (g *Guard) Record() string {
	text := fmt.Sprintf("estate=%s\nengine=%s\nepoch=%d\n", g.Estate, g.Engine, g.Epoch)
	if g.Leader != "" {
		text += fmt.Sprintf("leader=%s\nsince=%s\n", g.Leader, g.since())
	}
	return text
}

// encode writes bytes as base64 in lines; arbitrary bytes cannot stand in shell text.
func encode(p []byte) string {
	text := base64.StdEncoding.EncodeToString(p)
	var b strings.Builder
	for len(text) > 0 {
		n := min(len(text), 4096)
		b.WriteString(text[:n])
		b.WriteByte('\n')
		text = text[n:]
	}
	return b.String()
}
