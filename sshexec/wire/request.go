package wire

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// ErrRequest says that what arrived is not a request of this version.
var ErrRequest = errors.New("not a ferry request")

const maxHeader = 4 << 20

// ReadRequest reads the next request that Shell wrote, skipping everything before it (the prelude). It is what a
// simulated node uses instead of a shell. At the end of the stream the error is io.EOF.
func ReadRequest(r *bufio.Reader) (Request, error) {
	line, err := skipTo(r, headMark)
	if err != nil {
		return Request{}, err
	}
	var h header
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "#ferry1 ")), &h); err != nil {
		return Request{}, fmt.Errorf("%w: header: %v", ErrRequest, err)
	}
	req := Request{Nonce: h.Nonce}
	if !valid.nonce.MatchString(h.Nonce) || len(h.Jobs) > MaxJobs {
		return Request{}, fmt.Errorf("%w: header names no nonce or too many jobs", ErrRequest)
	}
	for _, jh := range h.Jobs {
		j, err := jh.read(r)
		if err != nil {
			return Request{}, fmt.Errorf("job %q: %w", jh.ID, err)
		}
		req.Jobs = append(req.Jobs, j)
	}
	if _, err := skipTo(r, endMark+h.Nonce); err != nil {
		return Request{}, fmt.Errorf("%w: no end: %v", ErrRequest, err)
	}
	if err := req.Validate(); err != nil {
		return Request{}, fmt.Errorf("%w: %v", ErrRequest, err)
	}
	return req, nil
}

// read takes a job's script and input from the shell text that follows the header.
func (h jobHeader) read(r *bufio.Reader) (Job, error) {
	j := Job{
		ID: h.ID, Name: h.Name, Verb: h.Verb, Deadline: time.Duration(h.Deadline) * time.Millisecond,
		MaxOutput: h.MaxOutput, Guard: h.Guard, Beat: h.Beat,
	}
	j.Deadline, j.MaxOutput = j.Timeout(), j.Limit()
	for _, a := range h.Args {
		j.Args = append(j.Args, string(a))
	}
	if h.Deadline > MaxDeadline.Milliseconds() {
		return j, fmt.Errorf("%w: deadline out of range", ErrRequest)
	}
	quoted, err := exactly(r, bodyMark, h.Body, 4*MaxText+2)
	if err != nil {
		return j, err
	}
	body, ok := unquote(quoted)
	if !ok {
		return j, fmt.Errorf("%w: the script is not quoted", ErrRequest)
	}
	if h.Verb == VerbScript {
		j.Body = body
	}
	if h.Stdin > 0 {
		text, err := exactly(r, "ferry_stdin ", h.Stdin, 2*MaxText)
		if err != nil {
			return j, err
		}
		if j.Stdin, err = base64.StdEncoding.DecodeString(text); err != nil {
			return j, fmt.Errorf("%w: input: %v", ErrRequest, err)
		}
	}
	return j, nil
}

// exactly finds the next line with the prefix and returns n bytes: of the rest of that line and more (scripts), or,
// for a here-document, of what follows the line.
func exactly(r *bufio.Reader, prefix string, n, most int) (string, error) {
	if n < 0 || n > most {
		return "", fmt.Errorf("%w: length %d out of range", ErrRequest, n)
	}
	for {
		if start, err := r.Peek(len(prefix)); err != nil {
			return "", fmt.Errorf("%w: %v", ErrRequest, err)
		} else if string(start) == prefix {
			break
		}
		if _, err := readLine(r, maxHeader); err != nil {
			return "", fmt.Errorf("%w: %v", ErrRequest, err)
		}
	}
	if prefix == bodyMark {
		_, _ = r.Discard(len(prefix))
	} else if _, err := readLine(r, maxHeader); err != nil {
		return "", fmt.Errorf("%w: %v", ErrRequest, err)
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(r, buf); err != nil {
		return "", fmt.Errorf("%w: %v", ErrRequest, err)
	}
	return string(buf), nil
}

// skipTo reads lines until one starts with the prefix and returns it without its end.
func skipTo(r *bufio.Reader, prefix string) (string, error) {
	for {
		line, err := readLine(r, maxHeader)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(line, prefix) {
			return line, nil
		}
	}
}

// readLine reads one line of at most limit bytes, without its newline. A last line without one is io.EOF.
func readLine(r *bufio.Reader, limit int) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return string(line[:len(line)-1]), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		case len(line) > limit:
			return "", fmt.Errorf("%w: a line is longer than %d bytes", ErrRequest, limit)
		}
	}
}
