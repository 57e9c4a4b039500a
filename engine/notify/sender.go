package notify

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Publisher hands a message to an SNS topic; kits/awscloud satisfies it.
type Publisher interface {
	Publish(ctx context.Context, topic, profile, endpoint, subject, text string) error
}

// sender delivers one message over one channel. It is called from one goroutine at a
// time and gives up when ctx ends.
type sender func(ctx context.Context, m Message) error

// defaultTimeout bounds one try where the definition says nothing.
const defaultTimeout = 10 * time.Second

func timeoutOf(n hierarchy.Notify) time.Duration {
	if n.Timeout > 0 {
		return time.Duration(n.Timeout) * time.Second
	}
	return defaultTimeout
}

// senderOf is the way a channel is served.
func senderOf(n hierarchy.Notify, sns Publisher) sender {
	switch n.Channel {
	case hierarchy.NotifyExec:
		return func(ctx context.Context, m Message) error { return run(ctx, n.Command, m) }
	case hierarchy.NotifyWebhook:
		return func(ctx context.Context, m Message) error { return post(ctx, n, m) }
	case hierarchy.NotifyMail:
		return func(ctx context.Context, m Message) error { return mailTo(ctx, n, m) }
	case hierarchy.NotifySNS:
		return func(ctx context.Context, m Message) error {
			if sns == nil {
				return fmt.Errorf("this engine has no access to SNS")
			}
			return sns.Publish(ctx, n.Topic, n.Profile, n.Endpoint, asciiTitle(m), m.Title+"\n\n"+m.Text)
		}
	}
	return func(context.Context, Message) error { return fmt.Errorf("there is no channel %q", n.Channel) }
}

// asciiTitle is the message's title as SNS takes a subject: ASCII, at most 100 characters.
func asciiTitle(m Message) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, title("en", m))
	return s[:min(len(s), 100)]
}

// try delivers once, within the channel's timeout.
func try(ctx context.Context, n hierarchy.Notify, send sender, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, timeoutOf(n))
	defer cancel()
	err := send(ctx, m)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("no end within %s: %w", timeoutOf(n), err)
	}
	return err
}

// maxSecret bounds what is read from a secret's file, in bytes.
const maxSecret = 8 << 10

// secret reads a secret's file: its text without the line break at the end. A file that
// everybody may read, or others than its owner may write, is refused.
func secret(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("reading the secret: %w", err)
	}
	if st.Mode().Perm()&0o027 != 0 {
		return "", fmt.Errorf("the file %s is open to others (mode %04o): chmod 600 %s", path, st.Mode().Perm(), path)
	}
	if st.Size() > maxSecret || !st.Mode().IsRegular() {
		return "", fmt.Errorf("the file %s holds no secret: it is no plain file of at most %d bytes", path, maxSecret)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the secret: %w", err)
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return "", fmt.Errorf("the file %s is empty", path)
	}
	return s, nil
}

// body is the message as JSON.
func body(m Message) ([]byte, error) { return api.Marshal(m) }
