package sshexec

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

const (
	copyPart     = 512 << 10        // bytes per request: two of them fill a round trip across regions
	copyDeadline = 60 * time.Second // per part
	copyIdle     = 30 * time.Second // how long the connection for copies is kept
)

// Put copies what r gives to an absolute path on the node, over a connection of its own. The file appears at once and
// whole: it is written beside its place, its checksum compared, flushed and renamed. limit bounds its size in bytes.
// It is not guarded by the epoch; a copy that must be is a guarded job with the content on its stdin.
func (n *Node) Put(ctx context.Context, path string, r io.Reader, mode fs.FileMode, limit int64) error {
	if !strings.HasPrefix(path, "/") {
		return &Error{Kind: Invalid, Node: n.name, Op: "put", Err: fmt.Errorf("path %q is not absolute", path)}
	}
	defer n.idle.use(n)()
	id := wire.NewNonce()[:12]
	err := n.put(ctx, path, id, r, mode, limit)
	if err != nil {
		// What was written so far is of no use. The caller's time may be over, so this has its own.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.pool.opts.Slack)
		defer cancel()
		_, _ = n.copyJob(clean, "put", wire.Job{Verb: wire.VerbDrop, Args: []string{path, id}})
	}
	return err
}

func (n *Node) put(ctx context.Context, path, id string, r io.Reader, mode fs.FileMode, limit int64) error {
	sum := sha256.New()
	part, next := make([]byte, copyPart), make([]byte, copyPart)
	size, err := io.ReadFull(r, part)
	for offset := int64(0); ; {
		last := err != nil
		if last && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return &Error{Kind: Invalid, Node: n.name, Op: "put", Err: fmt.Errorf("reading what to copy to %s: %w", path, err)}
		}
		if offset+int64(size) > limit {
			return &Error{Kind: Failed, Node: n.name, Op: "put", Err: fmt.Errorf("%s would be larger than %d bytes", path, limit)}
		}
		sum.Write(part[:size])
		following := 0
		if !last { // a part is the last one only when nothing follows it
			following, err = io.ReadFull(r, next)
			last = following == 0 && errors.Is(err, io.EOF)
		}
		args := []string{path, id, strconv.FormatInt(offset, 10), flag(last), fmt.Sprintf("%04o", mode.Perm()), hex.EncodeToString(sum.Sum(nil))}
		if _, err := n.copyJob(ctx, "put", wire.Job{Verb: wire.VerbPut, Args: args, Stdin: part[:size]}); err != nil {
			return err
		}
		if last {
			return nil
		}
		offset += int64(size)
		part, next, size = next, part, following
	}
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// Get copies a file from the node to w and returns its mode. The checksum is compared at the end: on an error what w
// got is worth nothing. A file larger than limit bytes is refused before anything is copied.
func (n *Node) Get(ctx context.Context, path string, w io.Writer, limit int64) (fs.FileMode, error) {
	defer n.idle.use(n)()
	sum, size, mode, err := n.sum(ctx, path)
	if err != nil {
		return 0, err
	}
	if size > limit {
		return 0, &Error{Kind: Failed, Node: n.name, Op: "get", Err: fmt.Errorf("%s has %d bytes, more than %d", path, size, limit)}
	}
	got := sha256.New()
	for offset := int64(0); offset < size; {
		args := []string{path, strconv.FormatInt(offset, 10), strconv.Itoa(copyPart)}
		f, err := n.copyJob(ctx, "get", wire.Job{Verb: wire.VerbGet, Args: args, MaxOutput: copyPart})
		if err != nil {
			return 0, err
		}
		if len(f.Stdout) == 0 {
			break // it became shorter; the checksum says so
		}
		got.Write(f.Stdout)
		if _, err := w.Write(f.Stdout); err != nil {
			return 0, &Error{Kind: Invalid, Node: n.name, Op: "get", Err: fmt.Errorf("writing what was copied from %s: %w", path, err)}
		}
		offset += int64(len(f.Stdout))
	}
	if hex.EncodeToString(got.Sum(nil)) != sum {
		return 0, &Error{Kind: Failed, Node: n.name, Op: "get", Err: fmt.Errorf("%s changed while it was copied", path), Hint: "try again"}
	}
	return mode, nil
}

func (n *Node) sum(ctx context.Context, path string) (sum string, size int64, mode fs.FileMode, err error) {
	f, err := n.copyJob(ctx, "get", wire.Job{Verb: wire.VerbSum, Args: []string{path}})
	if err != nil {
		return "", 0, 0, err
	}
	w := bytes.Fields(f.Stdout)
	if len(w) == 3 {
		bits, err1 := strconv.ParseUint(string(w[2]), 8, 12)
		bytes, err2 := strconv.ParseInt(string(w[1]), 10, 64)
		if err1 == nil && err2 == nil {
			return string(w[0]), bytes, fs.FileMode(bits).Perm(), nil
		}
	}
	return "", 0, 0, &Error{Kind: Failed, Node: n.name, Op: "get", Err: fmt.Errorf("cannot read the checksum of %s: %q", path, Clean(f.Stdout, 100))}
}

// copyJob runs one job on the connection for copies; other than 0 is an error here.
func (n *Node) copyJob(ctx context.Context, op string, j wire.Job) (wire.Frame, error) {
	j.ID, j.Deadline = "copy", copyDeadline
	return n.verb(ctx, op, &n.copies, &n.bulk, j)
}

// verb runs a job of ours whose failure is an error.
func (n *Node) verb(ctx context.Context, op string, slot *shared[*shell], over *link, j wire.Job) (wire.Frame, error) {
	frames, err := n.exchange(ctx, op, slot, over, []wire.Job{j}, nil)
	f, ok := frames[j.ID]
	if !ok {
		return f, err
	}
	if f.Status == wire.Deadline {
		return f, &Error{Kind: Deadline, Node: n.name, Op: op, Sent: true, Err: fmt.Errorf("not done within %s", j.Timeout())}
	}
	if !f.OK() {
		return f, &Error{Kind: Failed, Node: n.name, Op: op, Err: errors.New(first(Clean(f.Stderr, 500), fmt.Sprintf("exit code %d", f.Exit)))}
	}
	return f, nil
}

// idler closes the connection for copies some time after the last one.
type idler struct {
	mu    sync.Mutex
	users int
	timer *time.Timer
}

// use counts a copy; call what it returns when the copy is over.
func (i *idler) use(n *Node) (over func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.users++; i.timer != nil {
		i.timer.Stop()
	}
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.users--; i.users == 0 {
			i.timer = time.AfterFunc(copyIdle, func() { i.rest(n) })
		}
	}
}

func (i *idler) rest(n *Node) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if c, ok := n.bulk.peek(); ok && i.users == 0 {
		c.lose(errors.New("no copies for a while"))
	}
}
