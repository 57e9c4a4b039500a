package listener

import (
	"context"
	_ "embed" // the scripts, kept as files so that shellcheck and editors know them
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

//go:embed sh/lib.sh
var libSh string

//go:embed sh/check.sh
var checkSh string

//go:embed sh/conf.sh
var confSh string

//go:embed sh/start.sh
var startSh string

//go:embed sh/bring.sh
var bringSh string

//go:embed sh/stop.sh
var stopSh string

// CheckScript looks for the listener and asks it.
func (k Kit) CheckScript(in kits.Instance) kits.Script {
	return script("check", checkSh, kits.ActCheck, in)
}

// Check runs the check's script by itself.
func (k Kit) Check(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, k.CheckScript(in))
	return k.JudgeCheck(in, res, err)
}

// Start waits until the names in listener.ora lead here, starts the listener, and lets the databases register.
func (k Kit) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	c, err := readConf(ctx, h, in, false)
	if err != nil {
		return confReport(in, err)
	}
	t := tuned(in)
	res, err := h.Run(ctx, script("start", startSh, kits.ActStart, in,
		strconv.Itoa(t.start), strings.Join(c.hosts(in), "\n"), strconv.Itoa(t.resolve), strings.Join(databases(in), "\n"), prelude(bringSh)))
	return judgeStart(in, res, err)
}

// Stop ends the listener, where the protection level says so, and looks until it is gone.
func (k Kit) Stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	if !stops(in) {
		return kits.Report{Outcome: kits.OK, Presence: kits.Absent, Details: map[string]string{"protection": in.Attrs[FieldProtection]}}
	}
	return stop(ctx, h, in)
}

func stop(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	res, err := h.Run(ctx, script("stop", stopSh, kits.ActStop, in, strconv.Itoa(tuned(in).stop)))
	return judgeStop(in, res, err)
}

// Recover ends a listener that does not work, and starts it. One that works is left alone.
func (k Kit) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	r := k.Check(ctx, h, in)
	switch {
	case r.Outcome == kits.OK:
		return r
	case r.Outcome == kits.Failed && r.Presence == kits.Absent:
	default:
		if r := stop(ctx, h, in); r.Outcome != kits.OK {
			return r
		}
	}
	return k.Start(ctx, h, in)
}

func prelude(body string) string { return orainst.Prelude + "\n" + libSh + "\n" + body }

// script puts the preludes before a body. more are the body's own arguments, $1 on.
func script(name, body string, a kits.Action, in kits.Instance, more ...string) kits.Script {
	var where []string
	if list, err := chosen(in); err == nil {
		for _, a := range list {
			if a.Protocol == "TCP" {
				where = append(where, fmt.Sprintf("(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=%s)(PORT=%d)))", a.Host, a.Port))
			}
		}
	}
	return kits.Script{
		Name: "listener/" + name, Body: prelude(body), Deadline: Kit{}.Timeout(a, in), Mutates: a == kits.ActStart || a == kits.ActStop,
		Args: append(append(common(in), strconv.Itoa(tuned(in).answer), strings.Join(where, "\n")), more...),
	}
}

// common are the prelude's arguments.
func common(in kits.Instance) []string {
	return []string{nameOf(in), in.Attrs[FieldHome], in.Attr(FieldUser, defaultUser), path.Dir(oraFile(in)), orainst.UnitName(in.Tag)}
}

// databases are the Oracle instances beneath, on this node: "SID HOME USER".
func databases(in kits.Instance) []string {
	var out []string
	for _, c := range in.Children {
		on := c.On[in.Node.Name]
		user := on["os_user"]
		if user == "" {
			user = defaultUser
		}
		if c.Kit == "oracle" && orainst.SIDName.MatchString(on["oracle_sid"]) && orainst.HomePath(on["oracle_home"]) && orainst.UserName.MatchString(user) {
			out = append(out, on["oracle_sid"]+" "+on["oracle_home"]+" "+user)
		}
	}
	return out
}

// conf is what a node's listener.ora says about the listener.
type conf struct {
	answer    orainst.Answer
	listeners map[string][]Address
	addresses []Address
}

// noFit wraps what a person must mend in the configuration; any other error means that it was not seen.
type noFit struct{ error }

// readConf fetches and reads listener.ora; with all, also what Eligible asks of the installation.
func readConf(ctx context.Context, h kits.Host, in kits.Instance, all bool) (conf, error) {
	what := ""
	if all {
		what = "all"
	}
	s := kits.Script{Name: "listener/conf", Body: orainst.Prelude + "\n" + confSh, Deadline: 15 * time.Second, Args: append(common(in), oraFile(in), what)}
	res, err := h.Run(ctx, s)
	if err != nil {
		return conf{}, err
	}
	c := conf{}
	if c.answer, err = orainst.ParseAnswer(res); err != nil {
		return c, err
	}
	var files []File
	for _, m := range c.answer.All("file") {
		files = append(files, File{m.Rest, m.Text()})
	}
	if len(files) == 0 || path.Clean(files[0].Path) != oraFile(in) {
		return c, noFit{fmt.Errorf("there is no %s; copy it from the node where the listener runs, or correct the field listener_ora", oraFile(in))}
	}
	if c.listeners, err = Listeners(files); err != nil {
		return c, noFit{err}
	}
	c.addresses = c.listeners[strings.ToUpper(nameOf(in))]
	if len(c.addresses) == 0 {
		return c, noFit{fmt.Errorf("%s defines no listener %s with an address", oraFile(in), nameOf(in))}
	}
	return c, c.fits(in)
}

// fits: the addresses that were chosen are the listener's, and one of all is in the network.
func (c conf) fits(in kits.Instance) error {
	have := map[string]bool{}
	network := false
	for _, a := range c.addresses {
		have[strings.ToLower(a.String())] = true
		network = network || a.listening()
		if a.listening() && !hostName.MatchString(a.Host) {
			return noFit{fmt.Errorf("%.60q in %s is no host", a.Host, oraFile(in))}
		}
	}
	if !network {
		return noFit{fmt.Errorf("the listener %s in %s has no TCP address that a client could connect to", nameOf(in), oraFile(in))}
	}
	list, err := chosen(in)
	if err != nil {
		return noFit{err}
	}
	for _, a := range list {
		if !have[strings.ToLower(a.String())] {
			return noFit{fmt.Errorf("%s is not among the addresses of %s in %s", a, nameOf(in), oraFile(in))}
		}
	}
	return nil
}

// hosts are what the listener binds: everything in listener.ora, whether it was chosen or not.
func (c conf) hosts(kits.Instance) []string {
	var out []string
	for _, a := range c.addresses {
		if a.listening() {
			out = append(out, a.Host)
		}
	}
	return out
}

// confReport is the report of an action that could not read listener.ora.
func confReport(in kits.Instance, err error) kits.Report {
	text := kits.OneLine(err.Error(), 300)
	if errors.As(err, &noFit{}) {
		r := failed(in, "listener.conf", "the listener %s cannot be used on %s: %s", nameOf(in), in.Node.Name, text)
		r.Permanent = true
		return detailed(r, text)
	}
	return detailed(unknown(in, "listener.no-conf", "listener.ora of %s could not be read: %s", in.Node.Name, text), text)
}
