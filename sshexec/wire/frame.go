package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Status says how a job ended on the node.
type Status string

// The statuses. After Refused, Locked and Error nothing of the script was run.
const (
	Done     Status = "done"     // it ended by itself; Exit is its exit code
	Deadline Status = "deadline" // it was cut off at its deadline
	Ended    Status = "ended"    // its unit was ended on request
	Refused  Status = "refused"  // the node has another leader (Exit 77); Stderr says who
	Locked   Status = "locked"   // another unit holds the lock (Exit 75); Stderr says which
	Lost     Status = "lost"     // its unit was killed from outside; what it did is unknown
	Error    Status = "error"    // the node could not run it; Stderr says why
)

// Frame is the result of one job.
type Frame struct {
	ID             string
	Status         Status
	Exit           int // 0 to 255
	Stdout, Stderr []byte
	Truncated      bool          // there was more output than the job's bound
	Duration       time.Duration // as the node measured it, to 10 ms
}

// OK reports whether the script ran to its end and said 0.
func (f Frame) OK() bool { return f.Status == Done && f.Exit == 0 }

// ErrFrame says that a stream is no longer in step: the channel has to be given up.
var ErrFrame = errors.New("broken frame")

// WriteFrame writes the answer to a job of the request with the nonce.
func WriteFrame(w io.Writer, nonce string, f Frame) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n#ferry1 frame %s %s %s %d %d", nonce, f.ID, f.Status, f.Exit, f.Duration.Milliseconds())
	if f.Truncated {
		b.WriteString(" cut")
	}
	b.WriteByte('\n')
	b.Write(f.Stdout)
	b.WriteString(separator("err", nonce))
	b.Write(f.Stderr)
	b.WriteString(separator("end", nonce))
	_, err := w.Write(b.Bytes())
	return err
}

func separator(word, nonce string) string { return "\n#ferry1 " + word + " " + nonce + "\n" }

// ReadFrame reads the next frame of a request that is waited for. Several requests may be under way on a
// channel: want tells whether the nonce and id are expected, and the bound on each stream. Everything that is not such
// a frame is skipped, so output that looks like a frame is only output. r's buffer must be 512 bytes or more: a
// header has to fit.
func ReadFrame(r *bufio.Reader, want func(nonce, id string) (limit int, ok bool)) (nonce string, f Frame, err error) {
	for {
		line, err := noise(r)
		if err != nil {
			return "", Frame{}, err
		}
		nonce, f, ok := parseHead(line)
		if !ok {
			continue
		}
		limit, ok := want(nonce, f.ID)
		if !ok {
			continue
		}
		var cutOut, cutErr bool
		if f.Stdout, cutOut, err = until(r, separator("err", nonce), limit); err != nil {
			return nonce, f, err
		}
		if f.Stderr, cutErr, err = until(r, separator("end", nonce), limit); err != nil {
			return nonce, f, err
		}
		f.Truncated = f.Truncated || cutOut || cutErr
		return nonce, f, nil
	}
}

// noise reads a line that may be anything; of an overlong one only the rest of the buffer is looked at.
func noise(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", nil
	}
	return strings.TrimSuffix(string(line), "\n"), err
}

func parseHead(line string) (nonce string, f Frame, ok bool) {
	w := strings.Split(line, " ")
	if len(w) < 7 || len(w) > 8 || w[0] != "#ferry1" || w[1] != "frame" || !valid.nonce.MatchString(w[2]) || !valid.id.MatchString(w[3]) {
		return "", Frame{}, false
	}
	exit, err1 := strconv.ParseUint(w[5], 10, 8)
	ms, err2 := strconv.ParseUint(w[6], 10, 40)
	f = Frame{ID: w[3], Status: Status(w[4]), Exit: int(exit), Duration: time.Duration(ms) * time.Millisecond}
	if len(w) == 8 {
		f.Truncated = w[7] == "cut"
	}
	return w[2], f, err1 == nil && err2 == nil && f.Status.known()
}

func (s Status) known() bool {
	switch s {
	case Done, Deadline, Ended, Refused, Locked, Lost, Error:
		return true
	}
	return false
}

// block is how much more than its bound a node may send of a stream, to say that there was more.
const block = 512

// until reads up to the separator.
func until(r *bufio.Reader, sep string, limit int) (text []byte, cut bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if text = append(text, part...); len(text) > limit+block+len(sep) {
			return nil, false, fmt.Errorf("%w: more output than its bound of %d bytes", ErrFrame, limit)
		}
		if bytes.HasSuffix(text, []byte(sep)) {
			text = text[:len(text)-len(sep)]
			return text[:min(len(text), limit)], len(text) > limit, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, false, fmt.Errorf("%w: the stream ended inside it: %w", ErrFrame, err)
		}
	}
}
