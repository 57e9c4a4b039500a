package hierarchy

import (
	"strings"
	"time"
)

// The quorum modes (SPEC 6).
const (
	TCPRemote = "tcp_remote" // a majority of the listed host:port answer
	Majority  = "majority"   // more than half of the cluster's nodes are reached
	NoQuorum  = "none"
)

// Quorum is how a node that would take over is asked whether it may.
type Quorum struct {
	Mode    string
	Hosts   []string // host:port, for tcp_remote
	Timeout time.Duration
	// Unjudged: the mode would be tcp_remote, but no hosts are listed, so there is
	// nobody to reach. Mode is then none: nobody is asked, and Warnings says so.
	Unjudged bool
}

// Quorum is what is in force on a server.
func (x *Index) Quorum(server string) Quorum {
	q := Quorum{
		Mode:    x.Effective(server, QuorumMode),
		Hosts:   splitList(x.Effective(server, QuorumHosts)),
		Timeout: x.Seconds(server, QuorumTimeoutSecs),
	}
	switch {
	case x.clusterOf[server] == nil || q.Mode == "":
		q.Mode = NoQuorum
	case q.Mode == TCPRemote && len(q.Hosts) == 0:
		q.Mode, q.Unjudged = NoQuorum, true
	}
	return q
}

// DefaultQuorumMode goes by the cluster's shape (SPEC 6): over two regions, or with
// two servers, a majority of nodes would block every single failure, so witnesses
// outside are asked; one server has nobody to be cut off from.
func (x *Index) DefaultQuorumMode(c *Cluster) string {
	switch {
	case c == nil || len(c.Servers) < 2:
		return NoQuorum
	case len(c.Servers) == 2 || x.CrossesRegions(c):
		return TCPRemote
	default:
		return Majority
	}
}

// CrossesRegions tells whether a cluster's servers are in more than one region.
// Servers that are not defined do not count.
func (x *Index) CrossesRegions(c *Cluster) bool {
	first := ""
	for _, s := range c.Servers {
		r := x.RegionOf(s)
		if first == "" {
			first = r
		}
		if r != "" && r != first {
			return true
		}
	}
	return false
}

func (x *Index) addQuorumDefaults(all map[string]string, s *Server) {
	if all[QuorumMode] == "" {
		all[QuorumMode] = x.DefaultQuorumMode(x.clusterOf[s.Name])
	}
}

// addClusterQuorum puts what the cluster says over what holds for the estate.
func (x *Index) addClusterQuorum(all map[string]string, s *Server) {
	c := x.clusterOf[s.Name]
	if c == nil {
		return
	}
	if c.QuorumMode != "" {
		all[QuorumMode] = c.QuorumMode
	}
	if len(c.QuorumHosts) > 0 {
		all[QuorumHosts] = strings.Join(c.QuorumHosts, ",")
	}
}

func splitList(s string) []string {
	var list []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		list = append(list, part)
	}
	return list
}
