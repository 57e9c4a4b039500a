package nodesim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"mvdan.cc/sh/v3/expand"
)

// Most of what a cluster's nodes do all day is answer the same few questions: is
// anybody there, who reaches whom, does it run. Interpreting their scripts takes most
// of a simulation's processor time, so those few are done in Go: step by step what the
// script does, with the same commands, the same time, the same words.
//
// A script is known by its text's checksum. One that was changed is interpreted again,
// and native_test.go, which takes the texts from where they are written, says so; it
// also runs both ways on nodes in every state and compares. What a native answer does
// not foresee it leaves to the interpreter.

// native is a script's answer in Go. It returns false, having done nothing, when the
// script must be interpreted.
type native func(s *steps) (exit int, ok bool)

// natives are the scripts by the checksum of their text, without what differs from one
// call to the next (outline).
func natives() map[string]native {
	return map[string]native{
		"161aba1925346730": peersNative,                                         // engine/fleet: which peers answer a ping
		"3b2046ef2c4ad42c": func(s *steps) (int, bool) { return s.beat(false) }, // engine/fleet: the pulse
		"9008a3dfee8236af": func(s *steps) (int, bool) { return s.beat(true) },  // engine/fleet: the pulse, with the disk under it
		"d0761ee8ddc5b8c9": copyNative,                                          // engine/fleet: the estate's copy
		"0fdd607a5509094c": appNative,                                           // kits/app: check
		"25823596fa22c66f": ipNative,                                            // kits/ip: check
		"99548a547e65d8bc": openswanNative,                                      // kits/openswan: check
	}
}

// steps is a script under way in Go.
type steps struct {
	ctx    context.Context // of the script's own life, a moment
	st     *shellState
	script string
	env    expand.Environ
}

// answer carries a script out in Go when it is one of the few.
func (n *Node) answer(ctx context.Context, p process, script string) (exit int, ok bool) {
	if f := n.world.natives[outline(script)]; f != nil && !n.world.interpretAll {
		exit, ok = n.native(ctx, p, script, f)
	}
	if n.world.overheard != nil {
		n.world.overheard(p, script, ok)
	}
	return exit, ok
}

func (n *Node) native(ctx context.Context, p process, script string, f native) (exit int, ok bool) {
	st := &shellState{node: n, p: p, pipes: map[string]*bytes.Buffer{}}
	exit, ok = f(&steps{ctx: ctx, st: st, script: script, env: expand.ListEnviron(environment(p.env)...)})
	if ok && ctx.Err() != nil {
		exit = terminated
	}
	return exit, ok
}

// outline is the checksum of a script without the parts that its caller fills in: the
// arguments that "set --" gives it in its first line, and who beats.
func outline(script string) string {
	if first, rest, _ := strings.Cut(script, "\n"); strings.HasPrefix(first, "set -- '") {
		script = "set --\n" + rest
	}
	if who, found := cutBeat(script); found {
		script = strings.Replace(script, `echo "beat `+who, `echo "beat `, 1)
	}
	sum := sha256.Sum256([]byte(script))
	return hex.EncodeToString(sum[:8])
}

// cutBeat finds what a heartbeat writes, when it is plain text.
func cutBeat(script string) (who string, found bool) {
	_, rest, found := strings.Cut(script, `echo "beat `)
	who, _, whole := strings.Cut(rest, `"`)
	return who, found && whole && !strings.ContainsAny(who, "$`\\\n")
}

// run does what the interpreter does for one command: waits while the node hangs, takes
// its time, and carries it out. in is its standard input; nil = empty.
func (s *steps) run(in []byte, out, errs io.Writer, name string, args ...string) int {
	if s.st.node.gate(s.ctx) != nil || sleep(s.ctx, s.st.node.world.opts.CommandTime) != nil {
		return terminated
	}
	c := &command{ctx: s.ctx, st: s.st, node: s.st.node, args: args, name: name, in: bytes.NewReader(in), out: out, err: errs, dir: "/", env: s.env}
	return c.run()
}

// ended tells that the script has been cut off: nothing further of it happens.
func (s *steps) ended() bool { return s.st.node.gate(s.ctx) != nil }

func (s *steps) arg(i int) string {
	if i <= len(s.st.p.args) {
		return s.st.p.args[i-1]
	}
	return ""
}

// is tells that there is a file or a directory.
func (s *steps) is(p string) bool { _, err := s.st.node.fs.stat(p); return err == nil }

func (s *steps) isDir(p string) bool {
	i, err := s.st.node.fs.stat(p)
	return err == nil && i.IsDir()
}

// substitute is $(NAME ARGS…): what the command says without newlines at its end.
func (s *steps) substitute(errs io.Writer, name string, args ...string) (said string, code int) {
	var out bytes.Buffer
	code = s.run(nil, &out, errs, name, args...)
	return strings.TrimRight(out.String(), "\n"), code
}

// say writes to the script's standard output.
func (s *steps) say(text string) { _, _ = io.WriteString(s.st.p.stdout, text) }
