package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"charm.land/ssh"
	"charm.land/wish/v2"
	"github.com/charmbracelet/colorprofile"
	gossh "golang.org/x/crypto/ssh"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui"
)

// Why sessions end that nobody left.
var (
	errIdle   = errors.New("nothing was typed for too long")
	errSilent = errors.New("the client did not answer any more")
	errStops  = errors.New("the server stops")
	errGone   = errors.New("your key is not known here any more")
	errRole   = errors.New("what you may do here has changed; connect again")
)

// session is one console, from its beginning to its end.
func (s *server) session(sess ssh.Session) {
	who, ok := s.opts.Who(sess.PublicKey())
	if !ok || who.Role == api.Nobody {
		s.refuse(sess, "your key is not known here any more")
		return
	}
	log := s.opts.Log.With("who", who.Who, "role", who.Role.String(), "from", sess.RemoteAddr().String())
	if sess.RawCommand() != "" {
		log.Warn("a command was refused")
		s.refuse(sess, "this is a console and runs no commands; connect without one (ssh -t HOST)")
		return
	}
	pty, windows, ok := sess.Pty()
	if !ok {
		s.refuse(sess, "the console needs a terminal; connect with ssh -t")
		return
	}
	if err := s.enter(who.Who); err != nil {
		log.Warn("a session was refused", "error", err)
		s.refuse(sess, err.Error())
		return
	}
	defer s.leave(who.Who)
	log.Info("session began")
	began := time.Now()
	err := s.show(sess, who, pty, windows)
	log.Info("session ended", "after", time.Since(began).Round(time.Second), "error", err)
	if err != nil {
		s.refuse(sess, "the console ended: "+err.Error())
	}
}

// refuse says why on the client's stderr, and ends the session.
func (s *server) refuse(sess ssh.Session, why string) {
	wish.Errorf(sess, "ferry: %s\r\n", why)
	_ = sess.Exit(1)
}

// show runs the console. The error says why it ended when the person did not leave.
func (s *server) show(sess ssh.Session, who api.Caller, pty ssh.Pty, windows <-chan ssh.Window) error {
	ctx, cancel := context.WithCancelCause(sess.Context())
	defer cancel(nil)
	defer context.AfterFunc(s.life, func() { cancel(errStops) })()
	env := environment(sess.Environ(), pty.Term)
	o, err := s.opts.Open(who, lookup(env))
	if err != nil {
		return err
	}
	in := &typed{r: sess}
	in.at.Store(time.Now().UnixNano())
	o.In, o.Out, o.Served = in, sess, true
	o.Env, o.Colors = env, colorprofile.Env(env)
	size := clamp(pty.Window)
	o.Width, o.Height, o.Resized = size.W, size.H, sizes(ctx, windows)
	o.ReadOnly = o.ReadOnly || who.Role < api.Operator
	go s.idle(ctx, cancel, in)
	go alive(ctx, cancel, sess)
	go s.still(ctx, cancel, sess.PublicKey(), who)
	if err = s.opts.run(ctx, o); err != nil {
		return err
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// idle ends a session in which nothing is typed.
func (s *server) idle(ctx context.Context, end context.CancelCauseFunc, in *typed) {
	if s.opts.Idle < 0 {
		return
	}
	for {
		left := s.opts.Idle - time.Since(time.Unix(0, in.at.Load()))
		if left <= 0 {
			end(fmt.Errorf("%w (%s)", errIdle, s.opts.Idle))
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(left):
		}
	}
}

// still ends a session whose person may not come any more, or may now do something else:
// a role that was given at the login must not outlive its taking away. It has to be told
// twice in a row, for a file may be read while somebody writes it.
func (s *server) still(ctx context.Context, end context.CancelCauseFunc, key gossh.PublicKey, who api.Caller) {
	if s.opts.Still == nil {
		return
	}
	tick := time.NewTicker(s.opts.Recheck)
	defer tick.Stop()
	for told := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		why := s.changed(key, who)
		if told && why != nil {
			end(why)
			return
		}
		told = why != nil
	}
}

// changed says why the person may not go on; nil = they may, or it is not known now, which
// is no reason to throw anybody out.
func (s *server) changed(key gossh.PublicKey, who api.Caller) error {
	switch now, known, err := s.opts.Still(key); {
	case err != nil || now == who && known:
		return nil
	case !known || now.Role == api.Nobody || now.Who != who.Who:
		return errGone
	}
	return errRole
}

// alive asks the client now and then whether it is still there.
func alive(ctx context.Context, end context.CancelCauseFunc, sess ssh.Session) {
	conn, ok := sess.Context().Value(ssh.ContextKeyConn).(gossh.Conn)
	if !ok {
		return
	}
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := conn.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		select {
		case <-ctx.Done():
			return
		case err := <-answered:
			if err == nil {
				continue
			}
		case <-time.After(aliveWithin):
		}
		end(errSilent)
		_ = conn.Close() // the write that may wait for it ends, too
		return
	}
}

// The pace at which input is taken: so much at once, so much a second. A person who
// pastes stays below it.
const (
	burst     = 64 << 10
	perSecond = 16 << 10
)

// typed is what the person types: when the last of it came is remembered, and more than
// the pace is held back, which the SSH window then does to the client.
type typed struct {
	r      interface{ Read([]byte) (int, error) }
	at     atomic.Int64 // unix nanoseconds
	budget float64
	last   time.Time
}

// Read implements io.Reader, for one goroutine.
func (t *typed) Read(p []byte) (int, error) {
	n, err := t.r.Read(p[:min(len(p), 4<<10)])
	if n == 0 {
		return n, err
	}
	now := time.Now()
	t.at.Store(now.UnixNano())
	if t.last.IsZero() {
		t.budget = burst
	}
	t.budget = min(burst, t.budget+now.Sub(t.last).Seconds()*perSecond) - float64(n)
	t.last = now
	if t.budget < 0 {
		time.Sleep(time.Duration(-t.budget / perSecond * float64(time.Second)))
	}
	return n, err
}

// The largest screen that is drawn, whatever a client claims.
const maxW, maxH = 1000, 400

func clamp(w ssh.Window) tui.Size {
	return tui.Size{W: min(max(w.Width, 1), maxW), H: min(max(w.Height, 1), maxH)}
}

// sizes passes new sizes on, the last one when they come faster than they are drawn. It
// must take every one: the session's other requests wait until it did.
func sizes(ctx context.Context, windows <-chan ssh.Window) <-chan tui.Size {
	out := make(chan tui.Size, 1)
	go func() {
		for w := range windows {
			select {
			case <-out:
			default:
			}
			select {
			case out <- clamp(w):
			case <-ctx.Done():
			}
		}
	}()
	return out
}

// passed are the client's variables that the console looks at.
func passed() []string {
	return []string{"LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "COLORTERM", "NO_COLOR", "TERM_PROGRAM"}
}

// environment is what the client sent of those, and its terminal's kind.
func environment(sent []string, term string) []string {
	out := []string{"TERM=" + plain(term)}
	for _, kv := range sent {
		name, value, _ := strings.Cut(kv, "=")
		if slices.Contains(passed(), name) {
			out = append(out, name+"="+plain(value))
		}
	}
	return out
}

// lookup reads such a list.
func lookup(env []string) func(string) string {
	return func(name string) string {
		for _, kv := range env {
			if v, ok := strings.CutPrefix(kv, name+"="); ok {
				return v
			}
		}
		return ""
	}
}

// plain is a value without anything that a value has no need of.
func plain(s string) string {
	ok := strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return -1
	}, s)
	return ok[:min(len(ok), 64)]
}
