package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Watch implements Service. The channel is closed when ctx ends, when the engine goes
// away, and when it has been silent for three of its beats.
func (c *Client) Watch(ctx context.Context, after int64) (<-chan Update, error) {
	ctx, cancel := context.WithCancel(ctx)
	// The request must begin in bounded time but may then last for ever.
	dog := time.AfterFunc(c.silence, cancel)
	r, err := c.send(ctx, http.MethodGet, "watch?after="+strconv.FormatInt(after, 10), nil)
	if err != nil {
		dog.Stop()
		cancel()
		return nil, err
	}
	out := make(chan Update, 16)
	go func() {
		defer close(out)
		defer cancel()
		defer dog.Stop()
		defer r.Body.Close()
		c.follow(ctx, dog, r.Body, out)
	}()
	return out, nil
}

// follow reads lines until the stream ends. A consumer that is slow is no silence.
func (c *Client) follow(ctx context.Context, dog *time.Timer, body io.Reader, out chan<- Update) {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 16<<10), maxLarge)
	for lines.Scan() {
		dog.Stop()
		if len(lines.Bytes()) > 0 {
			var u Update
			if json.Unmarshal(lines.Bytes(), &u) != nil {
				return
			}
			select {
			case out <- u:
			case <-ctx.Done():
				return
			}
		}
		dog.Reset(c.silence)
	}
}
