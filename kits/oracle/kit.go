package oracle

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// The kit's field names. The listener kit reads the first three of the databases beneath it.
const (
	FieldSID       = "oracle_sid"
	FieldHome      = "oracle_home"
	FieldUser      = "os_user"
	FieldListeners = "listeners"
	FieldSPFile    = "spfile"
	FieldMonitor   = "monitor"
)

// The tuning names, with their defaults in Tunables.
const (
	StartTimeout    = "ORACLE_START_TIMEOUT"
	ShutdownTimeout = "ORACLE_SHUTDOWN_TIMEOUT"
	CheckTimeout    = "ORACLE_CHECK_TIMEOUT"
	EndBackup       = "ORACLE_END_BACKUP"
)

const defaultUser = "oracle"

// Kit protects one Oracle instance. Its zero value is ready to use.
type Kit struct{}

var (
	_ kits.Kit     = Kit{}
	_ kits.Batcher = Kit{}
	_ kits.Chooser = Kit{}
)

// Name is "oracle".
func (Kit) Name() string { return "oracle" }

// Traits: the default order. The data is the mirror's beneath.
func (Kit) Traits() kits.Traits { return kits.Traits{} }

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	return []kits.Field{
		{Name: FieldSID, Label: "ORACLE_SID", Kind: kits.KindChoice, Required: true, Help: "The instance, as it stands in oratab."},
		{Name: FieldHome, Label: "ORACLE_HOME", Kind: kits.KindChoice, Required: true, PerNode: true, Help: "Exactly as in oratab: Oracle finds a running instance by these very letters."},
		{Name: FieldUser, Label: "Operating system user", Kind: kits.KindChoice, Default: defaultUser, PerNode: true, Help: "The owner of the installation; must be in its OSDBA group, because the login is by the operating system."},
		{Name: FieldListeners, Label: "Listeners", Kind: kits.KindText, Help: "Tags of the listener resources that lead to this database, separated by commas. They need it, or it needs them."},
		{Name: FieldSPFile, Label: "Parameter file", Kind: kits.KindPath, PerNode: true, Help: "An spfile (named spfile…) or pfile that is not where Oracle looks by itself. Left out: ORACLE_HOME/dbs."},
		{Name: FieldMonitor, Label: "Monitor's login", Kind: kits.KindText, Help: `A login without a password that the check tries as well: "/@ALIAS" of a wallet, or "/". Never a password.`},
	}
}

// Tunables are the names this kit reads.
func (Kit) Tunables() []kits.Tunable {
	return []kits.Tunable{
		{Name: StartTimeout, Default: "600", Unit: "s", Help: "how long a start may take, crash recovery included; redo of some GB takes minutes"},
		{Name: ShutdownTimeout, Default: "300", Unit: "s", Help: "how long SHUTDOWN IMMEDIATE may roll back before SHUTDOWN ABORT; an abort loses nothing, but the next start recovers"},
		{Name: CheckTimeout, Default: "30", Unit: "s", Help: "how long an answer of the instance may take; none by then is unknown, not failed"},
		{Name: EndBackup, Default: "1", Unit: "0/1", Help: "whether a start may take data files out of backup mode after a crash"},
	}
}

type tuning struct{ start, shutdown, answer int }

func tuned(in kits.Instance) tuning {
	return tuning{
		start:    orainst.Seconds(in, StartTimeout, 600, 10, 86000),
		shutdown: orainst.Seconds(in, ShutdownTimeout, 300, 1, 86000),
		answer:   orainst.Seconds(in, CheckTimeout, 30, 1, 3600),
	}
}

// login: "/" or "/@alias", so that no password can stand in it.
var login = regexp.MustCompile(`^/(@[A-Za-z][A-Za-z0-9_.-]{0,127})?$`)

// Validate judges the fields of one node without touching anything.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, text, fix string) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix})
	}
	if s := in.Attrs[FieldSID]; !orainst.SIDName.MatchString(s) {
		add(FieldSID, fmt.Sprintf("%.40q cannot be an ORACLE_SID", s), `write it as in oratab, like "ORCL"; upper and lower case count`)
	}
	if h := in.Attrs[FieldHome]; !orainst.HomePath(h) {
		add(FieldHome, fmt.Sprintf("%.80q cannot be an ORACLE_HOME", h), `write the path as in oratab, without a slash at its end, like "/u01/app/oracle/product/19.0.0/dbhome_1"`)
	}
	if u := in.Attr(FieldUser, defaultUser); !orainst.UserName.MatchString(u) {
		add(FieldUser, fmt.Sprintf("%.40q cannot be the name of a user", u), `write the owner's login name, like "oracle"`)
	}
	if f := in.Attrs[FieldSPFile]; f != "" && !orainst.HomePath(f) {
		add(FieldSPFile, fmt.Sprintf("%.80q cannot be the path of a parameter file", f), `write it like "/oradata/ORCL/spfileORCL.ora", or leave it out`)
	}
	if m := in.Attrs[FieldMonitor]; m != "" && !login.MatchString(m) {
		add(FieldMonitor, "the monitor's login must not hold a password", `write "/@ALIAS" with an alias of a wallet, "/" for an account that the operating system vouches for, or leave it out`)
	}
	if p := listenerProblem(in); p != nil {
		out = append(out, *p)
	}
	return out
}

// listenerProblem: a listener that is named is a relative, once there are any.
func listenerProblem(in kits.Instance) *kits.Problem {
	var known []string
	for _, r := range slices.Concat(in.Parents, in.Children) {
		if r.Kit == "listener" {
			known = append(known, r.Tag, path.Base(r.Tag))
		}
	}
	for name := range strings.SplitSeq(in.Attrs[FieldListeners], ",") {
		if name = strings.TrimSpace(name); name != "" && len(known) > 0 && !slices.Contains(known, name) {
			return &kits.Problem{
				Field: FieldListeners, Node: in.Node.Name, Text: fmt.Sprintf("%.80q is no listener that this database and its relatives depend on", name),
				Fix: "name a listener of this hierarchy, or make the dependency first",
			}
		}
	}
	return nil
}

// Effects: an instance comes or goes.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	e := kits.Effect{Kind: "process", What: "Oracle instance " + in.Attrs[FieldSID]}
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

// Timeout is the longest an action may take: the bounds that stand in the scripts, and room.
func (Kit) Timeout(a kits.Action, in kits.Instance) time.Duration {
	t := tuned(in)
	look := t.answer + 10
	if in.Attrs[FieldMonitor] != "" {
		look += t.answer
	}
	n := look
	switch a {
	case kits.ActStart, kits.ActRecover:
		n = t.start + t.answer + look + 30
	case kits.ActStop:
		n = t.shutdown + 60 + 40 // abort, and waiting between the stages
	case kits.ActEligible:
		n = look + 20
	}
	return time.Duration(n) * time.Second
}
