package e2e

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui"
	"github.com/ferry-ha/ferry/tui/serve"
	"github.com/ferry-ha/ferry/tui/text"
)

// served is the estate with the console offered over SSH, in real time.
type served struct {
	world
	t    *testing.T
	dir  string
	port string
}

// serveWorld lets anna (administrator), ben (operator) and gus (guest) come.
func serveWorld(t *testing.T) *served {
	t.Helper()
	needs(t, "ssh")
	w := bring(t, nil)
	t.Cleanup(w.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := &served{world: w, t: t, dir: t.TempDir(), port: port}
	people := map[string]api.Caller{}
	for who, role := range map[string]api.Role{"anna": api.Administrator, "ben": api.Operator, "gus": api.Guest} {
		people[string(s.key(who).Marshal())] = api.Caller{Who: who, Role: role}
	}
	host, _, err := serve.HostKey(filepath.Join(s.dir, "host"))
	if err != nil {
		t.Fatal(err)
	}
	known := fmt.Sprintf("[127.0.0.1]:%s %s", port, gossh.MarshalAuthorizedKey(host.PublicKey()))
	if err := os.WriteFile(filepath.Join(s.dir, "known"), []byte(known), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- serve.Serve(ctx, serve.Options{Listener: l, Keys: []gossh.Signer{host}, Log: slog.New(slog.DiscardHandler),
			Who: func(k gossh.PublicKey) (api.Caller, bool) { c, ok := people[string(k.Marshal())]; return c, ok },
			Open: func(who api.Caller, getenv func(string) string) (tui.Options, error) {
				return tui.Options{Kits: w.Kits(), Lang: text.Detect(getenv), Desks: []tui.Desk{w.desk(who.Who, who.Role)}}, nil
			}})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// key makes a person's key pair.
func (s *served) key(who string) gossh.PublicKey {
	s.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	block, err := gossh.MarshalPrivateKey(private, who)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, who), pem.EncodeToMemory(block), 0o600); err != nil {
		s.t.Fatal(err)
	}
	key, err := gossh.NewPublicKey(public)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

// ssh is the client's command line for a person.
func (s *served) ssh(who, more string) string {
	return fmt.Sprintf("ssh -F none -t -p %s -i %s/%s -o IdentitiesOnly=yes -o UserKnownHostsFile=%s/known -o StrictHostKeyChecking=yes 127.0.0.1 %s", s.port, s.dir, who, s.dir, more)
}

// Two people over the real ssh client: the same question on both screens, the first
// answer wins, the second is told by whom. A guest may look on.
func TestTmuxTwoPeopleOverSSH(t *testing.T) {
	t.Parallel()
	s := serveWorld(t)
	s.settled("LK_P_A")
	anna, ben, gus := newPane(t, 80, 24, s.ssh("anna", "")), newPane(t, 120, 40, s.ssh("ben", "")), newPane(t, 80, 24, s.ssh("gus", ""))
	anna.see("administrator", "ISP")
	ben.see("operator", "ISP")
	gus.see("READ-ONLY", "ISP")
	gus.press("Right", "i")
	gus.see("read-only")
	s.toggle("power/LK_P_A")
	s.serves("LK_P_B")
	s.settled("LK_P_B") // a node that dies in the last check of a move is asked about minutes later
	s.toggle("power/LK_P_B")
	for _, p := range []*pane{anna, ben, gus} {
		p.see("Question", "NOT PROVEN DEAD")
	}
	ben.choose("o", "Type the node's name")
	ben.write("LK_")
	anna.choose("o", "Type the node's name")
	anna.write("LK_P_B")
	anna.press("Enter")
	anna.see("Type the name of the region")
	anna.write("ap-southeast-1")
	anna.press("Enter")
	for _, p := range []*pane{anna, ben, gus} {
		p.see("Answered: it is off", "by anna")
	}
	s.serves("LK_S_A")
	anna.press("C-c")
	anna.see("ended with 0")
	ben.run("kill-server") // the client goes away without a word
	for end := time.Now().Add(realPatience); s.Probe().Node != "LK_S_A"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a client that went away hurt the service")
		}
	}
}

func TestTmuxNoCommandOverSSH(t *testing.T) {
	t.Parallel()
	s := serveWorld(t)
	p := newPane(t, 100, 24, s.ssh("anna", "id"))
	p.see("runs no commands", "ended with 1")
}
