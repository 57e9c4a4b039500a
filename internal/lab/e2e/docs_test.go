package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/internal/sim"
)

// page is one document, or a part of it, whose commands are followed.
type page struct{ file, from, to string }

// pages are followed in this order. The first part of first-estate.md is followed on the simulated servers that it speaks of, by a
// test of cmd/ferry.
var pages = []page{
	{"first-estate.md", "### Describe them", "### Install the engine"},
	{"install.md", "", ""},
	{"first-estate.md", "### Have it examined", ""},
}

// place says where a block is typed, or why it is not.
type place int

const (
	onBastion place = iota // by a person with sudo, in the directory with the downloaded files
	onDesk                 // on a machine where people work
	onNodes                // as root on every server of the estate
	leftOut
)

// block is what happens to one fenced block of a page. Commands that stand in none of the maps are typed as they stand and end
// with 0.
type block struct {
	first   string            // its first line, which finds it
	where   place             // zero: on the bastion
	why     string            // of a block that is left out
	instead map[string]string // what is typed instead, whole lines
	ends    map[string]int    // with what a line ends
	before  func(*newcomer)   // what the hand does that types nothing
	after   func(*newcomer)   // what must be so then
}

const watchAsItFails = "sudo ferry status --watch"

var blocks = []block{
	{first: "ferry config validate estate.toml", where: onDesk},
	{first: "sha256sum --ignore-missing -c checksums.txt"},
	{first: "sudo dpkg -i ferry_*_amd64.deb"},
	{first: "sudo rpm -U ferry-*.x86_64.rpm", where: leftOut, why: "the guests are Debian; TestPackage's build compares rpm and deb file by file"},
	{first: "ssh-keygen -q -t ed25519 -N '' -C ferry-engine -f id_ed25519", after: (*newcomer).carriesTheKey},
	{first: "useradd --create-home --user-group --shell /bin/sh ferry", where: onNodes},
	{first: "ssh-keyscan -t ed25519 10.0.0.10 10.0.10.10 172.16.0.10 172.16.10.10 >known_hosts", after: (*newcomer).comparesHostKeys},
	{first: "sudo install -d -m 700 -o ferry-engine -g ferry-engine /var/lib/ferry-engine/.ssh"},
	{first: "sudo install -d -m 700 -o ferry-engine -g ferry-engine /var/lib/ferry-engine/.aws"},
	{first: "sudo systemctl start ferry", after: (*newcomer).allAlive, instead: map[string]string{
		"sudo ferry apply estate.toml": "sudo ferry apply estate.toml --yes", // the person's yes
	}},
	{first: "sudo usermod -aG ferry,ferry-operator alice", before: (*newcomer).hiresAlice, after: (*newcomer).aliceActs},
	{first: "sudo dpkg -r ferry      # stops and disables the engine; keeps state and options", where: leftOut, why: "TestPackage removes and purges it"},
	{first: "tar -xzf ferry_*_linux_amd64.tar.gz", where: leftOut, why: "it is the way for machines without packages; the package is installed here"},
	{first: "sudo ferry doctor", after: (*newcomer).hasTheSameRule, instead: map[string]string{
		// A lab is no AWS account, and has no witnesses; it checks more often than the guide wants.
		"sudo ferry doctor": "sudo ferry doctor --except " + strings.Join(beyondTheLab, ","),
	}},
	{first: "sudo ferry apply estate.toml --in-service", after: func(n *newcomer) { n.serves("LK_P_A") }, instead: map[string]string{
		"sudo ferry apply estate.toml --in-service": "sudo ferry apply estate.toml --in-service --yes", // the person's yes
	}},
	{first: "sudo ferry drill TAG --probe HOST:PORT", after: func(n *newcomer) { n.serves("LK_P_A") }, instead: map[string]string{
		"sudo ferry drill TAG --probe HOST:PORT": "sudo ferry drill www --probe " + vip + " --yes", // the person's yes
	}},
	{first: watchAsItFails, before: (*newcomer).pullsThePlug, after: (*newcomer).failedOver, instead: map[string]string{
		watchAsItFails: "sudo timeout --foreground -s INT 60 ferry status --watch", // the person's ctrl+c
	}, ends: map[string]int{watchAsItFails: 124}},
}

// typedBlock is a fenced block as it stands in a page.
type typedBlock struct {
	where string
	lines []string
}

// read gives the blocks of a page in their order. Comments are the shell's matter.
func (p page) read(t *testing.T) []typedBlock {
	t.Helper()
	text, err := os.ReadFile("../../../docs/" + p.file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	cut := func(heading string) int {
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, heading) })
		if i < 0 {
			t.Fatalf("docs/%s has no heading %q", p.file, heading)
		}
		return i
	}
	begin, end := 0, len(lines)
	if p.from != "" {
		begin = cut(p.from)
	}
	if p.to != "" {
		end = cut(p.to)
	}
	var all []typedBlock
	fenced := false
	for i, l := range lines[begin:end] {
		switch {
		case strings.HasPrefix(l, "```"):
			if fenced = !fenced; fenced {
				all = append(all, typedBlock{where: fmt.Sprintf("docs/%s:%d", p.file, begin+i+2)})
			}
		case fenced && l != "":
			b := &all[len(all)-1]
			b.lines = append(b.lines, l)
		}
	}
	if fenced {
		t.Fatalf("docs/%s: a block does not end", p.file)
	}
	return all
}

// followed pairs the blocks of all pages with what happens to them.
func followed(t *testing.T) (all []typedBlock, how []block) {
	t.Helper()
	used := map[string]bool{}
	for _, p := range pages {
		for _, b := range p.read(t) {
			i := slices.IndexFunc(blocks, func(x block) bool { return x.first == b.lines[0] })
			if i < 0 {
				t.Errorf("%s: nothing says where %q is typed, or why not", b.where, b.lines[0])
				continue
			}
			x := blocks[i]
			if used[x.first] {
				t.Errorf("%s: a second block begins with %q", b.where, x.first)
			}
			used[x.first] = true
			if (x.where == leftOut) != (x.why != "") {
				t.Errorf("%s: a block that is left out needs a reason, and no other does", b.where)
			}
			for l := range x.instead {
				if !slices.ContainsFunc(b.lines, func(is string) bool { return bare(is) == l }) {
					t.Errorf("%s: has no line %q", b.where, l)
				}
			}
			all, how = append(all, b), append(how, x)
		}
	}
	for _, x := range blocks {
		if !used[x.first] {
			t.Errorf("no page has a block that begins with %q", x.first)
		}
	}
	return all, how
}

var comment = regexp.MustCompile(`\s+# .*$`)

// bare is a line without its comment.
func bare(line string) string { return comment.ReplaceAllString(line, "") }

// TestEveryBlockOfTheDocsHasItsPlace: each command block of the pages that TestLongDocsFollowedWordByWord follows is run by it, or is
// left out for a reason that stands here.
func TestEveryBlockOfTheDocsHasItsPlace(t *testing.T) {
	all, how := followed(t)
	run := 0
	for i := range all {
		if how[i].where != leftOut {
			run++
		}
	}
	if run < 12 {
		t.Errorf("only %d blocks of %d are run", run, len(all))
	}
}

const bastion = "BASTION"

// docsLab are the four service nodes and a machine for the engine, which is no node.
var docsLab = sync.OnceValue(func() *lab.Shared {
	top := topology()
	top.Guests = append(top.Guests, lab.GuestSpec{Name: bastion, Region: lab.StandbyRegion, Addr: netip.MustParseAddr("172.16.0.20"), ENI: "eni-bastion"})
	return shared.Another(lab.Options{Topology: top})
})

// TestLongDocsFollowedWordByWord is a person who has a package, four servers and the documents, and types what stands there: from
// nothing to an estate in service, a drill, and a failover after a server has lost its power.
func TestLongDocsFollowedWordByWord(t *testing.T) {
	lab.SkipUnlessEnabled(t)
	all, how := followed(t)
	n := newNewcomer(t, debPackage(t))
	for i, b := range all {
		if how[i].where == leftOut {
			t.Logf("%s: left out: %s", b.where, how[i].why)
			continue
		}
		n.follow(b, how[i])
	}
}

// newcomer is somebody who does what the documents say.
type newcomer struct {
	*site
	desk  string // the directory of the machine where people work
	said  string // what the last block printed
	began time.Time
}

const (
	person    = "ferry" // of the bastion, with sudo
	downloads = "/home/ferry/downloads"
	awsHost   = "192.168.100.10" // where the simulated account answers machines of the lab
)

// newNewcomer lays out what the pages take for granted: servers without any login for an engine, a bastion with the downloaded files
// and an account's credentials, and a definition.
func newNewcomer(t *testing.T, deb string) *newcomer {
	t.Helper()
	n := &newcomer{began: time.Now()}
	n.site = newSiteIn(remember(t), docsLab(), func(e *hierarchy.Estate) {
		e.SSH = hierarchy.SSH{User: "ferry"}
		for i := range e.Regions {
			e.Regions[i].EndpointEC2, e.Regions[i].EndpointDNS = "http://"+awsHost+":7443", "http://"+awsHost+":7444"
		}
	})
	n.serve(awsHost+":7443", n.ec2)
	n.serve(awsHost+":7444", n.route53)
	for _, g := range n.l.Guests() {
		t.Cleanup(g.Spoil)
	}
	for _, s := range serviceNodes {
		onGuestOf(t, n.site, s, "pkill -KILL -u ferry; userdel -r ferry 2>/dev/null; rm -f /etc/sudoers.d/ferry; ! id ferry 2>/dev/null")
	}
	n.desk = filepath.Dir(n.file)
	n.bastion("install -d -o " + person + " " + downloads)
	n.upload(deb, filepath.Join(downloads, filepath.Base(deb)))
	sums := filepath.Join(filepath.Dir(deb), "checksums.txt")
	if _, err := os.Stat(sums); err != nil {
		t.Fatalf("beside the package: %v", err)
	}
	n.upload(sums, downloads+"/checksums.txt")
	n.upload(n.file, downloads+"/estate.toml")
	keys := filepath.Join(n.dir, "credentials")
	body := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", sim.AccessKey, sim.SecretKey, sim.SessionToken)
	must(t, os.WriteFile(keys, []byte(body), 0o600))
	n.upload(keys, downloads+"/credentials")
	n.bastion("chown -R " + person + ": " + downloads)
	if out, err := config.LoadFile(n.file, registry()); err != nil || len(out.Servers) != len(serviceNodes) {
		t.Fatalf("the definition: %v", err)
	}
	return n
}

// ssh runs a command line on the bastion as root; what it reads comes from a file.
func (n *newcomer) ssh(line, from string) (string, int) {
	n.t.Helper()
	cmd := n.l.Command(long(n.t), lab.EngineNS, "ssh", "-F", n.l.SSHConfig().Config, "-l", "root", bastion, line)
	return n.end(cmd, from)
}

func (n *newcomer) end(cmd *exec.Cmd, from string) (string, int) {
	n.t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if from != "" {
		f, err := os.Open(from)
		must(n.t, err)
		defer f.Close()
		cmd.Stdin = f
	}
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		n.t.Fatalf("%s: %v\n%s", cmd, err, out.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

func (n *newcomer) bastion(line string) string {
	n.t.Helper()
	out, code := n.ssh(line, "")
	if code != 0 {
		n.t.Fatalf("%s on the bastion ended with %d:\n%s", line, code, out)
	}
	return out
}

func (n *newcomer) upload(from, to string) {
	n.t.Helper()
	if out, code := n.ssh("cat >"+quoted(to), from); code != 0 {
		n.t.Fatalf("copying %s ended with %d:\n%s", from, code, out)
	}
}

// follow types a block, line by line.
func (n *newcomer) follow(b typedBlock, how block) {
	n.t.Helper()
	if how.before != nil {
		how.before(n)
	}
	n.said = ""
	for _, line := range b.lines {
		typed, want := line, how.ends[bare(line)]
		if other, ok := how.instead[bare(line)]; ok {
			typed = other
		}
		for _, r := range n.typed(typed, how.where) {
			n.t.Logf("%6.1f s  %s: %s\n%s", time.Since(n.began).Seconds(), b.where, typed, r.out)
			if r.code != want {
				n.t.Fatalf("%s: %s ended with %d, want %d:\n%s", b.where, typed, r.code, want, r.out)
			}
			n.said += r.out
		}
	}
	if how.after != nil {
		how.after(n)
	}
}

type result struct {
	out  string
	code int
}

// typed runs one line where it belongs.
func (n *newcomer) typed(line string, where place) []result {
	n.t.Helper()
	switch where {
	case onDesk:
		cmd := exec.CommandContext(long(n.t), "sh", "-c", line)
		cmd.Dir, cmd.Env = n.desk, append(n.env(), "PATH="+filepath.Dir(ferryBinary)+":"+os.Getenv("PATH"))
		out, code := n.end(cmd, "")
		return []result{{out, code}}
	case onNodes:
		var all []result
		for _, s := range serviceNodes {
			out, err := n.l.Guest(s).Sh(ctx(n.t), "cd /root; exec 2>&1\n"+line)
			var sh *lab.ShError
			if err != nil && !errors.As(err, &sh) {
				n.t.Fatalf("%s on %s: %v", line, s, err)
			}
			r := result{out: s + ": " + out}
			if sh != nil {
				r.code = sh.Exit
			}
			all = append(all, r)
		}
		return all
	}
	out, code := n.ssh("exec runuser -u "+person+" -- sh -c "+quoted("cd "+downloads+"\n"+line), "")
	return []result{{out, code}}
}

// carriesTheKey brings the public half to the nodes.
func (n *newcomer) carriesTheKey() {
	key := n.bastion("cat " + downloads + "/id_ed25519.pub")
	for _, s := range serviceNodes {
		onGuestOf(n.t, n.site, s, "cat >/root/id_ed25519.pub <<'X'\n"+key+"X\n")
	}
}

// comparesHostKeys: what the network showed is what the nodes' consoles say.
func (n *newcomer) comparesHostKeys() {
	for _, s := range serviceNodes {
		out, err := n.l.Guest(s).Sh(ctx(n.t), "ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key")
		if err != nil {
			n.t.Fatal(err)
		}
		if f := strings.Fields(out); len(f) < 2 || !strings.Contains(n.said, f[1]) {
			n.t.Fatalf("%s has the host key %s; collected was\n%s", s, out, n.said)
		}
	}
}

func (n *newcomer) hiresAlice() { n.bastion("useradd alice") }

// aliceActs: an operator may look, and may not change the definition.
func (n *newcomer) aliceActs() {
	n.bastion("runuser -u alice -- ferry status")
	if out, code := n.ssh("runuser -u alice -- ferry tuning set LKCHECKINTERVAL 77 --yes", ""); code != 77 {
		n.t.Errorf("an operator changed the definition, or was not told why not: %d\n%s", code, out)
	}
}

// waitFor waits until a query of the status prints true.
func (n *newcomer) waitFor(what, query string) {
	n.t.Helper()
	out := ""
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Second) {
		if out, _ = n.ssh("ferry status -o json | jq "+quoted(query), ""); strings.TrimSpace(out) == "true" {
			return
		}
	}
	status, _ := n.ssh("ferry status; ferry events -n 40; journalctl -u ferry -n 40 --no-pager", "")
	n.t.Fatalf("waited too long for: %s\n%s\n%s", what, out, status)
}

func (n *newcomer) allAlive() {
	n.waitFor("all servers alive", fmt.Sprintf(`[.nodes[] | select(.verdict == "alive")] | length == %d`, len(serviceNodes)))
}

// hasTheSameRule: what install.md has people write by hand is what the program prints.
func (n *newcomer) hasTheSameRule() {
	rule, err := n.l.Guest("LK_P_A").Sh(ctx(n.t), "cat /etc/sudoers.d/ferry")
	if err != nil || strings.TrimSpace(rule) == "" || !strings.Contains(n.said, strings.TrimSpace(rule)) {
		n.t.Errorf("the rule of install.md, %q (%v), is not what ferry doctor sudoers prints:\n%s", rule, err, n.said)
	}
}

// serves: clients find the service, and the engine says the same.
func (n *newcomer) serves(node string) {
	n.t.Helper()
	n.untilAnswer(vip, node)
	n.waitFor("www in service on "+node, fmt.Sprintf(`[.resources[] | select(.active != %q)] | length == 0`, node))
}

func (n *newcomer) pullsThePlug() {
	must(n.t, n.l.Guest("LK_P_A").PowerOff(ctx(n.t)))
}

// failedOver: the service runs in the other zone, and the old server comes back quiet.
func (n *newcomer) failedOver() {
	n.serves("LK_P_B")
	if !strings.Contains(n.said, "LK_P_B has the best priority") {
		n.t.Errorf("the events do not say why:\n%s", n.said)
	}
	c, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(n.t, n.l.Guest("LK_P_A").PowerOn(c))
	must(n.t, n.l.Guest("LK_P_A").WaitSSH(c))
	// What the lab gives a guest as it boots would take the place of the key that was carried there.
	onGuestOf(n.t, n.site, "LK_P_A", "install -m 600 -o ferry -g ferry /root/id_ed25519.pub /home/ferry/.ssh/authorized_keys")
	n.allAlive()
	n.serves("LK_P_B")
	if out, err := n.l.Guest("LK_P_A").Sh(ctx(n.t), "ip -o addr show to 10.1.0.10"); err != nil || out != "" {
		n.t.Errorf("LK_P_A came back with the address: %q, %v", out, err)
	}
}
