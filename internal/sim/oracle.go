package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits/listener"
	"github.com/ferry-ha/ferry/kits/oracle"
)

// listenerPort is where the first listener of an estate listens, the next ones above it.
const listenerPort = 1521

// installOracle puts an installation on every node of a database, and its files on the first node's disk. The listeners
// that need the database listen on the name beneath it or them, or on the virtual IP where there is no name.
func (s *Sim) installOracle(r hierarchy.Resource) error {
	servers, attrs := s.fieldsOn(r)
	for i, server := range servers {
		a, n := attrs[server], s.Nodes.Node(server)
		disk, point := s.dataUnder(r, server)
		if n == nil || point == "" {
			continue
		}
		o := nodesim.OracleSetup{
			Home: a[oracle.FieldHome], SID: a[oracle.FieldSID], Owner: cmp.Or(a[oracle.FieldUser], "oracle"),
			Data: path.Join(point, a[oracle.FieldSID]), ListenerOra: s.listenerOra(r.Tag, server),
		}
		if err := n.InstallOracle(o); err != nil {
			return err
		}
		if i == 0 && disk != "" {
			if err := n.FillDiskFiles(disk, nodesim.OracleFiles(a[oracle.FieldSID])); err != nil {
				return err
			}
		}
	}
	return nil
}

// dataUnder is the disk under a database, and the mount point above it: the first file system that it stands on.
func (s *Sim) dataUnder(r hierarchy.Resource, server string) (disk, point string) {
	for _, c := range r.Children {
		if fs := hierarchy.InstanceOf(s.index, c, server, ""); fs.Kit == "filesystem" {
			disk, point, _ = s.diskUnder(r, server, fs.Attrs["mount_point"])
			return disk, point
		}
	}
	return "", ""
}

// listenerOra is the listener.ora of a node, as netca would have written it.
func (s *Sim) listenerOra(database hierarchy.Tag, server string) string {
	var out strings.Builder
	for i, r := range s.listeners() {
		if slices.Contains(r.Children, database) {
			name := cmp.Or(r.Attrs[listener.FieldName], "LISTENER")
			fmt.Fprintf(&out, "%s =\n  (DESCRIPTION =\n    (ADDRESS = (PROTOCOL = TCP)(HOST = %s)(PORT = %d)))\n", name, s.hostBelow(r.Tag, server), listenerPort+i)
		}
	}
	return out.String()
}

func (s *Sim) listeners() []hierarchy.Resource {
	var out []hierarchy.Resource
	for _, r := range s.index.Estate().Res {
		if r.Kit == "listener" {
			out = append(out, r)
		}
	}
	return out
}

// hostBelow is what a listener listens on: the name of the route53 resource beneath it, or the node's virtual IP.
func (s *Sim) hostBelow(t hierarchy.Tag, server string) string {
	address := server
	for _, c := range s.index.Hierarchy(t) {
		switch r := s.index.Resource(c); r.Kit {
		case "route53":
			zone, _ := zoneOf(*r)
			return r.Attrs["host"] + "." + zone
		case "ip":
			address = cmp.Or(hierarchy.InstanceOf(s.index, c, server, "").Attrs["address"], address)
		}
	}
	return address
}

// ListenerPort is where a resource of kit listener listens; 0 for others.
func (s *Sim) ListenerPort(tag hierarchy.Tag) int {
	for i, r := range s.listeners() {
		if r.Tag == tag {
			return listenerPort + i
		}
	}
	return 0
}

// resolve is what the name servers answer, nodes and clients alike: what Route 53 has in sync.
func (s *Sim) resolve(name string) []string {
	name = strings.TrimSuffix(name, ".") + "."
	for _, z := range s.Route53.Served(r53sim.View{}) {
		if !strings.HasSuffix(name, "."+strings.TrimSuffix(z.Name, ".")+".") {
			continue
		}
		if values, _ := z.Resolve(name, "A"); len(values) > 0 {
			return values
		}
	}
	return nil
}

// ConnectDatabase is a client in a region that connects to a database through the listener at addr ("10.1.0.10:1521").
func (s *Sim) ConnectDatabase(ctx context.Context, region, addr, sid string) (*nodesim.OracleSession, error) {
	if first, node, ok := s.tunnelled(region, addr); !ok {
		return nil, fmt.Errorf("no answer from %s: handed to %s, the way ends at %s", addr, first, node)
	}
	if sid == "" {
		return nil, errors.New("ORA-12504: TNS:listener was not given the SERVICE_NAME in CONNECT_DATA")
	}
	return s.Nodes.ConnectOracle(ctx, func(a netip.Addr) (string, bool) { return s.route(region, a) }, addr, sid)
}
