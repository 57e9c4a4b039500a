package postgresql

import (
	"context"
	_ "embed" // the script
	"path"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed sh/eligible.sh
var eligibleSh string

// Eligible: the binaries are there and of the right version, their user exists, nothing starts the cluster at
// boot, and nobody else has its port. Where the data directory is visible, it is looked at too.
func (Kit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	res, err := h.Run(ctx, script("eligible", libSh+"\n"+eligibleSh, kits.ActEligible, in))
	a, bad := read(in, "the question", res, err)
	if bad != nil {
		return kits.Eligibility{Outcome: bad.Outcome, Reason: bad.Reason}
	}
	return judgeEligible(in, a)
}

func judgeEligible(in kits.Instance, a answer) kits.Eligibility {
	if _, told := a.marks["postmaster"]; !told {
		r := unreadable(in, a.out, "it does not say whether a server runs")
		return kits.Eligibility{Reason: r.Reason}
	}
	umbrella := a.marks["umbrella"] != ""
	for _, m := range a.list {
		if r := against(in, m, umbrella); r.Code != "" {
			if r.Args["what"] == "" {
				r = about(r, kits.OneLine(m.value, 300))
			}
			return kits.Eligibility{Outcome: kits.Failed, Reason: r}
		}
	}
	need, has := a.marks["data"], majorOf(a.marks["binaries"])
	if need == "" {
		need = in.Attrs[FieldVersion]
	}
	if r := versions(in, a, need, has); r.Code != "" {
		return kits.Eligibility{Outcome: kits.Failed, Reason: about(r, strings.TrimSpace(need+" "+has))}
	}
	return kits.Eligibility{Outcome: kits.OK}
}

// versions compares what the data needs and what the node has.
func versions(in kits.Instance, a answer, need, has string) kits.Reason {
	node := in.Node.Name
	switch want := in.Attrs[FieldVersion]; {
	case has == "":
		return why(in, "postgresql.binaries", "the binaries in %s on %s do not run: %s", in.Attrs[FieldBin], node, kits.OneLine(a.marks["binaries"], 200))
	case want != "" && need != want:
		return why(in, "postgresql.version", "the data directory %s on %s is of version %s, not %s; correct the field version", in.Attrs[FieldData], node, need, want)
	case need != "" && need != has:
		return why(in, "postgresql.version", "the data needs PostgreSQL %s, but the binaries %s on %s are of version %s; correct bin_dir, or install the right version", need, in.Attrs[FieldBin], node, has)
	}
	return kits.Reason{}
}

// debianUnit starts nothing itself: the clusters of /etc/postgresql hang on it.
const debianUnit = "postgresql" + ".service"

// against is the reason that one fact is against this node; none when it is not.
func against(in kits.Instance, m mark, umbrella bool) kits.Reason {
	node, data := in.Node.Name, in.Attrs[FieldData]
	first, rest, _ := strings.Cut(m.value, " ")
	switch m.word {
	case "notool":
		return why(in, "postgresql.no-tool", "%s has no %s, which the kit postgresql needs", node, m.value)
	case "missing":
		return why(in, "postgresql.no-binaries", "%s is missing on %s; install PostgreSQL's server and client there, or correct bin_dir", m.value, node)
	case "nouser":
		return why(in, "postgresql.user", "%s has no user %s; create it with the same number as on the other nodes", node, m.value)
	case "noconfig":
		return why(in, "postgresql.no-config", "the configuration file %s of %s is missing on %s; copy it from the other node, or correct config_file", m.value, in.Tag, node)
	case "owner":
		if first != rest && first != "" && rest != "" {
			return why(in, "postgresql.owner", "the data directory %s belongs to user number %s, but the OS user has the number %s on %s; give it the same number on every node", data, first, rest, node)
		}
	case "signal":
		return why(in, "postgresql.signal", "%s on %s holds %s: started, it would be a standby or go on with a restore; finish that by hand, or remove the file", data, node, m.value)
	case "taken":
		port := in.Attr(FieldPort, DefaultPort)
		return about(why(in, "postgresql.port-taken", "port %s is in use by another program on %s (ss -ltnp shows it); stop that, or take another port", port, node), port)
	case "instance", "cluster", "enabled":
		return atBoot(in, m, umbrella)
	}
	return kits.Reason{}
}

// atBoot: something on the node would start this cluster when it boots.
func atBoot(in kits.Instance, m mark, umbrella bool) kits.Reason {
	node, data := in.Node.Name, in.Attrs[FieldData]
	f := strings.SplitN(m.value, " ", 3)
	switch m.word {
	case "instance":
		if names(m.value, data) || in.Attrs[FieldConfig] != "" && conf(f[0]) == in.Attrs[FieldConfig] {
			return bootReason(in, f[0], "systemctl disable "+f[0])
		}
	case "cluster":
		if len(f) < 2 || f[0] != "auto" || !umbrella {
			return kits.Reason{}
		}
		if f[1] == in.Attrs[FieldConfig] || len(f) == 3 && names(f[2], data) {
			file := path.Join(path.Dir(f[1]), "start.conf")
			return bootReason(in, "the cluster of "+f[1], "echo manual >"+file)
		}
	case "enabled":
		unit, says, _ := strings.Cut(m.value, " ")
		switch {
		case unit == debianUnit && strings.Contains(says, "/bin/true"):
		case names(says, data):
			return bootReason(in, unit, "systemctl disable "+unit)
		case !strings.Contains(says, "PGDATA="):
			return about(why(in, "postgresql.boot-unclear", "%s on %s starts a PostgreSQL at boot and does not say with which data; when it is %s, switch it off with: systemctl disable %s. Otherwise set PGDATA in it", unit, node, data, unit), unit)
		}
	}
	return kits.Reason{}
}

func bootReason(in kits.Instance, what, fix string) kits.Reason {
	return about(why(in, "postgresql.starts-at-boot", "%s would start %s by itself when %s boots; switch that off with: %s", what, in.Tag, in.Node.Name, fix), fix)
}

// conf is the configuration of Debian's instance "postgresql@15-main.service".
func conf(unit string) string {
	i := strings.TrimSuffix(strings.TrimPrefix(unit, "postgresql@"), ".service")
	version, name, _ := strings.Cut(i, "-")
	return "/etc/postgresql/" + version + "/" + name + "/postgresql.conf"
}

// names tells whether a text names the directory itself, not only one whose name begins like it.
func names(text, dir string) bool {
	for rest := text; ; {
		_, after, found := strings.Cut(rest, dir)
		if !found {
			return false
		}
		after2 := strings.TrimPrefix(after, "/")
		if after2 == "" || strings.ContainsAny(after2[:1], " '\";,}") {
			return true
		}
		rest = after
	}
}
