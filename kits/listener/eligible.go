package listener

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// Eligible: the installation is there, listener.ora defines the listener and its addresses, and nothing
// starts it at boot. It changes nothing.
func (k Kit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	c, err := readConf(ctx, h, in, true)
	if r := lacks(in, c.answer); r != nil {
		return kits.Eligibility{Outcome: kits.Failed, Reason: *r}
	}
	if err != nil {
		r := confReport(in, err)
		return kits.Eligibility{Outcome: r.Outcome, Reason: r.Reason}
	}
	if r := boots(in, c.answer); r != nil {
		return kits.Eligibility{Outcome: kits.Failed, Reason: *r}
	}
	return kits.Eligibility{Outcome: kits.OK}
}

// lacks finds what the installation misses.
func lacks(in kits.Instance, a orainst.Answer) *kits.Reason {
	node := in.Node.Name
	for _, m := range a.Marks {
		var r kits.Reason
		switch m.Word {
		case "missing":
			r = why(in, "listener.no-tool", "%s has no %s, without which nothing can be said about %s; install it", node, m.Rest, in.Tag)
		case "nouser":
			r = why(in, "listener.no-user", "%s has no user %s; correct the field os_user", node, m.Rest)
		case "nobinary":
			r = why(in, "listener.no-home", "%s is missing on %s or cannot be executed; install Oracle there, or correct the field oracle_home", m.Rest, node)
		case "ohasd":
			r = why(in, "listener.restart", "Oracle Restart or Clusterware runs on %s and starts listeners by itself; ferry does not work beside it (srvctl remove listener, or deconfigure it)", node)
		default:
			continue
		}
		r.Args["detail"] = m.Rest
		return &r
	}
	return nil
}

// begins finds the listeners that a line starts: "lsnrctl start NAME", without a name the default one.
var begins = regexp.MustCompile(`(?i)\blsnrctl['"]?\s+start\b[ \t]*([A-Za-z][A-Za-z0-9_.-]*)?`)

// boots finds what would start the listener at boot. dbstart starts the default one, whatever oratab says.
func boots(in kits.Instance, a orainst.Answer) *kits.Reason {
	name, node := nameOf(in), in.Node.Name
	for _, b := range a.Boots() {
		for _, line := range b.Lines {
			starts := strings.EqualFold(name, defaultName) && strings.Contains(line, "dbstart") && !strings.HasPrefix(strings.TrimSpace(line), "#")
			for _, m := range begins.FindAllStringSubmatch(line, -1) {
				starts = starts || strings.EqualFold(m[1], name) || m[1] == "" && strings.EqualFold(name, defaultName)
			}
			if starts {
				r := why(in, "listener.starts-at-boot", "%s on %s starts the listener %s when the machine boots; switch that off with: %s", b.Unit, node, name, b.SwitchOff())
				r.Args["detail"], r.Args["fix"] = b.Unit, b.SwitchOff()
				return &r
			}
		}
	}
	return nil
}

// parseAddress reads "tcp:host:1521" or "ipc:KEY".
func parseAddress(text string) (Address, error) {
	protocol, rest, ok := strings.Cut(text, ":")
	a := Address{Protocol: strings.ToUpper(protocol)}
	if ok && a.Protocol == "IPC" && listenerName.MatchString(rest) {
		a.Key = rest
		return a, nil
	}
	h, port, err := net.SplitHostPort(rest)
	n, perr := strconv.Atoi(port)
	if !ok || !a.listening() || err != nil || perr != nil || n < 1 || n > 65535 || !hostName.MatchString(h) {
		return a, fmt.Errorf("%.60q is no address of a listener", text)
	}
	a.Host, a.Port = h, n
	return a, nil
}

// Choices offers what oratab and listener.ora name. It changes nothing.
func (k Kit) Choices(ctx context.Context, h kits.Host, in kits.Instance, field string) ([]string, error) {
	switch field {
	case FieldHome, FieldUser:
		found, err := orainst.Find(ctx, h, in.Attrs[FieldHome])
		if err != nil {
			return nil, err
		}
		if field == FieldHome {
			return found.Homes(""), nil
		}
		return found.Owners(in.Attrs[FieldHome]), nil
	case FieldOra:
		return files(ctx, h, in)
	case FieldName, FieldAddresses:
		c, err := readConf(ctx, h, in, false)
		if c.listeners == nil {
			return nil, fmt.Errorf("reading listener.ora of %s: %w", in.Node.Name, err)
		}
		return c.choices(field), nil
	}
	return nil, nil
}

func (c conf) choices(field string) []string {
	var out []string
	if field == FieldAddresses {
		for _, a := range c.addresses {
			out = append(out, a.String())
		}
		return out
	}
	for name := range c.listeners {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// filesSh says which of the usual places has a listener.ora. $1 ORACLE_HOME
const filesSh = `root=''
echo "@begin"
[ ! -f "$1/network/admin/listener.ora" ] || echo "@ora $1/network/admin/listener.ora"
for f in /etc/listener.ora /var/opt/oracle/listener.ora; do
	[ ! -f "$root$f" ] || echo "@ora $f"
done
echo "@end"
`

func files(ctx context.Context, h kits.Host, in kits.Instance) ([]string, error) {
	res, err := h.Run(ctx, kits.Script{Name: "listener/files", Body: filesSh, Args: []string{in.Attrs[FieldHome]}})
	if err != nil {
		return nil, fmt.Errorf("looking for listener.ora on %s: %w", in.Node.Name, err)
	}
	a, err := orainst.ParseAnswer(res)
	if err != nil {
		return nil, fmt.Errorf("looking for listener.ora on %s: %w", in.Node.Name, err)
	}
	var out []string
	for _, m := range a.All("ora") {
		out = append(out, m.Rest)
	}
	return out, nil
}
