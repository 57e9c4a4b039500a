package doctor

import (
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// The clocks of a cluster's servers may differ by this much. Claims are numbered, so
// nothing rests on it but logs, certificates and AWS signatures; TLS and people notice seconds.
const clockBound = 2 * time.Second

// sameRules compare the servers of a cluster, or those that a resource is on.
func sameRules() []rule {
	return []rule{
		compared("same.kernel", Warn, "the servers of a cluster run kernels of one series", "a driver or a default that differs shows only after a failover", "update the ones that are behind",
			nil, one(Question{"kernel", ""}, func(s string) string {
				release, _, _ := strings.Cut(s, " ")
				return series(release)
			})),
		compared("same.machine", Fail, "the servers of a cluster are of one architecture", "binaries and data files of databases do not move between architectures", "replace the one that differs",
			nil, one(Question{"kernel", ""}, func(s string) string {
				_, machine, _ := strings.Cut(s, " ")
				return machine
			})),
		compared("same.system", Warn, "the servers of a cluster run the same release of one distribution", "packages and their defaults differ between releases", "update the ones that are behind",
			nil, fixed{[]Question{{"text", "/etc/os-release"}}, release}),
		{Check: Check{ID: "same.identity", Subject: OfGroup, About: "every server has a machine id of its own", Why: "two of the same are clones: DHCP, journals and licences mix them up", Mend: "remove /etc/machine-id on the clone, run systemd-machine-id-setup and reboot it"},
			ask: ask(Question{"first", "/etc/machine-id"}), judge: judgeIdentity},
		{Check: Check{ID: "same.clock", Subject: OfGroup, About: "the servers' clocks agree within two seconds", Why: "logs of one failover must fit together, and AWS refuses calls of a clock that is minutes off", Mend: "start chrony on the one that is off"},
			judge: judgeClocks},
		compared("same.postgresql", Fail, "the servers of a PostgreSQL resource have the same release of it", "another major version refuses the data directory; another minor one may sort or replicate differently", "install the same release everywhere",
			[]string{"postgresql"}, perBinary("bin_dir", "/postgres")),
		compared("same.libc", Fail, "the servers of a PostgreSQL resource have the same C library", "text sorts differently between releases of glibc, and indexes on the shared disk are silently wrong after a move", "run the same release of the distribution on all of them",
			[]string{"postgresql"}, one(Question{"libc", ""}, nil)),
		compared("same.users", Fail, "the operating system's users of databases and programs have the same numbers on all servers", "files on the shared disk belong to numbers, not names", "usermod -u and groupmod -g on the one that differs, and chown of its files",
			[]string{"postgresql", "oracle", "listener", "app"}, numbers),
		compared("same.oracle", Fail, "the servers of an Oracle resource have the same binaries", "patches must be the same on all of them: the data dictionary is on the shared disk", "apply the same patches everywhere (opatch lsinventory)",
			[]string{"oracle"}, perFile("oracle_home", "/bin/oracle")),
		compared("same.scripts", Fail, "the scripts of a generic application are the same on all servers", "a failover would run another version than the one that was tried", "copy them from the server that is right",
			[]string{"app"}, scripts),
		compared("same.mirror-tools", Warn, "the servers of a mirror have the same mdadm and nbd", "metadata and protocol are tried between equal releases", "install the same packages everywhere",
			[]string{"datakeeper"}, versions("mdadm", "nbd-server")),
		compared("same.ipsec", Warn, "VPN nodes of a cluster have the same release of Libreswan", "defaults of proposals differ between releases", "install the same package everywhere",
			[]string{"openswan"}, versions("ipsec")),
	}
}

// getter reads from a node's facts what is to be compared: by what it is of, its value. The instances are those of the
// rule's kits on the node; an empty value is not known there, "missing" is the kit's to say.
type getter func(f *Facts, on []kits.Instance) map[string]string

// asker is a getter that also knows its questions.
type asker interface {
	ask(on []kits.Instance) []Question
	get(f *Facts, on []kits.Instance) map[string]string
}

type fixed struct {
	questions []Question
	read      getter
}

func (q fixed) ask([]kits.Instance) []Question                     { return q.questions }
func (q fixed) get(f *Facts, on []kits.Instance) map[string]string { return q.read(f, on) }

type each struct {
	fixed     *Question // asked once, whatever is there
	questions func(in kits.Instance) []Question
	label     func(q Question) string
	read      func(said string) string
}

func (e each) ask(on []kits.Instance) []Question {
	if e.fixed != nil {
		return []Question{*e.fixed}
	}
	var out []Question
	for _, in := range on {
		out = append(out, e.questions(in)...)
	}
	return out
}

func (e each) get(f *Facts, on []kits.Instance) map[string]string {
	out := map[string]string{}
	for _, q := range e.ask(on) {
		said, _ := f.said(q.Verb, q.About)
		if e.read != nil && said != "missing" && said != "" {
			said = e.read(said)
		}
		out[e.label(q)] = said
	}
	return out
}

func about(q Question) string { return q.About }

// compared makes a rule that wants one value on all servers of each cluster. names are the kits; none = every server.
func compared(id string, bad Verdict, what, reason, mend string, names []string, a asker) rule {
	on := func(x *hierarchy.Index, node string) []kits.Instance {
		var out []kits.Instance
		for _, n := range names {
			out = append(out, of(x, node, n)...)
		}
		return out
	}
	return rule{
		Check: Check{ID: id, Subject: OfGroup, About: what, Why: reason, Mend: mend},
		ask: func(x *hierarchy.Index, node string) []Question {
			if len(names) > 0 && !uses(x, node, names...) {
				return nil
			}
			return a.ask(on(x, node))
		},
		judge: func(b *bench) { judgeSame(b, bad, mend, names, on, a) },
	}
}

func judgeSame(b *bench, bad Verdict, mend string, names []string, on func(*hierarchy.Index, string) []kits.Instance, a asker) {
	for _, cl := range b.x.Estate().Cluster {
		servers := slices.DeleteFunc(slices.Clone(cl.Servers), func(s string) bool {
			return b.silent(s) || len(names) > 0 && !uses(b.x, s, names...)
		})
		if len(servers) < 2 {
			continue
		}
		f := b.at(cl.Name)
		byLabel := map[string]map[string][]string{} // label → value → servers
		var untold []string
		for _, s := range servers {
			for label, value := range a.get(b.Nodes[s], on(b.x, s)) {
				switch {
				case value == "missing":
					continue
				case value == "":
					untold = append(untold, strings.TrimSpace(label+" ("+s+")"))
					continue
				case byLabel[label] == nil:
					byLabel[label] = map[string][]string{}
				}
				byLabel[label][value] = append(byLabel[label][value], s)
			}
		}
		if text, nodes := differences(byLabel); text != "" {
			f.found(bad, "same.differs", "differences", text).mend(mend)
			f.Nodes = nodes
		} else if len(untold) > 0 {
			slices.Sort(untold)
			f.found(Unknown, "same.untold", "what", strings.Join(untold, ", "))
		}
	}
}

// differences tells what is not the same, and on which servers it differs from the most common value.
func differences(byLabel map[string]map[string][]string) (text string, nodes []string) {
	var parts []string
	for _, label := range sortedKeys(byLabel) {
		values := byLabel[label]
		if len(values) < 2 {
			continue
		}
		var said []string
		most := 0
		for _, v := range values {
			most = max(most, len(v))
		}
		for _, v := range sortedKeys(values) {
			said = append(said, textf("%s (%s)", shortened(v), strings.Join(values[v], ", ")))
			if len(values[v]) < most || most*len(values) == total(values) {
				nodes = append(nodes, values[v]...)
			}
		}
		parts = append(parts, strings.TrimSpace(label+": "+strings.Join(said, "; ")))
	}
	slices.Sort(nodes)
	return strings.TrimPrefix(strings.Join(parts, ". "), ": "), slices.Compact(nodes)
}

func total(values map[string][]string) int {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// shortened keeps a checksum readable.
func shortened(v string) string {
	if len(v) > 60 && !strings.Contains(v, " ") {
		return v[:12] + "…"
	}
	return v
}

// one asks one question of a node.
func one(q Question, read func(string) string) each {
	return each{fixed: &q, label: func(Question) string { return "" }, read: read}
}

// versions asks what programs say of themselves.
func versions(programs ...string) fixed {
	var questions []Question
	for _, p := range programs {
		questions = append(questions, Question{"version", p})
	}
	return fixed{questions, func(f *Facts, _ []kits.Instance) map[string]string {
		out := map[string]string{}
		for _, p := range programs {
			out[p], _ = f.said("version", p)
		}
		return out
	}}
}

// perBinary asks a program below a directory that a field names what it says of itself.
func perBinary(field, path string) each {
	return each{label: func(Question) string { return "PostgreSQL" }, questions: func(in kits.Instance) []Question {
		return []Question{{"version", in.Attrs[field] + path}}
	}}
}

// perFile compares the checksums of a file below a directory that a field names.
func perFile(field, path string) each {
	return each{label: func(q Question) string { return path[1:] }, read: checksum, questions: func(in kits.Instance) []Question {
		return []Question{{"file", in.Attrs[field] + path}}
	}}
}

// scripts are the files that the commands of a generic application begin with.
var scripts = each{label: about, read: checksum, questions: func(in kits.Instance) []Question {
	var out []Question
	for _, field := range []string{"start", "stop", "check", "recover"} {
		path, _, _ := strings.Cut(in.Attrs[field], " ")
		if q := (Question{"file", path}); strings.HasPrefix(path, "/") && !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	return out
}}

// numbers are the users' and groups' ids.
var numbers = each{label: func(q Question) string { return "user " + q.About }, questions: func(in kits.Instance) []Question {
	user := in.Attrs["os_user"]
	if in.Kit == "app" {
		user = in.Attrs["user"]
	}
	if user == "" || user == "root" {
		return nil
	}
	return []Question{{"user", user}}
}}

// checksum is the last word of what the script says of a file.
func checksum(said string) string {
	w := strings.Fields(said)
	if len(w) < 5 || w[4] == "-" {
		return ""
	}
	return w[4]
}

func series(release string) string {
	w := strings.SplitN(release, ".", 3)
	if len(w) < 2 {
		return release
	}
	return w[0] + "." + w[1]
}

func release(f *Facts, _ []kits.Instance) map[string]string {
	out := map[string]string{"": ""}
	id, version := "", ""
	for _, l := range f.told("text", "/etc/os-release") {
		if v, ok := strings.CutPrefix(l, "ID="); ok {
			id = strings.Trim(v, `"`)
		}
		if v, ok := strings.CutPrefix(l, "VERSION_ID="); ok {
			version = strings.Trim(v, `"`)
		}
	}
	out[""] = strings.TrimSpace(id + " " + version)
	return out
}

func judgeIdentity(b *bench) {
	owner := map[string]string{}
	b.nodes(every, func(node string, facts *Facts) {
		f := b.at(node, node)
		said, ok := facts.said("first", "/etc/machine-id")
		switch {
		case !ok:
			f.found(Unknown, "untold")
		case said == "missing":
		case owner[said] != "":
			f.found(Warn, "clone", "other", owner[said])
			f.Nodes = []string{owner[said], node}
		default:
			owner[said] = node
		}
	})
}

// judgeClocks compares what is certain: a difference is a finding when even the bounds that favour the servers do not meet.
func judgeClocks(b *bench) {
	for _, cl := range b.x.Estate().Cluster {
		type clock struct {
			node      string
			low, high time.Duration
		}
		var all []clock
		f := b.at(cl.Name)
		for _, s := range cl.Servers {
			if b.silent(s) {
				continue
			}
			low, high, ok := b.Nodes[s].offset()
			if !ok {
				f.found(Unknown, "untold", "node", s)
				continue
			}
			all = append(all, clock{s, low, high})
		}
		for i, p := range all {
			for _, q := range all[i+1:] {
				early, late := p, q
				if p.low > q.low {
					early, late = q, p
				}
				if apart := late.low - early.high; apart > clockBound {
					f.found(Fail, "apart", "ahead", late.node, "by", apart.Round(100*time.Millisecond).String(), "behind", early.node)
					f.Nodes = []string{early.node, late.node}
				}
			}
		}
	}
}
