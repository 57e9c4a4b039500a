package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

func failover() Message {
	e := api.Event{Seq: 7, Event: policy.Event{At: time.Date(2026, 3, 1, 3, 14, 15, 0, time.UTC), Kind: "operation", Tag: "service/www", Node: "LK_P_B", Op: "op-3",
		Reason: kits.Why("op-began-failover", "service/www moves from LK_P_A to LK_P_B.\x1b[31m", "tag", "service/www")}}
	return origin{estate: "two", engineID: "e1", who: "root@bastion (412)", say: inEnglish}.compose("ops", "en", hierarchy.KindFailover, "warning", e)
}

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMessage(t *testing.T) {
	m := failover()
	if m.Title != "ferry two: failover, warning: service/www @ LK_P_B" || m.Text != "service/www moves from LK_P_A to LK_P_B.[31m" || m.ID != "e1-7-ops" {
		t.Errorf("got %+v", m)
	}
	ja := title("ja", m)
	if ja != "ferry two: フェイルオーバー, 警告: service/www @ LK_P_B" || asciiTitle(m) != m.Title {
		t.Errorf("got %q and %q", ja, asciiTitle(m))
	}
}

func TestExec(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	good := write(t, "good", "#!/bin/sh\n{ echo \"$1 $FERRY_EVENT $FERRY_SEVERITY $FERRY_ESTATE\"; cat; } >"+out+"\n", 0o755)
	n := hierarchy.Notify{Channel: hierarchy.NotifyExec, Command: []string{good, "two words"}}
	if err := try(t.Context(), n, senderOf(n, nil), failover()); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(out)
	first, doc, _ := strings.Cut(string(b), "\n")
	var m Message
	if err := json.Unmarshal([]byte(doc), &m); err != nil || first != "two words failover warning two" || m.Tag != "service/www" || m.Kind != "Notification" {
		t.Errorf("got %q, %+v (%v)", first, m, err)
	}
	for _, c := range []struct{ name, script, want string }{
		{"fails", "#!/bin/sh\nprintf 'no \\033[31mline\\n' >&2\nexit 3\n", "exit status 3: no [31mline"},
		{"does not read", "#!/bin/sh\nexec <&-\nexit 0\n", ""},
		{"hangs, with a child", "#!/bin/sh\nsleep 600 &\necho $! >" + out + "\nsleep 600\n", "no end within 1s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := hierarchy.Notify{Channel: hierarchy.NotifyExec, Timeout: 1, Command: []string{write(t, "page", c.script, 0o755)}}
			began := time.Now()
			err := try(t.Context(), n, senderOf(n, nil), failover())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
	pid, _ := os.ReadFile(out)
	if stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat"); err == nil && !strings.Contains(string(stat), ") Z ") {
		t.Errorf("the child of a program that was cut off still runs: %s", stat)
	}
}

func TestWebhook(t *testing.T) {
	type call struct{ sign, id, body string }
	calls := make(chan call, 10)
	status := http.StatusNoContent
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		calls <- call{r.Header.Get(SignatureHeader), r.Header.Get("Ferry-Id"), string(b)}
		if status == http.StatusFound {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		}
		w.WriteHeader(status)
		if status != http.StatusNoContent {
			fmt.Fprint(w, "go \x1b]0;away")
		}
	}))
	defer srv.Close()
	n := hierarchy.Notify{Channel: hierarchy.NotifyWebhook, URLFile: write(t, "url", srv.URL+"/s3cr3t\n", 0o600), SecretFile: write(t, "key", "k3y\n", 0o600)}
	if err := try(t.Context(), n, senderOf(n, nil), failover()); err != nil {
		t.Fatal(err)
	}
	got := <-calls
	var unix int64
	if _, err := fmt.Sscanf(got.sign, "t=%d,", &unix); err != nil || got.sign != Sign("k3y", time.Unix(unix, 0), []byte(got.body)) || time.Since(time.Unix(unix, 0)) > time.Minute {
		t.Errorf("signature %q does not fit", got.sign)
	}
	if want := "t=1,v1=d3d338a1af9802ff00e4f7ff8698cf111c7f617c23d0dec519f209a2030e2cd6"; Sign("k3y", time.Unix(1, 0), []byte("x")) != want || got.id != "e1-7-ops" {
		t.Errorf("another implementation signs as %s; id %q", want, got.id)
	}
	for code, want := range map[int]string{http.StatusInternalServerError: "500 Internal Server Error go ]0;away", http.StatusFound: "302 Found"} {
		status = code
		err := try(t.Context(), n, senderOf(n, nil), failover())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%d: got %v", code, err)
		}
	}
	srv.Close()
	if err := try(t.Context(), n, senderOf(n, nil), failover()); err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("nobody there: got %v", err)
	}
	n.SecretFile = write(t, "open", "k3y", 0o644)
	if err := try(t.Context(), n, senderOf(n, nil), failover()); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("an open secret: got %v", err)
	}
}

// smtpd is a mail server that takes one mail per connection, or refuses its recipients.
func smtpd(t *testing.T, refuse bool) (address string, mails <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go talk(c, refuse, got)
		}
	}()
	return l.Addr().String(), got
}

func talk(c net.Conn, refuse bool, got chan<- string) {
	defer c.Close()
	in, mail, data := bufio.NewScanner(c), "", false
	say := func(s string) { fmt.Fprint(c, s+"\r\n") }
	say("220 test ESMTP")
	for in.Scan() {
		line := in.Text()
		switch verb := strings.ToUpper(strings.SplitN(line, " ", 2)[0]); {
		case data && line == ".":
			data = false
			got <- mail
			say("250 taken")
		case data:
			mail += line + "\n"
		case verb == "EHLO":
			say("250 test")
		case verb == "RCPT" && refuse:
			say("550 no such user")
		case verb == "DATA":
			data, mail = true, mail+"\n"
			say("354 go on")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			mail += line + "\n"
			say("250 ok")
		}
	}
}

func TestMail(t *testing.T) {
	at, mails := smtpd(t, false)
	n := hierarchy.Notify{Channel: hierarchy.NotifyMail, SMTP: at, TLS: "none", From: "ferry@example.com", To: []string{"a@example.com", "b@example.com"}, Language: "ja"}
	m := failover()
	m.Title = title("ja", m)
	if err := try(t.Context(), n, senderOf(n, nil), m); err != nil {
		t.Fatal(err)
	}
	got := <-mails
	for _, want := range []string{"MAIL FROM:<ferry@example.com>", "RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>", "Message-ID: <e1-7-ops@ferry>", "Subject:\n =?UTF-8?q?ferry_two", "Auto-Submitted: auto-generated", "operation: op-3"} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail has no %q:\n%s", want, got)
		}
	}
	n.TLS = "" // the server offers no TLS, so nothing may be sent in clear
	if err := try(t.Context(), n, senderOf(n, nil), m); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("without TLS: %v", err)
	}
	n.TLS = "none"
	n.SMTP, _ = smtpd(t, true)
	if err := try(t.Context(), n, senderOf(n, nil), m); err == nil || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("refused recipients: %v", err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	n.SMTP, n.Timeout = silent.Addr().String(), 1
	began := time.Now()
	if err := try(t.Context(), n, senderOf(n, nil), m); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("a silent server: %v after %s", err, time.Since(began))
	}
}

type topicStub struct{ topic, subject, text string }

func (s *topicStub) Publish(_ context.Context, topic, _, _, subject, text string) error {
	s.topic, s.subject, s.text = topic, subject, text
	return nil
}

func TestSNSGetsAnASCIISubject(t *testing.T) {
	n, s := hierarchy.Notify{Channel: hierarchy.NotifySNS, Topic: "arn:x"}, &topicStub{}
	m := failover()
	m.Title = title("ja", m)
	if err := try(t.Context(), n, senderOf(n, s), m); err != nil {
		t.Fatal(err)
	}
	if s.subject != "ferry two: failover, warning: service/www @ LK_P_B" || !strings.HasPrefix(s.text, m.Title) || s.topic != "arn:x" {
		t.Errorf("got %+v", s)
	}
	if err := try(t.Context(), n, senderOf(n, nil), m); err == nil {
		t.Error("without access to SNS nothing was wrong")
	}
}
