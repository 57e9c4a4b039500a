package postgresql

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The kit's field names.
const (
	FieldData    = "data_dir"
	FieldBin     = "bin_dir"
	FieldPort    = "port"
	FieldSocket  = "socket_dir"
	FieldOSUser  = "os_user"
	FieldDBUser  = "db_user"
	FieldLog     = "log_file"
	FieldConfig  = "config_file"
	FieldVersion = "version"
)

// What the optional fields are when they are left out: PostgreSQL's own port, the socket
// directory and the user of every distribution's packages.
const (
	DefaultPort   = "5432"
	DefaultSocket = "/var/run/postgresql"
	DefaultUser   = "postgres"
)

// The tuning names this kit reads.
const (
	StartTimeout     = "PG_START_TIMEOUT"
	StopTimeout      = "PG_STOP_TIMEOUT"
	ImmediateTimeout = "PG_IMMEDIATE_TIMEOUT"
	CheckTimeout     = "PG_CHECK_TIMEOUT"
	KillLast         = "PG_KILL"
	HangFails        = "PG_HANG_FAILS"
)

// slack is added to the limits of an action, for systemd and the tools on a slow node.
const slack = 20 * time.Second

// Kit protects one PostgreSQL cluster, that is one data directory and its server. Its zero value is ready.
type Kit struct{}

var (
	_ kits.Kit     = Kit{}
	_ kits.Batcher = Kit{}
	_ kits.Chooser = Kit{}
)

// Name is "postgresql".
func (Kit) Name() string { return "postgresql" }

// Traits: nothing but the default order, children before parents.
func (Kit) Traits() kits.Traits { return kits.Traits{} }

// Tunables are the limits, in LifeKeeper's manner.
func (Kit) Tunables() []kits.Tunable {
	return []kits.Tunable{
		{Name: StartTimeout, Default: "300", Unit: "s", Help: "How long a start may replay the log of a crash. 1 GB of it, the default max_wal_size, takes a minute or two on a slow disk."},
		{Name: StopTimeout, Default: "60", Unit: "s", Help: "How long a fast shutdown may take, most of which is a checkpoint; then an immediate one is asked for. pg_ctl waits as long."},
		{Name: ImmediateTimeout, Default: "20", Unit: "s", Help: "How long an immediate shutdown may take. The server itself kills its children after 5 s."},
		{Name: CheckTimeout, Default: "10", Unit: "s", Help: "How long the check's query may take. Without an answer the outcome is unknown."},
		{Name: KillLast, Default: "1", Help: "1 = a server that does not even end at an immediate shutdown is killed, it and its children only. For the data it is a power-off. 0 = the stop fails."},
		{Name: HangFails, Default: "0", Help: "1 = a server that runs and does not answer counts as failed. 0 = unknown: a disk that keeps writes waiting for a while looks the same."},
	}
}

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	return []kits.Field{
		{Name: FieldData, Label: "Data directory", Kind: kits.KindPath, Required: true, Help: "Where PG_VERSION lies: on the replicated file system. Found ones are offered."},
		{Name: FieldBin, Label: "Binaries", Kind: kits.KindPath, Required: true, PerNode: true, Help: "The directory of postgres, pg_ctl and psql on this node, of the data directory's major version."},
		{Name: FieldPort, Label: "Port", Kind: kits.KindText, Default: DefaultPort, Help: "The port the server listens on."},
		{Name: FieldSocket, Label: "Socket directory", Kind: kits.KindPath, Default: DefaultSocket, Help: "Where the server's unix socket lies, through which it is checked."},
		{Name: FieldOSUser, Label: "OS user", Kind: kits.KindText, Default: DefaultUser, Help: "The owner of the data directory; with the same number on every node."},
		{Name: FieldDBUser, Label: "DB user", Kind: kits.KindText, Default: DefaultUser, Help: "Who asks the check's query. The OS user must be let in under this name without a password over the socket (peer or trust)."},
		{Name: FieldLog, Label: "Log file", Kind: kits.KindPath, Help: "Where the server's output goes. Left out: the journal."},
		{Name: FieldConfig, Label: "Configuration file", Kind: kits.KindPath, PerNode: true, Help: "postgresql.conf, where it does not lie in the data directory: /etc/postgresql/15/main/postgresql.conf on Debian."},
		{Name: FieldVersion, Label: "Major version", Kind: kits.KindText, Help: "What PG_VERSION says. With it, a standby node whose binaries are of another version is refused before anything moves."},
	}
}

// account is a login name of the system: without an option's dash, and safe in a log.
var (
	account = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)
	major   = regexp.MustCompile(`^(9\.[0-9]|[1-9][0-9])$`)
)

// Validate judges the fields without touching anything.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, text, fix string) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix})
	}
	for _, f := range []string{FieldData, FieldBin, FieldSocket, FieldLog, FieldConfig} {
		v := in.Attrs[f]
		switch {
		case v == "" && (f == FieldData || f == FieldBin):
			add(f, "the field "+f+" is missing", `write an absolute path, like "`+example(f)+`"`)
		case v != "" && !isPath(v):
			add(f, fmt.Sprintf("%q is not a plain absolute path", kits.OneLine(v, 100)), `write it like "`+example(f)+`"`)
		case f == FieldData && v == "/":
			add(f, "/ cannot be a data directory", `write it like "`+example(f)+`"`)
		}
	}
	// A socket's address is at most 107 bytes long, and has .s.PGSQL.65535 at its end.
	if len(in.Attrs[FieldSocket]) > 90 {
		add(FieldSocket, "the path is too long for a socket: at most 90 bytes", "take a shorter directory")
	}
	if p := in.Attr(FieldPort, DefaultPort); !isPort(p) {
		add(FieldPort, fmt.Sprintf("%q is not a port", kits.OneLine(p, 40)), "write a number from 1 to 65535, like 5432")
	}
	if u := in.Attr(FieldOSUser, DefaultUser); !account.MatchString(u) || u == "root" {
		add(FieldOSUser, fmt.Sprintf("%q cannot be the owner of a data directory", kits.OneLine(u, 40)), `write a login name, like "postgres"; the server refuses to run as root`)
	}
	// Roles may have any name that a quoted identifier may; psql takes it as one argument.
	if u := in.Attr(FieldDBUser, DefaultUser); len(u) > 63 || hasControl(u) {
		add(FieldDBUser, "the name of a role has at most 63 bytes and no control characters", `write it like "postgres"`)
	}
	if v := in.Attrs[FieldVersion]; v != "" && !major.MatchString(v) {
		add(FieldVersion, fmt.Sprintf("%q is not a major version", kits.OneLine(v, 40)), `write what PG_VERSION in the data directory says, like "15"`)
	}
	return out
}

func example(field string) string {
	return map[string]string{
		FieldData: "/pgdata/15/main", FieldBin: "/usr/lib/postgresql/15/bin", FieldSocket: DefaultSocket,
		FieldLog: "/var/log/postgresql/main.log", FieldConfig: "/etc/postgresql/15/main/postgresql.conf",
	}[field]
}

// isPath: absolute and in its shortest form, so that it can be compared, and without a
// character that would end a line of an answer.
func isPath(p string) bool {
	return path.IsAbs(p) && path.Clean(p) == p && len(p) <= 1024 && !hasControl(p)
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) || s != strings.ToValidUTF8(s, "")
}

func isPort(p string) bool {
	n, err := strconv.Atoi(p)
	return err == nil && n > 0 && n < 65536 && strconv.Itoa(n) == p
}

// Effects: the server comes or goes.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	e := kits.Effect{Kind: "process", What: "PostgreSQL of " + in.Attrs[FieldData]}
	switch a {
	case kits.ActStart:
		e.To = in.Node.Name
		if in.Active != in.Node.Name {
			e.From = in.Active
		}
	case kits.ActRecover:
		e.From, e.To = in.Node.Name, in.Node.Name
	case kits.ActStop:
		e.From = in.Node.Name
	default:
		return nil
	}
	return []kits.Effect{e}
}

// Timeout adds up what an action may take on the node.
func (Kit) Timeout(a kits.Action, in kits.Instance) time.Duration {
	check := limit(in, CheckTimeout) + 12*time.Second // the query, then pg_isready, then a moment
	stop := limit(in, StopTimeout) + limit(in, ImmediateTimeout) + slack
	start := limit(in, StartTimeout) + check + slack
	switch a {
	case kits.ActStart:
		return start
	case kits.ActStop:
		return stop
	case kits.ActRecover:
		return check + stop + start
	case kits.ActEligible:
		return 20 * time.Second
	}
	return check
}

// limit is a tuning value; one that is no number of seconds counts as left out.
func limit(in kits.Instance, name string) time.Duration {
	def := ""
	for _, t := range (Kit{}).Tunables() {
		if t.Name == name {
			def = t.Default
		}
	}
	d, err := kits.ParseSeconds(in.Tune(name, def))
	if err != nil {
		d, _ = kits.ParseSeconds(def)
	}
	return d
}

// mounts are the mount points of the file systems beneath the resource, on this node.
func mounts(in kits.Instance) []string {
	var out []string
	for _, c := range in.Children {
		if c.Kit != "filesystem" {
			continue
		}
		if m := c.On[in.Node.Name]["mount_point"]; m != "" {
			out = append(out, path.Clean(m))
		}
	}
	slices.Sort(out)
	return out
}

// UnitName is the transient unit that the server runs in, without ".service". Whatever is no
// letter or digit is written as _xx, so that two tags never share a unit.
func UnitName(tag string) string {
	var b strings.Builder
	b.WriteString("ferry-postgresql-")
	for i := range len(tag) {
		c := tag[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}
