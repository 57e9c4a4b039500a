package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/internal/lab/vpc"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/dnssim"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

const (
	exampleFile = "../../../examples/cross-region.toml"

	ec2Addr = "127.0.0.1:7443"
	r53Addr = "127.0.0.1:7444"
	dnsAddr = "127.0.0.1:53"   // in the client's namespace: its resolver's server
	vip     = "10.1.0.10:8080" // where clients find the service in the Primary Region
	farVIP  = "10.2.0.10:8080" // … in the Standby Region
)

// patience bounds one wait. Guests are slow when the machine is busy; what is
// waited for takes seconds on an idle one.
const patience = 5 * time.Minute

// topology is the lab's example with the interfaces that the estate's definition names.
func topology() lab.Topology {
	top := lab.FourNodes()
	e, err := config.LoadFile(exampleFile, registry())
	if err != nil {
		panic(err)
	}
	for i := range top.Guests {
		top.Guests[i].ENI = e.Server(top.Guests[i].Name).ENI
	}
	return top
}

// site is one estate on the lab with its engine.
type site struct {
	t       testing.TB
	l       *lab.Lab
	ec2     *ec2sim.Server
	route53 *r53sim.Server
	estate  *hierarchy.Estate
	account ec2sim.World
	dir     string
	file    string // the estate's TOML
	socket  string

	mu     sync.Mutex
	engine *exec.Cmd
	log    *syncBuffer
	client *api.Client
}

// newSite resets the lab and gives it EC2 and an estate; no engine runs yet.
func newSite(t testing.TB, change ...func(*hierarchy.Estate)) *site {
	t.Helper()
	return newSiteIn(remember(t), shared, change...)
}

// newSiteIn is newSite in another lab.
func newSiteIn(t testing.TB, in *lab.Shared, change ...func(*hierarchy.Estate)) *site {
	t.Helper()
	return newSiteOf(t, in, exampleFile, change...)
}

// newSiteOf is newSiteIn with another example.
func newSiteOf(t testing.TB, in *lab.Shared, file string, change ...func(*hierarchy.Estate)) *site {
	t.Helper()
	l := in.Lab(t)
	s := &site{t: t, l: l, dir: t.TempDir(), log: &syncBuffer{}}
	s.estate = load(t, file)
	s.account = sim.Cloud(s.estate) // with the VPN nodes; in a lab without them its peer link takes their place
	fit(l, s.estate)
	for _, f := range change {
		f(s.estate)
	}
	s.socket = filepath.Join(s.dir, "engine.sock")
	s.startEC2()
	s.startNames()
	s.file = filepath.Join(s.dir, "estate.toml")
	s.write()
	t.Cleanup(func() {
		s.stopEngine()
		if t.Failed() {
			t.Logf("engine:\n%s", s.log.tail(8000))
		}
	})
	return s
}

// running is newSite with the engine up, the estate applied and the service on LK_P_A.
func running(t testing.TB, change ...func(*hierarchy.Estate)) *site {
	t.Helper()
	s := newSite(t, change...)
	s.startEngine()
	s.must("apply", s.file, "--yes")
	s.until("all nodes alive", func(sn *api.Snapshot) bool { return allAlive(sn) && allKnown(sn) })
	s.move("LK_P_A")
	if got := s.ask(vip); got != "LK_P_A" {
		t.Fatalf("a client finds %q at %s after in-service, want LK_P_A", got, vip)
	}
	return s
}

func example(t testing.TB) *hierarchy.Estate { return load(t, exampleFile) }

func load(t testing.TB, file string) *hierarchy.Estate {
	t.Helper()
	e, err := config.LoadFile(file, registry())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fit makes the example's clusters the lab's, those whose servers it has.
func fit(l *lab.Lab, e *hierarchy.Estate) {
	keep := func(name string) bool {
		return slices.ContainsFunc(l.Guests(), func(g *lab.Guest) bool { return g.Name() == name })
	}
	e.Cluster = slices.DeleteFunc(e.Cluster, func(c hierarchy.Cluster) bool { return !keep(c.Servers[0]) })
	e.Res = slices.DeleteFunc(e.Res, func(r hierarchy.Resource) bool {
		return !slices.ContainsFunc(e.Cluster, func(c hierarchy.Cluster) bool { return c.Name == r.Cluster })
	})
	e.Servers = slices.DeleteFunc(e.Servers, func(s hierarchy.Server) bool { return !keep(s.Name) })
	e.Flags = slices.DeleteFunc(e.Flags, func(f hierarchy.Flag) bool { return !keep(f.Viewer) || !keep(f.Peer) })
	e.Paths = slices.DeleteFunc(e.Paths, func(p hierarchy.CommPath) bool { return !keep(p.From) || !keep(p.To) })
	files := l.SSHConfig()
	e.SSH = hierarchy.SSH{User: "ferry", Identity: files.Identity, KnownHosts: files.KnownHosts, Config: "none"}
	for i := range e.Regions {
		e.Regions[i].EndpointEC2, e.Regions[i].EndpointDNS = "http://"+ec2Addr, "http://"+r53Addr
		e.Regions[i].Profile = ""
	}
	for i := range e.Servers {
		s := &e.Servers[i]
		s.Address, s.Connect, s.Interface = l.Guest(s.Name).Addr().String(), "", lab.Interface
		s.SSH = hierarchy.SSH{}
		if s.Tuning == nil {
			s.Tuning = map[string]string{}
		}
		s.Tuning["LCMHBEATTIME"], s.Tuning["LCMNUMHBEATS"], s.Tuning["LKCHECKINTERVAL"] = "2", "3", "10"
		s.Tuning["ROUTE53_CHANGEID_INTERVAL"], s.Tuning["ROUTE53_CHANGEID_TRY_COUNT"] = "1", "20"
	}
	for i := range e.Res {
		r := &e.Res[i]
		for k := range r.On {
			delete(r.On[k].Attrs, "interface")
			delete(r.On[k].Attrs, "eni")
		}
		if r.Kit == "app" {
			r.Attrs = map[string]string{"start": wwwStart, "stop": wwwStop, "check": wwwCheck}
		}
	}
}

func (s *site) write() {
	if err := os.WriteFile(s.file, config.Export(s.estate, registry()), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// startEC2 serves the estate's account inside the engine's namespace; the routers follow its tables.
func (s *site) startEC2() {
	srv, err := ec2sim.New(s.account, ec2sim.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.ec2 = srv
	link, err := vpc.Follow(ctx(s.t), s.l, srv, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := link.Close(); err != nil {
			s.t.Errorf("the routers did not follow: %v", err)
		}
	})
	s.serve(ec2Addr, srv)
	s.t.Cleanup(srv.Close)
}

// startNames serves the account's hosted zones to the engine, and what name servers
// make of them to the client in the Primary Region.
func (s *site) startNames() {
	zones, err := r53sim.New(sim.DNS(s.estate), r53sim.Options{SyncLag: 2 * time.Second})
	if err != nil {
		s.t.Fatal(err)
	}
	s.route53 = zones
	s.serve(r53Addr, zones)
	ns := dnssim.New(zones, dnssim.Options{})
	if err := s.l.InNetNS(lab.ClientNS(s.estate.Regions[0].Name), func() error { return ns.Listen(dnsAddr) }); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			s.t.Error(err)
		}
		zones.Close()
	})
}

// serve answers on an address of the engine's namespace until the test ends.
func (s *site) serve(addr string, h http.Handler) {
	ln, err := s.l.Listen(lab.EngineNS, "tcp", addr)
	if err != nil {
		s.t.Fatal(err)
	}
	web := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = web.Serve(ln) }()
	s.t.Cleanup(func() { _ = web.Close() })
}

// env is the environment of every ferry process.
func (s *site) env() []string {
	env := append(os.Environ(), "HOME="+s.dir, "FERRY_SOCKET="+s.socket, "FERRY_STATE="+filepath.Join(s.dir, "state"), "NO_COLOR=1",
		"AWS_ACCESS_KEY_ID="+sim.AccessKey, "AWS_SECRET_ACCESS_KEY="+sim.SecretKey, "AWS_SESSION_TOKEN="+sim.SessionToken, "AWS_EC2_METADATA_DISABLED=true")
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "SSH_AUTH_SOCK=") })
}

// startEngine starts `ferry engine` in the engine's namespace and waits until it answers.
func (s *site) startEngine(args ...string) {
	s.t.Helper()
	cmd := s.l.Command(context.Background(), lab.EngineNS, ferryBinary, append([]string{"engine"}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env(), s.log, s.log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.engine = cmd
	s.mu.Unlock()
	deadline := time.Now().Add(20 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		c, err := api.Dial(ctx, s.socket)
		cancel()
		if err == nil {
			s.client = c
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the engine does not answer: %v\n%s", err, s.log.tail(4000))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// killEngine is kill -9; stopEngine asks it to end in good order.
func (s *site) killEngine() { s.endEngine(os.Kill) }
func (s *site) stopEngine() { s.endEngine(os.Interrupt) }

func (s *site) endEngine(how os.Signal) {
	s.mu.Lock()
	cmd := s.engine
	s.engine = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(how)
	late := time.AfterFunc(15*time.Second, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait()
}

// ferry runs the command and gives what it printed and its exit code.
func (s *site) ferry(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := s.l.Command(ctx, lab.EngineNS, ferryBinary, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env(), &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		s.t.Fatalf("ferry %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must runs the command and demands exit code 0.
func (s *site) must(args ...string) string {
	s.t.Helper()
	out, errs, code := s.ferry(args...)
	if code != 0 {
		s.t.Fatalf("ferry %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// move puts the service in service on a node.
func (s *site) move(node string) {
	s.t.Helper()
	s.insist("in-service", "www", "--on", node, "--yes")
}

// insist runs a command until it is not refused any more. A refusal because something is not known yet, or did not answer
// in time, changes nothing, and a person would try again; on a busy machine more than once.
func (s *site) insist(args ...string) {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Second) {
		out, errs, code := s.ferry(args...)
		if code == 0 {
			return
		}
		if code != 107 && code != 75 || time.Since(began) > patience {
			s.t.Fatalf("ferry %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
		}
		s.t.Logf("ferry %s: refused, trying again: %s", strings.Join(args, " "), errs)
	}
}

// until waits for the engine to see something.
func (s *site) until(what string, ok func(*api.Snapshot) bool) *api.Snapshot {
	s.t.Helper()
	var last *api.Snapshot
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		sn, err := s.client.Snapshot(ctx)
		cancel()
		if err == nil {
			last = sn
			if ok(sn) {
				return sn
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	out, _, _ := s.ferry("status")
	ev, _, _ := s.ferry("events")
	s.t.Fatalf("waited too long for: %s\n%s\n%s", what, out, ev)
	return last
}

// never watches for a while that something does not happen.
func (s *site) never(what string, within time.Duration, bad func(*api.Snapshot) bool) {
	s.t.Helper()
	deadline := time.Now().Add(within)
	for time.Now().Before(deadline) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		sn, err := s.client.Snapshot(ctx)
		cancel()
		if err == nil && bad(sn) {
			out, _, _ := s.ferry("status")
			s.t.Fatalf("%s\n%s", what, out)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// ask asks the service as a client in the Primary Region does, once.
func (s *site) ask(addr string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	got, err := s.l.Client().Ask(ctx, addr)
	if err != nil {
		return err.Error()
	}
	return got
}

// ctx bounds one wait, long a probe that goes on during many.
func ctx(t testing.TB) context.Context  { return within(t, patience) }
func long(t testing.TB) context.Context { return within(t, 10*time.Minute) }

func within(t testing.TB, d time.Duration) context.Context {
	c, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return c
}

func allAlive(sn *api.Snapshot) bool {
	for _, n := range sn.Nodes {
		if n.Verdict != "alive" {
			return false
		}
	}
	return len(sn.Nodes) > 0
}

// allKnown: every resource's state is known on every node.
func allKnown(sn *api.Snapshot) bool {
	for _, r := range sn.Resources {
		for _, on := range r.On {
			if on.State == hierarchy.ILLSTATE {
				return false
			}
		}
	}
	return true
}

// activeOn: every resource is in service on the node and nothing runs.
func activeOn(node string) func(*api.Snapshot) bool {
	return func(sn *api.Snapshot) bool {
		for _, r := range sn.Resources {
			if r.Active != node {
				return false
			}
		}
		return len(sn.Running) == 0
	}
}

func verdict(sn *api.Snapshot, node string) string {
	for _, n := range sn.Nodes {
		if n.Name == node {
			return string(n.Verdict)
		}
	}
	return ""
}

func pending(sn *api.Snapshot) []string {
	var ids []string
	for _, q := range sn.Questions {
		if q.State == "pending" {
			ids = append(ids, q.ID)
		}
	}
	return ids
}

// remembering says what failed once more behind all logs: of a long log the end is read.
type remembering struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

func remember(t testing.TB) testing.TB {
	r := &remembering{TB: t}
	t.Cleanup(func() {
		for _, text := range r.said {
			t.Logf("failed: %.9000s", text)
		}
	})
	return r
}

func (r *remembering) note(format string, a []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, a...))
}

func (r *remembering) Errorf(format string, a ...any) {
	r.Helper()
	r.note(format, a)
	r.TB.Errorf(format, a...)
}

func (r *remembering) Fatalf(format string, a ...any) {
	r.Helper()
	r.note(format, a)
	r.TB.Fatalf(format, a...)
}

// syncBuffer takes a process's output while it is read.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) tail(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.b.String()
	return s[max(0, len(s)-n):]
}

// untilEvent waits for an event in the engine's log.
func (s *site) untilEvent(what string, ok func(api.Event) bool) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		c, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		events, err := s.client.Events(c, 0, 0)
		cancel()
		if err == nil && slices.ContainsFunc(events, ok) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ev, _, _ := s.ferry("events")
	s.t.Fatalf("waited too long for: %s\n%s", what, ev)
}

// untilAnswer waits until a client is answered by the node.
func (s *site) untilAnswer(addr, node string) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	got := ""
	for time.Now().Before(deadline) {
		if got = s.ask(addr); got == node {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Fatalf("waited too long for %s to answer at %s, last %q", node, addr, got)
}

// untilGone waits until a guest has given an address up.
func (s *site) untilGone(node, address string) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	out := ""
	for time.Now().Before(deadline) {
		var err error
		if out, err = s.l.Guest(node).Sh(ctx(s.t), "ip -o addr show to "+address); err == nil && out == "" {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	s.t.Fatalf("waited too long for %s to give %s up: %q", node, address, out)
}

// steps tells how long each step of the newest operation took.
func (s *site) steps() string {
	c, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ops, err := s.client.Operations(c, 1)
	if err != nil || len(ops) == 0 {
		return "no operation"
	}
	var b strings.Builder
	for _, st := range ops[0].Steps {
		fmt.Fprintf(&b, "%s %s+%s; ", st.ID, st.Began.Sub(ops[0].Began).Round(time.Millisecond), st.Ended.Sub(st.Began).Round(time.Millisecond))
	}
	return b.String()
}
