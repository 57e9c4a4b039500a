package openswan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// confPath is where both daemons have their configuration; confRoom is how many bytes of it are read.
const (
	confPath = "/etc/ipsec.conf"
	confRoom = 256 * 1024
)

// Connection reads the connection from the node's own ipsec.conf, complete: public
// IPs, subnets and source addresses of both sides. Whoever creates the EC2 child takes its destinations from PeerSubnets of it.
func (k Kit) Connection(ctx context.Context, h kits.Host, in kits.Instance) (Connection, error) {
	c, own, err := k.conf(ctx, h, in)
	if err != nil {
		return Connection{}, err
	}
	con, err := c.connection(in.Attrs[FieldConnection], own, nil)
	if err != nil {
		return con, noFit{err}
	}
	if m := con.missing(); len(m) > 0 {
		return con, noFit{fmt.Errorf("conn %s in ipsec.conf lacks %s", con.Name, strings.Join(m, ", "))}
	}
	return con, nil
}

// noFit is an error of the configuration itself, where asking again cannot help.
type noFit struct{ error }

func (e noFit) Unwrap() error { return e.error }

// Choices offers the connections of the node's ipsec.conf that have both ends. It changes nothing.
func (k Kit) Choices(ctx context.Context, h kits.Host, in kits.Instance, field string) ([]string, error) {
	if field != FieldConnection {
		return nil, nil
	}
	c, _, err := k.conf(ctx, h, in)
	if err != nil {
		return nil, fmt.Errorf("reading the connections of %s: %w", in.Node.Name, err)
	}
	return slices.DeleteFunc(c.names(), func(n string) bool { return !connName.MatchString(n) }), nil
}

// conf fetches and reads the configuration, and the node's own addresses.
func (Kit) conf(ctx context.Context, h kits.Host, in kits.Instance) (*conf, []netip.Addr, error) {
	s := script("conf", confSh, confBound, in, confPath, strconv.Itoa(confRoom))
	res, err := h.Run(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	files, own, err := readFiles(res)
	if err != nil {
		return nil, nil, err
	}
	if a, err := netip.ParseAddr(in.Node.Address); err == nil {
		own = append(own, a)
	}
	c, err := parseConf(files)
	if err != nil {
		err = noFit{err}
	}
	return c, own, err
}

// readFiles takes the files and the addresses out of an answer.
func readFiles(res kits.Result) (files []file, own []netip.Addr, err error) {
	a, err := parseAnswer(res)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range a.marks {
		switch m.word {
		case "missing":
			return nil, nil, noFit{fmt.Errorf("%s is not installed", kits.OneLine(m.rest, 40))}
		case "toobig":
			return nil, nil, noFit{fmt.Errorf("ipsec.conf and its includes are larger than %d bytes; include less", confRoom)}
		case "toodeep":
			return nil, nil, noFit{fmt.Errorf("the includes are more than ten deep at %s", kits.OneLine(m.rest, 120))}
		case "file":
			if !path.IsAbs(m.rest) || m.rest != kits.OneLine(m.rest, 400) {
				return nil, nil, noFit{fmt.Errorf("%q is no path of a configuration file", kits.OneLine(m.rest, 120))}
			}
			files = append(files, file{m.rest, strings.Join(m.lines, "\n")})
		case "addresses":
			own = addresses(m.lines)
		}
	}
	if len(files) == 0 || path.Clean(files[0].path) != confPath {
		return nil, nil, noFit{fmt.Errorf("there is no %s that can be read; install Openswan or Libreswan and set the tunnel up", confPath)}
	}
	return files, own, nil
}

// Eligible: the connection is in the node's ipsec.conf, complete, what the daemon has loaded agrees with it, and the
// tunnel works now. It changes nothing.
func (k Kit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	con, err := k.Connection(ctx, h, in)
	if err != nil {
		return notReadable(in, err)
	}
	l, r := lookAt(ctx, k, h, in)
	if r.Outcome != kits.OK {
		return kits.Eligibility{Outcome: r.Outcome, Reason: r.Reason}
	}
	if what := differs(con, l.tunnel); what != "" {
		return kits.Eligibility{Outcome: kits.Failed, Reason: detailed(what, why(in, "openswan.not-reloaded",
			"%s in ipsec.conf of %s is not what the daemon has loaded; load it with: ipsec auto --replace %s", what, in.Node.Name, con.Name))}
	}
	return kits.Eligibility{Outcome: kits.OK}
}

// notReadable tells a configuration that does not do from one that was not seen.
func notReadable(in kits.Instance, err error) kits.Eligibility {
	text := kits.OneLine(err.Error(), 300)
	if errors.As(err, &noFit{}) {
		return kits.Eligibility{Outcome: kits.Failed, Reason: detailed(text, why(in, "openswan.conf",
			"the connection cannot be used on %s: %s", in.Node.Name, text))}
	}
	return kits.Eligibility{Reason: detailed(text, why(in, "openswan.no-conf", "ipsec.conf of %s could not be read: %s", in.Node.Name, text))}
}

// detailed keeps as an argument what a reason is about, for other languages: the place in
// a file, or what could not be read.
func detailed(what string, r kits.Reason) kits.Reason {
	r.Args["detail"] = what
	return r
}

// differs names the first fact in which the configuration and the daemon do not agree.
func differs(c Connection, t tunnel) string {
	switch {
	case t.source.IsValid() && t.source != c.Local.Source:
		return c.Local.word + "sourceip"
	case t.peer.IsValid() && t.peer != c.Peer.Source:
		return c.Peer.word + "sourceip"
	case t.host.IsValid() && c.Peer.Host.IsValid() && t.host != c.Peer.Host:
		return c.Peer.word
	case len(t.parts) != len(c.Local.Subnets)*len(c.Peer.Subnets): // the daemon makes a part of each pair
		return "the number of networks in leftsubnets and rightsubnets"
	}
	return ""
}
