package nodesim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// process is what a script runs with.
type process struct {
	stdin          []byte
	stdout, stderr io.Writer
	name           string // $0; empty = sh
	args           []string
	env            []string
	unit           string // the transient unit it runs in; empty = none
}

// shellState is shared by a script and all its subshells.
type shellState struct {
	node *Node
	p    process

	mu    sync.Mutex
	pipes map[string]*bytes.Buffer // what a pipeline's stage left for the next
	count int
}

const pipeDir = "/dev/.pipe/"

// shell interprets a script on the node and returns its exit code. When ctx ends
// it is cut off; the code is then that of a killed process.
func (n *Node) shell(ctx context.Context, p process, script string) int {
	if p.name == "" {
		p.name = "sh"
	}
	file := n.world.scripts.get(script)
	if file == nil {
		var err error
		if file, err = syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), p.name); err != nil {
			fmt.Fprintf(p.stderr, "sh: %v\n", err)
			return 2
		}
		rewritePipes(file)
		n.world.scripts.keep(script, file)
	}
	st := &shellState{node: n, p: p, pipes: map[string]*bytes.Buffer{}}
	r, err := st.runner(ctx)
	if err != nil {
		fmt.Fprintf(p.stderr, "sh: %v\n", err)
		return 2
	}
	err = r.Run(ctx, file)
	return exitCode(ctx, p.stderr, err)
}

// terminated is the exit code of a process that was cut off.
const terminated = 128 + int(syscall.SIGTERM)

func exitCode(ctx context.Context, stderr io.Writer, err error) int {
	var status interp.ExitStatus
	switch {
	case ctx.Err() != nil:
		return terminated
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintf(stderr, "sh: %v\n", err)
	return 2
}

func environment(more []string) []string {
	return append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "TMPDIR=/nonexistent", "IFS= \t\n"}, more...)
}

func (st *shellState) runner(ctx context.Context) (*interp.Runner, error) {
	var stdin io.Reader // none: what would be read ends at once
	if len(st.p.stdin) > 0 {
		f, err := asFile(st.p.stdin)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = f.Close() })
		stdin = f
	}
	params := append([]string{"--"}, st.p.args...)
	return interp.New(
		interp.Env(expand.ListEnviron(environment(st.p.env)...)),
		interp.Dir("/"),
		interp.Params(params...),
		interp.StdIO(stdin, st.p.stdout, st.p.stderr),
		interp.CallHandler(st.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return st.exec }),
		interp.OpenHandler(st.open),
		interp.ReadDirHandler2(st.readDir),
		interp.StatHandler(st.stat),
		interp.AccessHandler(st.access),
	)
}

// call replaces builtins that would look at the real machine, and those the
// interpreter does not have, by commands of ours.
func (st *shellState) call(ctx context.Context, args []string) ([]string, error) {
	if err := st.node.gate(ctx); err != nil {
		return args, err
	}
	switch args[0] {
	case "command":
		if len(args) > 2 && args[1] == "-v" {
			return append([]string{"/.sim/command-v"}, args[2:]...), nil
		}
		if len(args) > 1 && !strings.HasPrefix(args[1], "-") && !interp.IsBuiltin(args[1]) {
			return args[1:], nil
		}
	case "export": // names of variables that are set already; the interpreter does not know it in POSIX's language
		return []string{":"}, nil
	case "umask", "ulimit", "kill", "hash":
		return append([]string{"/.sim/" + args[0]}, args[1:]...), nil
	}
	return args, nil
}

// exec runs a command: one of ours, or a script that lies on the node's disk.
func (st *shellState) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	c := &command{
		ctx: ctx, st: st, node: st.node, args: args[1:], name: args[0],
		in: hc.Stdin, out: hc.Stdout, err: hc.Stderr, dir: hc.Dir, env: hc.Env,
	}
	if err := st.node.gate(ctx); err != nil {
		return err
	}
	if err := sleep(ctx, st.node.world.opts.CommandTime); err != nil {
		return err
	}
	if code := c.run(); code != 0 {
		return interp.ExitStatus(uint8(code))
	}
	return ctx.Err()
}

// open serves redirections.
func (st *shellState) open(ctx context.Context, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	p := st.look(absolute(interp.HandlerCtx(ctx).Dir, name))
	write := flag&(os.O_WRONLY|os.O_RDWR) != 0
	switch {
	case p == "/dev/null" && write:
		return nowhere{}, nil
	case p == "/dev/null":
		return os.Open(os.DevNull)
	case strings.HasPrefix(p, pipeDir):
		return st.openPipe(p, write)
	case write:
		if err := st.node.fs.create(p, uint32(perm), flag&os.O_TRUNC != 0); err != nil {
			return nil, err
		}
		return appender{st.node.fs, p}, nil
	}
	data, err := st.node.fs.read(p)
	if err != nil {
		return nil, err
	}
	f, err := asFile(data)
	if err != nil {
		return nil, pathError("open", p, err)
	}
	return f, nil
}

// nowhere is /dev/null's writing end.
type nowhere struct{}

func (nowhere) Read([]byte) (int, error)    { return 0, io.EOF }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }

// openPipe: the first stage fills a buffer, the next reads it.
func (st *shellState) openPipe(p string, write bool) (io.ReadWriteCloser, error) {
	if write {
		return st.fillPipe(p), nil
	}
	data, there := st.drainPipe(p)
	if !there {
		return nil, pathError("open", p, syscall.ENOENT)
	}
	f, err := asFile(data)
	if err != nil {
		return nil, pathError("open", p, err)
	}
	return f, nil
}

func (st *shellState) fillPipe(p string) pipeEnd {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.pipes[p] = &bytes.Buffer{}
	return pipeEnd{st, p}
}

// drainPipe takes what is in it; what is written from then on is lost.
func (st *shellState) drainPipe(p string) (data []byte, there bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	buf := st.pipes[p]
	delete(st.pipes, p)
	if buf == nil {
		return nil, false
	}
	return buf.Bytes(), true
}

type pipeEnd struct {
	st *shellState
	p  string
}

func (pipeEnd) Read([]byte) (int, error) { return 0, io.EOF }
func (pipeEnd) Close() error             { return nil }

// Write drops what comes from a background process after the stage has ended.
func (e pipeEnd) Write(b []byte) (int, error) {
	e.st.mu.Lock()
	defer e.st.mu.Unlock()
	buf := e.st.pipes[e.p]
	if buf == nil || buf.Len() > 1<<20 {
		return 0, syscall.EPIPE
	}
	return buf.Write(b)
}

func (st *shellState) newPipe() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.count++
	return pipeDir + strconv.Itoa(st.count)
}

func (st *shellState) readDir(ctx context.Context, p string) ([]fs.DirEntry, error) {
	infos, err := st.node.fs.list(st.look(absolute(interp.HandlerCtx(ctx).Dir, p)))
	var out []fs.DirEntry
	for _, i := range infos {
		out = append(out, fs.FileInfoToDirEntry(i))
	}
	return out, err
}

// look brings what a kernel makes up on the spot up to date before it is read.
func (st *shellState) look(p string) string {
	if strings.HasPrefix(p, "/proc") {
		st.node.showPluto()
	}
	return p
}

func (st *shellState) stat(ctx context.Context, p string, _ bool) (fs.FileInfo, error) {
	if strings.HasPrefix(p, "/dev/null") {
		return info{"null", inode{mode: 0o666}}, nil
	}
	return st.node.fs.stat(absolute(interp.HandlerCtx(ctx).Dir, p))
}

// access: root may do everything but execute what is not executable.
func (st *shellState) access(ctx context.Context, p string, mode interp.AccessMode) error {
	i, err := st.node.fs.stat(absolute(interp.HandlerCtx(ctx).Dir, p))
	if err != nil {
		return err
	}
	if mode&interp.AccessExec != 0 && !i.IsDir() && i.Mode()&0o111 == 0 {
		return pathError("access", p, syscall.EACCES)
	}
	return nil
}

func absolute(dir, p string) string {
	if !path.IsAbs(p) {
		p = path.Join(dir, p)
	}
	return path.Clean(p)
}

// rewritePipes turns "X | Y" into a subshell that runs X into a buffer and then Y
// from it. The interpreter would use a pipe of the real machine, and a goroutine
// that waits for one cannot be told from one that works: virtual time would stand still.
func rewritePipes(file *syntax.File) {
	syntax.Walk(file, func(node syntax.Node) bool {
		s, ok := node.(*syntax.Stmt)
		if !ok {
			return true
		}
		b, ok := s.Cmd.(*syntax.BinaryCmd)
		if !ok || b.Op != syntax.Pipe && b.Op != syntax.PipeAll {
			return true
		}
		s.Cmd = pipeline(b.X, b.Y)
		return true
	})
}

// pipeline builds ( _p=$(newpipe); ( X ) >$_p || :; ( Y ) <$_p ).
func pipeline(x, y *syntax.Stmt) *syntax.Subshell {
	const text = "( _ferry_p=$(/.sim/newpipe); ( X ) >\"$_ferry_p\" || :; ( Y ) <\"$_ferry_p\" )"
	f, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "")
	if err != nil {
		panic(err) // the text is constant
	}
	sub := f.Stmts[0].Cmd.(*syntax.Subshell)
	first := sub.Stmts[1].Cmd.(*syntax.BinaryCmd).X.Cmd.(*syntax.Subshell)
	first.Stmts = []*syntax.Stmt{x}
	sub.Stmts[2].Cmd.(*syntax.Subshell).Stmts = []*syntax.Stmt{y}
	return sub
}

// capture keeps the first bytes of an output; background processes may write at the same time.
type capture struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	limit int
	cut   bool
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keep := p
	if room := c.limit - c.buf.Len(); len(keep) > room {
		keep, c.cut = keep[:max(room, 0)], true
	}
	c.buf.Write(keep)
	return len(p), nil
}

func (c *capture) String() string { return string(c.bytes()) }

func (c *capture) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]byte(nil), c.buf.Bytes()...)
}

func (c *capture) truncated() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

func formatUptime(up time.Duration) string {
	return fmt.Sprintf("%.2f %.2f\n", up.Seconds(), up.Seconds())
}
