package notify

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// mailTo sends one mail to everybody on the list, over a connection of its own.
func mailTo(ctx context.Context, n hierarchy.Notify, m Message) error {
	msg, err := letter(n, m)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(n.SMTP)
	if err != nil {
		return fmt.Errorf("the mail server %q: %w", n.SMTP, err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("the mail server's port %q is no number", port)
	}
	opts := []mail.Option{mail.WithPort(number), mail.WithTimeout(timeoutOf(n))}
	switch n.TLS {
	case "tls":
		opts = append(opts, mail.WithSSL())
	case "none":
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if n.User != "" {
		password, err := secret(n.PasswordFile)
		if err != nil {
			return err
		}
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(n.User), mail.WithPassword(password))
	}
	c, err := mail.NewClient(host, opts...)
	if err != nil {
		return fmt.Errorf("the mail server %s: %w", n.SMTP, err)
	}
	if err := c.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("sending mail over %s: %w", n.SMTP, err)
	}
	return nil
}

// letter is the message as a mail. Its id is the message's, so that a mail program sees
// that a second one is the same.
func letter(n hierarchy.Notify, m Message) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := msg.From(n.From); err != nil {
		return nil, fmt.Errorf("the sender: %w", err)
	}
	if err := msg.To(n.To...); err != nil {
		return nil, fmt.Errorf("the addresses: %w", err)
	}
	msg.Subject(m.Title)
	msg.SetDateWithValue(m.At)
	msg.SetMessageIDWithValue(m.ID + "@ferry")
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Ferry-Event", m.Event)
	text := m.Text + "\n\n"
	for _, line := range [][2]string{{"estate", m.Estate}, {"at", m.At.Format(time.RFC3339)}, {"event", m.Event}, {"severity", m.Severity},
		{"resource", m.Tag}, {"server", m.Node}, {"operation", m.Op}, {"question", m.Question}, {"by", m.By}, {"engine", m.Engine}} {
		if line[1] != "" {
			text += fmt.Sprintf("%-10s %s\n", line[0]+":", clean(line[1], 200))
		}
	}
	msg.SetBodyString(mail.TypeTextPlain, text)
	return msg, nil
}
