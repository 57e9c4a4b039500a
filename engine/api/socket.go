package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// socket is a listening socket with the lock that makes it ours alone.
type socket struct {
	path     string
	listener net.Listener
	unlock   func()
	once     sync.Once
}

// maxSocketPath is the shortest limit that a system puts on a socket's path.
const maxSocketPath = 103

// takeSocket locks the path, removes what a dead engine left there, and listens.
func takeSocket(ctx context.Context, o Options) (*socket, error) {
	path := o.Socket
	if len(path) > maxSocketPath {
		return nil, &Error{Kind: KindConfig, Message: fmt.Sprintf("the socket's path %s is longer than %d bytes", path, maxSocketPath),
			Hint: "choose a shorter one with " + SocketEnv}
	}
	if err := makeSocketDir(filepath.Dir(path)); err != nil {
		return nil, cannotListen(path, err)
	}
	unlock, err := lockPath(path + ".lock")
	if errors.Is(err, errHeld) {
		return nil, inUse(ctx, path)
	}
	if err != nil {
		return nil, cannotListen(path, err)
	}
	l, err := listen(ctx, path)
	if err != nil {
		unlock()
		return nil, err
	}
	s := &socket{path: path, listener: l, unlock: unlock}
	if err := o.open(path); err != nil {
		_ = s.close()
		return nil, cannotListen(path, err)
	}
	return s, nil
}

// listen binds the path. A file that is there was left by an engine that is dead,
// since we hold its lock; still it is only removed when it is a socket and nothing
// answers on it.
func listen(ctx context.Context, path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&fs.ModeSocket == 0 {
			return nil, &Error{Kind: KindConfig, Message: path + " is in the way: it is not a socket", Hint: "move it away, or choose another path with " + SocketEnv}
		}
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = c.Close()
			return nil, inUse(ctx, path)
		}
		if err := os.Remove(path); err != nil {
			return nil, cannotListen(path, err)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, cannotListen(path, err)
	}
	return l, nil
}

// open lets the group in. A user's own engine cannot give its socket away; then the
// user alone (and root) can use it.
func (o Options) open(path string) error {
	if gid, ok := o.Groups.socketGroup(); ok {
		if err := os.Chown(path, -1, gid); err != nil {
			o.Log.Debug("the socket stays with its own group", "socket", path, "error", err)
		}
	}
	return os.Chmod(path, 0o660)
}

// close stops listening, which removes the file, and gives the lock free.
func (s *socket) close() error {
	var err error
	s.once.Do(func() {
		if err = s.listener.Close(); errors.Is(err, net.ErrClosed) {
			err = nil
		}
		s.unlock()
	})
	return err
}

// makeSocketDir makes the directory: root's for everybody to pass through, a user's
// own for nobody else.
func makeSocketDir(dir string) error {
	mode := fs.FileMode(0o700)
	if os.Getuid() == 0 {
		mode = 0o755
	}
	return os.MkdirAll(dir, mode)
}

func cannotListen(path string, err error) *Error {
	kind, hint := KindFailed, "choose another path with "+SocketEnv
	if errors.Is(err, fs.ErrPermission) {
		kind = KindDenied
	}
	return &Error{Kind: kind, Message: fmt.Sprintf("cannot listen on %s: %v", path, err), Hint: hint}
}

// inUse names the engine that has the socket, as far as it answers.
func inUse(ctx context.Context, path string) *Error {
	who := "another engine"
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if c, err := Dial(ctx, path); err == nil {
		if snap, err := c.Snapshot(ctx); err == nil && snap.Engine.Who != "" {
			who = fmt.Sprintf("%s, since %s,", snap.Engine.Who, snap.Engine.Since.Format(time.DateTime))
		}
		_ = c.Close()
	}
	return &Error{Kind: KindBusy, Message: fmt.Sprintf("%s already answers on %s", who, path),
		Hint: "use that engine; commands find it by themselves"}
}
