package policy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// namedEstate gives the estates that many scenarios share.
func namedEstate(name string) (string, bool) {
	const regions = "region east\nregion west\n"
	const four = regions + `server LK_P_A east
server LK_P_B east
server LK_S_A west
server LK_S_B west
cluster service LK_P_A LK_P_B LK_S_A LK_S_B
tuning CONFIRMSODEF=1
`
	const on = " on LK_P_A LK_P_B LK_S_A LK_S_B\n"
	switch name {
	case "cross-region": // the seed's service cluster in small
		return four + "resource ip ip" + on + "resource ec2 ec2 needs ip" + on + "resource www app needs ec2" + on, true
	case "one-resource":
		return four + "resource www app" + on, true
	case "mirror":
		return four + "resource disk mirror" + on + "resource ip ip" + on + "resource db app needs disk,ip" + on, true
	case "one-region":
		return `region east
server A east
server B east
server C east
cluster service A B C
resource ip ip on A B C
resource www app needs ip on A B C
`, true
	case "two-nodes":
		return `region east
server A east
server B east
cluster service A B
resource www app on A B
`, true
	case "shared-child": // two parents over one child
		return `region east
server A east
server B east
cluster service A B
resource ip ip on A B
resource mail app needs ip on A B
resource web app needs ip on A B
`, true
	case "fenced":
		return `region east
region west
server A east
server B east switch-on-shutdown
server C west
cluster service A B C fencing=ec2-stop
tuning CONFIRMSODEF=1
resource ip ip on A B C
resource www app switchback needs ip on A B C
resource ftp app switchback on A B C
`, true
	case "witnessed":
		return `region east
region west
server A east
server B east
server C west
cluster service A B C quorum=tcp_remote witnesses=w1:22,w2:22,w3:22 allow-automatic-crossing
tuning CONFIRMSODEF=0 CONFIRMSOTO=60
flag C A none
resource ip ip on A B C
resource www app switchback needs ip on A B C
`, true
	case "tunnel": // the regions see each other through what runs on V or W
		return `region east
region west
server A east
server S west
server V east
server W east
cluster service A S
cluster vpn V W
tuning CONFIRMSODEF=1
resource www app on A S
resource vpn/tun app switchback on V W
path S A 10.0.0.1 via=vpn/tun
path A S 172.16.0.1 via=vpn/tun
`, true
	case "vpn": // a pair of VPN nodes: tunnels on both, the routes point to one
		return `region east
server V east
server W east
cluster vpn V W
tuning LKCHECKINTERVAL=260
resource ec2 ec2 on V W
resource tun tunnel needs ec2 on V W
`, true
	case "regions": // two regions that see each other through tunnels
		return `region east
region west
server A east address=10.0.0.10
server B east address=10.0.10.10
server S west address=172.16.0.10
server V east address=10.0.0.5
server W east address=10.0.10.5
server X west address=172.16.0.5
server Y west address=172.16.10.5
cluster service A B S
cluster vpn-e V W
cluster vpn-w X Y
tuning CONFIRMSODEF=1
resource www app on A B S
resource vpn-e/tun tunnel on V W
resource vpn-w/tun tunnel on X Y
`, true
	case "several": // three hierarchies on one node
		return four + "resource c app" + on + "resource a app" + on + "resource b app on LK_P_B LK_P_A LK_S_A LK_S_B\n", true
	}
	return "", false
}

// parseEstate reads the small language of the scenario files.
func parseEstate(text string) (*hierarchy.Estate, error) {
	e := &hierarchy.Estate{Name: "toy", Tuning: map[string]string{}}
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if err := parseLine(e, f); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	return e, nil
}

func parseLine(e *hierarchy.Estate, f []string) error {
	switch f[0] {
	case "region":
		e.Regions = append(e.Regions, hierarchy.Region{Name: f[1]})
	case "jump":
		e.SSH.Jump = f[1]
	case "server":
		s := hierarchy.Server{Name: f[1], Region: f[2], Zone: f[2] + "-" + f[1], Instance: "i-" + f[1]}
		for _, o := range f[3:] {
			k, v, _ := strings.Cut(o, "=")
			switch k {
			case "address":
				s.Address = v
			case "jump":
				s.SSH.Jump = v
			case "switch-on-shutdown":
				s.SwitchOnShutdown = true
			default:
				if s.Tuning == nil {
					s.Tuning = map[string]string{}
				}
				s.Tuning[k] = v
			}
		}
		e.Servers = append(e.Servers, s)
	case "cluster":
		c := hierarchy.Cluster{Name: f[1]}
		for _, o := range f[2:] {
			switch {
			case o == "allow-automatic-crossing":
				c.AllowAutomaticCrossing = true
			case strings.HasPrefix(o, "fencing="):
				c.Fencing = o[len("fencing="):]
			case strings.HasPrefix(o, "quorum="):
				c.QuorumMode = o[len("quorum="):]
			case strings.HasPrefix(o, "witnesses="):
				c.QuorumHosts = strings.Split(o[len("witnesses="):], ",")
			default:
				c.Servers = append(c.Servers, o)
			}
		}
		e.Cluster = append(e.Cluster, c)
	case "path": // path FROM TO NAME [via=TAG], in the first cluster
		p := hierarchy.CommPath{Cluster: e.Cluster[0].Name, From: f[1], To: f[2], ToAddr: f[3]}
		if len(f) > 4 {
			p.Via = hierarchy.Vias(strings.TrimPrefix(f[4], "via="))
		}
		e.Paths = append(e.Paths, p)
	case "tuning":
		for _, o := range f[1:] {
			k, v, _ := strings.Cut(o, "=")
			e.Tuning[k] = v
		}
	case "flag": // flag VIEWER PEER confirm|block|none…
		fl := hierarchy.Flag{Viewer: f[1], Peer: f[2]}
		for _, o := range f[3:] {
			fl.Confirm = fl.Confirm || o == "confirm"
			fl.Block = fl.Block || o == "block"
		}
		e.Flags = append(e.Flags, fl)
	case "resource": // resource TAG KIT [switchback] [needs A,B] on N1 N2[=priority] …
		cluster, tag, other := strings.Cut(f[1], "/") // resource CLUSTER/TAG …; the first cluster's without
		if !other {
			cluster, tag = e.Cluster[0].Name, f[1]
		}
		r := hierarchy.Resource{Tag: hierarchy.MakeTag(cluster, tag), Kit: f[2], Cluster: cluster, Switchback: hierarchy.Intelligent}
		rest := f[3:]
		if rest[0] == "switchback" {
			r.Switchback, rest = hierarchy.Automatic, rest[1:]
		}
		if rest[0] == "needs" {
			for _, c := range strings.Split(rest[1], ",") {
				r.Children = append(r.Children, hierarchy.MakeTag(cluster, c))
			}
			rest = rest[2:]
		}
		for i, n := range rest[1:] {
			name, prio, given := strings.Cut(n, "=")
			p := hierarchy.Placement{Server: name, Priority: i + 1}
			if given {
				p.Priority, _ = strconv.Atoi(prio)
			}
			r.On = append(r.On, p)
		}
		e.Res = append(e.Res, r)
	default:
		return fmt.Errorf("no such line")
	}
	return nil
}
