package listener

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// The kit's field names.
const (
	FieldName       = "listener_name"
	FieldOra        = "listener_ora"
	FieldHome       = "oracle_home"
	FieldUser       = "os_user"
	FieldAddresses  = "addresses"
	FieldProtection = "protection"
)

// The protection levels, in LifeKeeper's words.
const (
	Full         = "full"
	Intermediate = "intermediate"
	Minimal      = "minimal"
)

// The tuning names, with their defaults in Tunables.
const (
	StartTimeout   = "LISTENER_START_TIMEOUT"
	StopTimeout    = "LISTENER_STOP_TIMEOUT"
	CheckTimeout   = "LISTENER_CHECK_TIMEOUT"
	ResolveTimeout = "LISTENER_RESOLVE_TIMEOUT"
)

const (
	defaultName = "LISTENER"
	defaultUser = "oracle"
)

// Kit protects one Oracle Net listener. Its zero value is ready to use.
type Kit struct{}

var (
	_ kits.Kit     = Kit{}
	_ kits.Batcher = Kit{}
	_ kits.Chooser = Kit{}
)

// Name is "listener".
func (Kit) Name() string { return "listener" }

// Traits: the default order. That clients are moved is the name's and the address's doing.
func (Kit) Traits() kits.Traits { return kits.Traits{} }

// Fields are the wizard's questions. The tag that suggests itself is "LSNR." and the name.
func (Kit) Fields() []kits.Field {
	return []kits.Field{
		{Name: FieldHome, Label: "ORACLE_HOME", Kind: kits.KindChoice, Required: true, PerNode: true, Help: "The installation that the listener runs from."},
		{Name: FieldOra, Label: "Path of listener.ora", Kind: kits.KindChoice, PerNode: true, Help: "Its path. Left out: ORACLE_HOME/network/admin/listener.ora."},
		{Name: FieldName, Label: "Listener name", Kind: kits.KindChoice, Default: defaultName, Help: "As in listener.ora. The resource's tag is usually LSNR. and this name."},
		{Name: FieldUser, Label: "Operating system user", Kind: kits.KindChoice, Default: defaultUser, PerNode: true, Help: "The owner of the installation."},
		{Name: FieldAddresses, Label: "Addresses", Kind: kits.KindText, PerNode: true, Help: "Those that must answer, of the listener's in listener.ora, separated by commas: tcp:www.example.com:1521. Left out: all that it says it listens on."},
		{Name: FieldProtection, Label: "Protection level", Kind: kits.KindChoice, Default: Full, Choices: []string{Full, Intermediate, Minimal}, Help: "full = start, monitor, stop; intermediate = start, monitor; minimal = start only, for a listener that others use as well."},
	}
}

// SuggestTag is what the resource is called in the field: "LSNR.LISTENER".
func (Kit) SuggestTag(attrs map[string]string) string {
	if n := attrs[FieldName]; n != "" {
		return "LSNR." + n
	}
	return "LSNR." + defaultName
}

// Tunables are the names this kit reads.
func (Kit) Tunables() []kits.Tunable {
	return []kits.Tunable{
		{Name: StartTimeout, Default: "60", Unit: "s", Help: "how long lsnrctl start may take; seconds, as a rule"},
		{Name: StopTimeout, Default: "30", Unit: "s", Help: "how long lsnrctl stop may take before the process is ended; sessions are not touched by either"},
		{Name: CheckTimeout, Default: "15", Unit: "s", Help: "how long an answer of the listener may take"},
		{Name: ResolveTimeout, Default: "60", Unit: "s", Help: "how long a start waits until the names in listener.ora lead to this node; several times the record's TTL"},
	}
}

type tuning struct{ start, stop, answer, resolve int }

func tuned(in kits.Instance) tuning {
	return tuning{
		start:   orainst.Seconds(in, StartTimeout, 60, 1, 3600),
		stop:    orainst.Seconds(in, StopTimeout, 30, 1, 3600),
		answer:  orainst.Seconds(in, CheckTimeout, 15, 1, 600),
		resolve: orainst.Seconds(in, ResolveTimeout, 60, 0, 3600),
	}
}

// listenerName: what Oracle takes for one, and no shell for anything else.
var listenerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,127}$`)

// hostName is a name or an address in an Address.
var hostName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,253}$|^::$`)

// Validate judges the fields of one node without touching anything.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, text, fix string) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix})
	}
	if h := in.Attrs[FieldHome]; !orainst.HomePath(h) {
		add(FieldHome, fmt.Sprintf("%.80q cannot be an ORACLE_HOME", h), `write the path as in oratab, like "/u01/app/oracle/product/19.0.0/dbhome_1"`)
	}
	if n := nameOf(in); !listenerName.MatchString(n) {
		add(FieldName, fmt.Sprintf("%.40q cannot be a listener's name", n), `write it as in listener.ora, like "LISTENER"`)
	}
	if f := in.Attrs[FieldOra]; f != "" && (!orainst.HomePath(f) || !strings.HasSuffix(f, "/listener.ora")) {
		add(FieldOra, fmt.Sprintf("%.80q cannot be the path of a listener.ora", f), `write it like "/u01/app/oracle/network/admin/listener.ora"; Oracle knows the directory only, the file's name is fixed`)
	}
	if u := in.Attr(FieldUser, defaultUser); !orainst.UserName.MatchString(u) {
		add(FieldUser, fmt.Sprintf("%.40q cannot be the name of a user", u), `write the owner's login name, like "oracle"`)
	}
	if _, err := chosen(in); err != nil {
		add(FieldAddresses, err.Error(), `write them like "tcp:www.example.com:1521", separated by commas`)
	}
	switch p := in.Attr(FieldProtection, Full); p {
	case Full, Intermediate, Minimal:
	default:
		add(FieldProtection, fmt.Sprintf("%.40q is no protection level", p), "write full, intermediate or minimal")
	}
	return out
}

func nameOf(in kits.Instance) string { return in.Attr(FieldName, defaultName) }

// oraFile is where listener.ora lies on this node.
func oraFile(in kits.Instance) string {
	return in.Attr(FieldOra, in.Attrs[FieldHome]+"/network/admin/listener.ora")
}

// chosen reads the field addresses; none when it was left out.
func chosen(in kits.Instance) ([]Address, error) {
	var out []Address
	for text := range strings.SplitSeq(in.Attrs[FieldAddresses], ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		a, err := parseAddress(text)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if len(out) > 8 {
		return nil, fmt.Errorf("more than 8 addresses")
	}
	return out, nil
}

// Effects: a process comes or goes.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	e := kits.Effect{Kind: "process", What: "listener " + nameOf(in)}
	switch a {
	case kits.ActStart:
		e.To = in.Node.Name
		if in.Active != in.Node.Name {
			e.From = in.Active
		}
	case kits.ActRecover:
		e.From, e.To = in.Node.Name, in.Node.Name
	case kits.ActStop:
		if !stops(in) {
			e.What += " (is left running)"
		}
		e.From = in.Node.Name
	default:
		return nil
	}
	return []kits.Effect{e}
}

// stops and monitors are what the protection level asks for.
func stops(in kits.Instance) bool    { return in.Attr(FieldProtection, Full) == Full }
func monitors(in kits.Instance) bool { return in.Attr(FieldProtection, Full) != Minimal }

// Timeout is the longest an action may take: the bounds that stand in the scripts, and room.
func (Kit) Timeout(a kits.Action, in kits.Instance) time.Duration {
	t := tuned(in)
	addresses := 8
	if list, err := chosen(in); err == nil && len(list) > 0 {
		addresses = len(list)
	}
	look := 2*t.answer + 2 + addresses*t.answer + 10
	stop := t.stop + 25
	start := t.resolve + t.start + (2+len(databases(in)))*t.answer + look + 15
	n := look
	switch a {
	case kits.ActStart:
		n = start
	case kits.ActRecover:
		n = look + stop + start
	case kits.ActStop:
		n = stop
	case kits.ActEligible:
		n = 20
	}
	return time.Duration(n) * time.Second
}
