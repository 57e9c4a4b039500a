package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/lab"
)

// doctorLab are four guests, so that every kind of check finds a real node: a pair with a database over a mirror, and one VPN
// node in each region with a tunnel between them.
var doctorLab = sync.OnceValue(func() *lab.Shared {
	top := eightNodes()
	keep := []string{"LK_P_A", "LK_P_B", "VPN_P_A", "VPN_S_A"}
	top.Guests = slices.DeleteFunc(top.Guests, func(g lab.GuestSpec) bool { return !slices.Contains(keep, g.Name) })
	top.Tunnels = slices.DeleteFunc(top.Tunnels, func(t lab.Tunnel) bool { return t.Connection != "vpn1" })
	for i := range top.Guests {
		if strings.HasPrefix(top.Guests[i].Name, "LK_") {
			top.Guests[i].DataMB = applyDiskMB
		}
	}
	return shared.Another(lab.Options{Topology: top})
})

const doctorDisk = "/dev/ubdb"

// beyondTheLab are the checks that say of a lab what it is: its estate is half of the example's (the account holds all of it,
// the far service nodes are left out), checks often, and has no witnesses. What AWS says is asked in the simulation.
var beyondTheLab = []string{"aws", "estate.quorum", "estate.tuning", "estate.zones"}

// clinic is an estate on which one thing after the other is made wrong.
type clinic struct {
	*site
	begun time.Time
	fixed bool // --fix was tried
}

func (c *clinic) mark(format string, a ...any) {
	c.t.Helper()
	c.t.Logf("%6.1f s  %s", time.Since(c.begun).Seconds(), fmt.Sprintf(format, a...))
}

// onTheseGuests leaves out of the example what the four guests do not have, and adds two generic applications: one of
// scripts, one that is a unit.
func onTheseGuests(e *hierarchy.Estate) {
	gone := func(server string) bool { return e.Server(server) == nil }
	for i := range e.Cluster {
		e.Cluster[i].Servers = slices.DeleteFunc(e.Cluster[i].Servers, gone)
	}
	for i := range e.Res {
		r := &e.Res[i]
		r.On = slices.DeleteFunc(r.On, func(p hierarchy.Placement) bool { return gone(p.Server) })
		for k := range r.On {
			if r.Kit == "datakeeper" {
				r.On[k].Attrs["disk"] = doctorDisk
			}
		}
	}
	on := []hierarchy.Placement{{Server: "LK_P_A", Priority: 1}, {Server: "LK_P_B", Priority: 2}}
	app := func(tag, start, stop, check string) hierarchy.Resource {
		return hierarchy.Resource{Tag: hierarchy.Tag("service/" + tag), Kit: "app", Cluster: "service", Switchback: "intelligent", On: slices.Clone(on),
			Attrs: map[string]string{"start": start, "stop": stop, "check": check}}
	}
	e.Res = append(e.Res, app("report", "/usr/local/sbin/report start", "/usr/local/sbin/report stop", "/usr/local/sbin/report check"),
		app("batch", "systemctl start batch", "systemctl stop batch", "systemctl is-active batch"))
}

// imageID is the machine id that the image gives every guest; one of them keeps it.
const imageID = "5f1e7a6c0d2b4c8e9a3f0b1d2c4e6f80"

// ownedAndHeld is what every node has, and the guests' image has left out: a machine id of its own, and a clock that the kernel
// knows to be held right (what an NTP daemon tells it).
var ownedAndHeld = `set -e
read -r name </proc/sys/kernel/hostname
[ $name = LK_P_A ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
` + clockHeld + "\n"

// prepared is ownedAndHeld with a mirror's modules and the applications.
var prepared = ownedAndHeld + `
case $name in LK_*) modprobe -a loop md-mod raid1 nbd dm-mod dm-multipath dm-round-robin ;; esac
cat >/usr/local/sbin/report <<'X'
#!/bin/sh
case $1 in
start) touch /run/report ;;
stop) rm -f /run/report ;;
*) [ -e /run/report ] ;;
esac
X
chmod 755 /usr/local/sbin/report
printf '%s\n' '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' 'ExecStart=/bin/true' '[Install]' 'WantedBy=multi-user.target' >/etc/systemd/system/batch.service
systemctl daemon-reload
`

// adjtimex tells the kernel how far its clock may be off (microseconds) and whether anything holds it: 0, or 64 for nothing.
func adjtimex(off, status int) string {
	return fmt.Sprintf(`perl -e '$b = pack("L x4 q q q q l", 0x1c, 0, 0, %d, %d, %d) . "\0" x 164; syscall(159, $b) >= 0 or die $!'`, off, off, status)
}

var clockHeld = adjtimex(1000, 0)

// newClinic is a right estate, defined and not in service.
func newClinic(t testing.TB) *clinic {
	t.Helper()
	c := &clinic{site: newSiteOf(remember(t), doctorLab(), dataFile, onTheseGuests, short), begun: time.Now()}
	var all sync.WaitGroup
	for _, g := range c.l.Guests() {
		t.Cleanup(g.Spoil)
		all.Go(func() { onGuestOf(t, c.site, g.Name(), prepared) })
	}
	all.Wait()
	onGuestOf(t, c.site, "LK_P_A", `set -e
mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 `+doctorDisk+`
mkdir -p /pgdata && mount `+doctorDisk+` /pgdata
install -d -o postgres -g postgres -m 700 /pgdata/15
cd / && runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb --wal-segsize=1 -N -D /pgdata/15 >/dev/null
umount /pgdata`)
	must(t, c.l.WaitTunnel(ctx(t), "vpn1"))
	c.mark("four guests prepared")
	c.startEngine()
	c.must("apply", c.file, "--yes")
	c.known()
	c.mark("defined")
	return c
}

// known waits until every node answers, every path has been tried and every state is known.
func (c *clinic) known() {
	c.t.Helper()
	c.until("all is known", func(sn *api.Snapshot) bool {
		for _, n := range sn.Nodes {
			for _, o := range n.Peers {
				if o != "ok" {
					return false
				}
			}
		}
		return allAlive(sn) && allKnown(sn)
	})
}

// examine gives what did not pass, without what the lab cannot give.
func (c *clinic) examine() ([]doctor.Finding, error) {
	d, err := c.client.Examine(ctx(c.t), api.Examination{Except: beyondTheLab})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(d.Findings, func(f doctor.Finding) bool { return f.Verdict == doctor.Pass }), nil
}

// ids names findings, in order.
func ids(all []doctor.Finding) []string {
	var out []string
	for _, f := range all {
		out = append(out, f.ID())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// finds waits until exactly what the defects say is found, with what they say about it: what a node is like is there at once, what
// the engine has to notice first (a path that is cut, a login that is refused) a little later.
func (c *clinic) finds(what string, defects ...nodeDefect) []doctor.Finding {
	c.t.Helper()
	var want []string
	for _, d := range defects {
		want = append(want, d.want...)
	}
	slices.Sort(want)
	deadline := time.Now().Add(2 * patience) // a node that is busy may need several tries to say all
	for {
		found, err := c.examine()
		unsaid := slices.DeleteFunc(slices.Clone(defects), func(d nodeDefect) bool { return d.told(found) })
		if err == nil && slices.Equal(ids(found), want) && len(unsaid) == 0 {
			return found
		}
		if time.Now().After(deadline) {
			c.t.Errorf("%s: found %q, want %q: %v", what, ids(found), want, err)
			for _, d := range unsaid {
				c.t.Errorf("%s: %s does not say %q", d.name, d.want[0], d.fix)
			}
			for _, f := range found {
				c.t.Logf("%s %s: %s; %s; %s", f.Verdict, f.ID(), f.Reason.Text, f.Fix.Text, f.Fix.Command)
			}
			return found
		}
		time.Sleep(time.Second)
	}
}

// of is the finding of the defect among these; told says whether it says what to do.
func (d nodeDefect) of(found []doctor.Finding) *doctor.Finding {
	if i := slices.IndexFunc(found, func(f doctor.Finding) bool { return f.ID() == d.want[0] }); i >= 0 {
		return &found[i]
	}
	return nil
}

func (d nodeDefect) told(found []doctor.Finding) bool {
	f := d.of(found)
	return f != nil && strings.Contains(f.Reason.Text+"\n"+f.Fix.Text+"\n"+f.Fix.Command, d.fix)
}

// mend carries safe fixes out: the first one by the engine (the very first by the command --fix), the others by a hand that types
// the command that was shown.
func (c *clinic) mend(what string, found []doctor.Finding) {
	c.t.Helper()
	for i, f := range found {
		switch {
		case !f.Fix.Safe || f.Fix.Node == "":
			c.t.Errorf("%s: %s has no safe fix: %+v", what, f.ID(), f.Fix)
		case i > 0:
			onGuestOf(c.t, c.site, f.Fix.Node, f.Fix.Command)
		case !c.fixed:
			c.fixed = true
			out, errs, code := c.ferry("doctor", "--fix", "--yes", "--check", f.Check, "-o", "json")
			switch {
			case code == 69 || code == 124: // the node was too busy to answer in time
				c.t.Logf("%s: ferry doctor --fix: exit %d, again by the API\n%s", what, code, errs)
				c.fix(what, f)
			case !strings.Contains(out, `"mended"`) || !strings.Contains(out, f.ID()):
				c.t.Errorf("%s: ferry doctor --fix: exit %d\n%s%s", what, code, out, errs)
			}
		default:
			c.fix(what, f)
		}
	}
}

// fix is what --fix does with one finding. A node that is too busy to answer is asked again.
func (c *clinic) fix(what string, f doctor.Finding) {
	c.t.Helper()
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(time.Second) {
		m, err := c.client.Mend(ctx(c.t), api.Mending{Finding: f.ID(), Command: f.Fix.Command})
		if err == nil && m.Gone {
			return
		}
		again := err != nil && retried(err)
		if !again || time.Now().After(deadline) {
			c.t.Errorf("%s: mending %s by %q gives %+v, %v", what, f.ID(), f.Fix.Command, m, err)
			return
		}
	}
}

// retried are the errors of a node, or an engine, that had no time.
func retried(err error) bool {
	k := api.AsError(err).Kind
	return k == api.KindUnavailable || k == api.KindBusy || k == api.KindTimeout
}

// onAll does something on several guests at once.
func (c *clinic) onAll(defects []nodeDefect, script func(nodeDefect) string) {
	var all sync.WaitGroup
	for _, d := range defects {
		if s := script(d); s != "" {
			all.Go(func() {
				if out, err := c.l.Guest(d.node).Sh(ctx(c.t), s); err != nil {
					c.t.Errorf("%s: %s: %v\n%s", d.name, d.node, err, out)
				}
			})
		}
	}
	all.Wait()
}

// wave makes one thing wrong on each of several nodes. Each is found on its node, nothing else is, and the finding says how to
// put it right; what is safe the doctor's own fixes put right. Whether they are gone is seen with the next wave.
func (c *clinic) wave(defects []nodeDefect) {
	c.t.Helper()
	var names []string
	for _, d := range defects {
		names = append(names, d.name)
	}
	what := strings.Join(names, ", ")
	c.onAll(defects, func(d nodeDefect) string { return d.do })
	found := c.finds(what, defects...)
	var safe []doctor.Finding
	for _, d := range defects {
		if f := d.of(found); f != nil && d.undo == "" {
			safe = append(safe, *f)
		}
	}
	c.onAll(defects, func(d nodeDefect) string { return d.undo })
	c.mend(what, safe)
	c.mark("%s: %s", what, strings.Join(ids(found), ", "))
}

// TestLongDoctorFindsWhatIsWrongOnRealNodes: a right estate is silent, before it is in service and after; one thing after the
// other is made wrong on each node, found there and nowhere else, and put right by the doctor's own fix where that is safe.
func TestLongDoctorFindsWhatIsWrongOnRealNodes(t *testing.T) {
	c := newClinic(t)
	c.finds("a right estate, not in service")
	c.mark("silent")
	for _, w := range waves(nodeDefects()) {
		c.wave(w)
		if t.Failed() {
			return // what was not put right would be found with every further wave
		}
	}
	c.known()
	c.finds("all is put right")
	c.mark("silent again")
	c.put(pgTag, "LK_P_A")
	c.put(vpnPrimary, "VPN_P_A")
	c.mark("in service")
	c.finds("in service")
}

// waves takes the next defect of each node, until there are none.
func waves(all []nodeDefect) (out [][]nodeDefect) {
	for len(all) > 0 {
		var wave, rest []nodeDefect
		for _, d := range all {
			taken := slices.ContainsFunc(wave, func(o nodeDefect) bool { return o.node == d.node })
			if taken {
				rest = append(rest, d)
			} else {
				wave = append(wave, d)
			}
		}
		out, all = append(out, wave), rest
	}
	return out
}
