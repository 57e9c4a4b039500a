package nodesim

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// pgServer is a server process.
type pgServer struct {
	pid, port     int
	data, version string
	sockets       []string
	started       time.Time
	ctx           context.Context // of the process
	signals       chan string     // INT, QUIT

	// guarded by the world's mu
	status string
	hung   chan struct{} // non-nil while it hangs; closed when it goes on
}

// What postmaster.pid says in its last line.
const (
	pgStarting = "starting"
	pgReady    = "ready"
	pgStopping = "stopping"
)

// serve is the server's life, in the foreground. It returns the exit code.
func (w *pgWorld) serve(c *command, s *pgServer) int {
	n := w.node
	if err := n.disks.settlePath(c.ctx, s.data, true); err != nil {
		return c.pgFatal("could not write lock file \"postmaster.pid\": %v", err)
	}
	if pid, taken := w.locked(s); taken {
		return c.pgFatal("lock file \"%s\" already exists\nHINT:  Is another postmaster (PID %d) running?", "postmaster.pid", pid)
	}
	for _, dir := range s.sockets {
		if i, err := n.fs.stat(dir); err != nil || !i.IsDir() {
			return c.pgFatal("could not create lock file \"%s/.s.PGSQL.%d.lock\": No such file or directory", dir, s.port)
		}
		if text, err := n.ReadFile(s.socket(dir) + ".lock"); err == nil && n.Alive(c.number(firstLine(text), 0)) {
			return c.pgFatal("lock file \"%s.lock\" already exists", s.socket(dir))
		}
	}
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	s.ctx = ctx
	defer w.forget(s)
	if err := w.register(s); err != nil {
		_ = n.fs.remove(path.Join(s.data, "postmaster.pid"), false)
		return c.pgFatal("could not write lock file \"postmaster.pid\": %v", err)
	}
	if code := w.bringUp(c, s); code != 0 {
		return code
	}
	return w.attend(c, s)
}

// locked tells whether the lock file is that of a process that lives: any, as the real one asks only for that.
func (w *pgWorld) locked(s *pgServer) (pid int, taken bool) {
	text, err := w.node.ReadFile(path.Join(s.data, "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	pid, _ = strconv.Atoi(firstLine(text))
	return pid, pid > 0 && w.node.Alive(pid)
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(first)
}

// register gives the server a process, its lock file and its sockets.
func (w *pgWorld) register(s *pgServer) error {
	for {
		w.mu.Lock()
		w.nextPID += 7
		s.pid = w.nextPID
		w.mu.Unlock()
		if w.node.HoldMount(Holder{PID: s.pid, Command: "postgres", Path: s.data, Cwd: true, IgnoresTerm: true}) == nil {
			break
		}
	}
	w.mu.Lock()
	w.servers[s.pid] = s
	w.mu.Unlock()
	if err := w.say(s, pgStarting); err != nil {
		return err
	}
	for _, dir := range s.sockets {
		_ = w.node.WriteFile(s.socket(dir), "", false)
		_ = w.node.WriteFile(s.socket(dir)+".lock", fmt.Sprintf("%d\n%s\n%d\n%d\n%s\n", s.pid, s.data, s.started.Unix(), s.port, dir), false)
	}
	return nil
}

func (s *pgServer) socket(dir string) string { return fmt.Sprintf("%s/.s.PGSQL.%d", dir, s.port) }

// say writes the lock file with how far the server is.
func (w *pgWorld) say(s *pgServer, status string) error {
	w.mu.Lock()
	s.status = status
	w.mu.Unlock()
	return w.write(s, "postmaster.pid", fmt.Sprintf("%d\n%s\n%d\n%d\n%s\nlocalhost\n   123456         1\n%-8s\n",
		s.pid, s.data, s.started.Unix(), s.port, s.sockets[0], status))
}

func (w *pgWorld) write(s *pgServer, name, text string) error {
	return w.node.WriteFile(path.Join(s.data, name), text, false)
}

// forget takes away what goes with the process, however it went.
func (w *pgWorld) forget(s *pgServer) {
	w.mu.Lock()
	delete(w.servers, s.pid)
	w.mu.Unlock()
	w.node.fs.mu.Lock()
	w.node.disks.end(s.pid)
	w.node.fs.mu.Unlock()
	w.tell(s, false)
}

func (w *pgWorld) tell(s *pgServer, up bool) {
	w.node.mu.Lock()
	defer w.node.mu.Unlock()
	if w.node.power {
		w.node.tell("postgres", s.data, up)
	}
}

// bringUp replays what a crash has left, and opens.
func (w *pgWorld) bringUp(c *command, s *pgServer) int {
	control, _ := w.node.ReadFile(path.Join(s.data, "global/pg_control"))
	fmt.Fprintf(c.err, "LOG:  starting PostgreSQL %s\n", s.version)
	if firstLine(control) != pgShutDown {
		fmt.Fprintf(c.err, "LOG:  database system was not properly shut down; automatic recovery in progress\n")
		w.mu.Lock()
		takes := w.replay
		w.mu.Unlock()
		if code, over := w.waiting(c, s, takes); over {
			return code
		}
	}
	if err := errors.Join(w.node.disks.settlePath(s.ctx, s.data, true), w.write(s, "global/pg_control", pgInProduction+"\n"), w.say(s, pgReady)); err != nil {
		return c.pgFatal("could not write to file \"global/pg_control\": %v", err)
	}
	fmt.Fprintf(c.err, "LOG:  database system is ready to accept connections\n")
	w.tell(s, true)
	return 0
}

// waiting replays for a while; a signal or its end ends it before.
func (w *pgWorld) waiting(c *command, s *pgServer, takes time.Duration) (code int, over bool) {
	t := time.NewTimer(takes)
	defer t.Stop()
	select {
	case <-t.C:
		return 1, !w.lives(s)
	case <-s.signals:
		if w.lives(s) {
			w.cleanUp(s)
		}
		return 1, true
	case <-s.ctx.Done():
		return terminated, true
	}
}

// attendEvery is how often a server looks whether its process was ended by something else on the node.
const attendEvery = 2 * time.Second

// attend serves until the server is told to end.
func (w *pgWorld) attend(c *command, s *pgServer) int {
	look := time.NewTicker(attendEvery)
	defer look.Stop()
	for {
		signals, resumed := s.signals, w.hungUntil(s)
		if resumed != nil {
			signals = nil // they wait for it
		}
		select {
		case <-s.ctx.Done(): // by its unit: a fast shutdown; or the power has gone
			if w.node.Powered() && w.frozen(s.data) == nil && resumed == nil {
				w.shutDown(s)
			}
			return terminated
		case <-look.C:
			if !w.lives(s) {
				return 137
			}
		case <-resumed:
		case sig := <-signals:
			switch {
			case sig == "" && !w.lives(s):
				return 137
			case sig == "INT":
				return w.fast(c, s)
			case sig == "QUIT":
				w.cleanUp(s)
				return 0
			}
		}
	}
}

// fast is a shutdown with a checkpoint, for which a frozen disk lets it wait.
func (w *pgWorld) fast(c *command, s *pgServer) int {
	_ = w.say(s, pgStopping)
	for {
		thaw := w.frozen(s.data)
		if thaw == nil {
			w.shutDown(s)
			return 0
		}
		select {
		case <-thaw:
		case sig := <-s.signals:
			if !w.lives(s) {
				return 137
			}
			if sig == "QUIT" {
				w.cleanUp(s)
				return 0
			}
		case <-s.ctx.Done():
			return terminated
		}
	}
}

func (w *pgWorld) shutDown(s *pgServer) {
	_ = w.write(s, "global/pg_control", pgShutDown+"\n")
	w.cleanUp(s)
}

// cleanUp removes the lock file and the sockets, as a server does that ends by itself.
func (w *pgWorld) cleanUp(s *pgServer) {
	_ = w.node.fs.remove(path.Join(s.data, "postmaster.pid"), false)
	for _, dir := range s.sockets {
		_ = w.node.fs.remove(s.socket(dir), false)
		_ = w.node.fs.remove(s.socket(dir)+".lock", false)
	}
}

// frozen is closed when the disk under a path answers again; nil when it does.
func (w *pgWorld) frozen(p string) <-chan struct{} {
	w.node.fs.mu.Lock()
	m := w.node.fs.mountOf(p)
	w.node.fs.mu.Unlock()
	if m == nil || m.dev == nil {
		return nil
	}
	thaw, _ := w.node.disks.state(m.dev)
	return thaw
}

// kill ends the process at once, and lets the server notice.
func (w *pgWorld) kill(s *pgServer) {
	w.node.fs.mu.Lock()
	w.node.disks.end(s.pid)
	w.node.fs.mu.Unlock()
	w.hang(s, false)
	s.signal("")
}

// signal never waits: a server that has so many unread ones hangs.
func (s *pgServer) signal(name string) {
	select {
	case s.signals <- name:
	default:
	}
}

func (w *pgWorld) hang(s *pgServer, hang bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case hang && s.hung == nil:
		s.hung = make(chan struct{})
	case !hang && s.hung != nil:
		close(s.hung)
		s.hung = nil
	}
}

// hungUntil is closed when the server goes on; nil when it does not hang.
func (w *pgWorld) hungUntil(s *pgServer) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.hung
}

func (w *pgWorld) state(s *pgServer) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.status
}
