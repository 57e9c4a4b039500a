package sim

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// Options of a simulated estate. The zero value is a fast one.
type Options struct {
	// Dir takes the login key and known_hosts; empty = a temporary one that Close removes.
	Dir string
	// Nodes are the options of the network and the machines. Authorized is filled in.
	Nodes nodesim.Options
	// EC2 are the options of the endpoint.
	EC2 ec2sim.Options
	// Route53 are the options of that endpoint.
	Route53 r53sim.Options
	// FirstPort is where the first application listens, the next ones above it; 0 = 8080.
	FirstPort int
	// StartTime is how long an application takes to start; 0 = at once.
	StartTime time.Duration
}

// Sim is a simulated estate: a definition come to life.
type Sim struct {
	// Definition is the estate as given, with the ssh settings that lead here: log
	// in with DialContext of Nodes.
	Definition *hierarchy.Estate
	// Nodes is the network with the nodes on it.
	Nodes *nodesim.World
	// EC2 is the endpoint; reach it through its Transport with AccessKey and SecretKey.
	EC2 *ec2sim.Server
	// Route53 is the one for names, with the same keys.
	Route53 *r53sim.Server

	index   *hierarchy.Index
	ports   map[hierarchy.Tag]int
	tunnels []Tunnel
	routes  routeCache
	dir     string
	own     bool // dir is ours to remove
}

// New brings an estate up: every server of the definition as a node, every quorum
// host outside of them as a plain host, the cloud as Cloud describes it, and for
// every resource of kit app a service that its commands control. Commands that
// are paths get scripts at these paths. Between the nodes of openswan resources there
// are tunnels (TunnelsOf), and private traffic between regions takes them. The disks that
// resources name are there, with databases on them where a resource wants one.
func New(e *hierarchy.Estate, o Options) (*Sim, error) {
	s := &Sim{index: hierarchy.NewIndex(e), ports: map[hierarchy.Tag]int{}, dir: o.Dir}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "ferry-sim-")
		if err != nil {
			return nil, fmt.Errorf("making a directory for the simulation's keys: %w", err)
		}
		s.dir, s.own = dir, true
	}
	if err := s.build(e, o); err != nil {
		s.Close()
		return nil, fmt.Errorf("building the simulated estate: %w", err)
	}
	return s, nil
}

func (s *Sim) build(e *hierarchy.Estate, o Options) error {
	key, err := s.writeKey()
	if err != nil {
		return err
	}
	o.Nodes.Authorized = []ssh.PublicKey{key}
	s.Nodes = nodesim.NewWorld(o.Nodes)
	if s.EC2, err = ec2sim.New(Cloud(e), o.EC2); err != nil {
		return err
	}
	s.EC2.OnChange(s.follow)
	if s.Route53, err = r53sim.New(DNS(e), o.Route53); err != nil {
		return err
	}
	s.Nodes.SetNames(s.resolve)
	apps := s.applications(e, o)
	known := ""
	for _, srv := range e.Servers {
		n, err := s.addServer(srv, apps)
		if err != nil {
			return err
		}
		known += knownhosts.Line(slices.Compact([]string{dialed(srv), srv.Address}), n.HostKey()) + "\n"
	}
	if err := s.addWitnesses(e); err != nil {
		return err
	}
	if err := s.addTunnels(e); err != nil {
		return err
	}
	if err := s.addData(e); err != nil {
		return err
	}
	s.Definition = s.redirect(e)
	return os.WriteFile(filepath.Join(s.dir, "known_hosts"), []byte(known), 0o600)
}

// Close ends everything.
func (s *Sim) Close() {
	if s.EC2 != nil {
		s.EC2.Close()
	}
	if s.Route53 != nil {
		s.Route53.Close()
	}
	if s.Nodes != nil {
		s.Nodes.Close()
	}
	if s.own {
		_ = os.RemoveAll(s.dir)
	}
}

func (s *Sim) writeKey() (ssh.PublicKey, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "simulation")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "key"), pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	return ssh.NewPublicKey(public)
}

func dialed(s hierarchy.Server) string {
	if s.Connect != "" {
		return s.Connect
	}
	return s.Address
}

// redirect is the definition with the ssh settings of the simulation.
func (s *Sim) redirect(e *hierarchy.Estate) *hierarchy.Estate {
	out := *e
	out.SSH = hierarchy.SSH{
		User: "root", Config: "none",
		Identity: filepath.Join(s.dir, "key"), KnownHosts: filepath.Join(s.dir, "known_hosts"),
	}
	out.Servers = slices.Clone(e.Servers)
	for i := range out.Servers {
		out.Servers[i].SSH = hierarchy.SSH{}
	}
	return &out
}

// application is what a resource of kit app becomes on a node.
type application struct {
	service nodesim.Service
	scripts map[string]string // path → text
	on      []string
}

func (s *Sim) applications(e *hierarchy.Estate, o Options) []application {
	port := o.FirstPort
	if port == 0 {
		port = 8080
	}
	var out []application
	for _, r := range e.Res {
		if r.Kit != "app" {
			continue
		}
		a := application{scripts: map[string]string{}}
		a.service = nodesim.Service{Name: ServiceName(r), Port: port, StartTime: o.StartTime}
		for field, command := range map[string]string{
			"start": "systemctl start ", "stop": "systemctl stop ", "check": "systemctl is-active --quiet ", "recover": "systemctl restart ",
		} {
			if p, _, _ := strings.Cut(r.Attrs[field], " "); strings.HasPrefix(p, "/") {
				a.scripts[p] = "#!/bin/sh\n" + command + a.service.Name + "\n"
			}
		}
		for _, p := range r.On {
			a.on = append(a.on, p.Server)
		}
		s.ports[r.Tag] = port
		port++
		out = append(out, a)
	}
	return out
}

// ServiceName is the unit that the commands of a resource of kit app speak of, or its tag.
func ServiceName(r hierarchy.Resource) string {
	if u := r.Attrs["unit"]; u != "" {
		return strings.TrimSuffix(u, ".service")
	}
	if u, ok := strings.CutPrefix(r.Attrs["start"], "systemctl start "); ok {
		return strings.TrimSuffix(strings.TrimSpace(u), ".service")
	}
	_, short, _ := strings.Cut(string(r.Tag), "/")
	return short
}

func (s *Sim) addServer(srv hierarchy.Server, apps []application) (*nodesim.Node, error) {
	c := nodesim.NodeConfig{Name: srv.Name, Address: srv.Address, Connect: srv.Connect, Interface: srv.Interface, Public: publicOf(s.index.Estate(), srv.Name)}
	for _, a := range apps {
		if slices.Contains(a.on, srv.Name) {
			c.Services = append(c.Services, a.service)
		}
	}
	n, err := s.Nodes.AddNode(c)
	if err != nil {
		return nil, err
	}
	for _, a := range apps {
		for p, text := range a.scripts {
			if !slices.Contains(a.on, srv.Name) {
				continue
			}
			if err := n.WriteFile(p, text, true); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// addWitnesses adds the quorum hosts that are no servers, named after their address.
func (s *Sim) addWitnesses(e *hierarchy.Estate) error {
	ports := map[string][]nodesim.Service{}
	var order []string
	for _, c := range e.Cluster {
		for _, hp := range c.QuorumHosts {
			host, p, err := net.SplitHostPort(hp)
			port, perr := strconv.Atoi(p)
			if err = errors.Join(err, perr); err != nil {
				return fmt.Errorf("quorum host %s: %w", hp, err)
			}
			if slices.ContainsFunc(e.Servers, func(s hierarchy.Server) bool { return s.Address == host || s.Name == host || s.Connect == host }) {
				continue
			}
			if ports[host] == nil {
				order = append(order, host)
			}
			ports[host] = append(ports[host], nodesim.Service{Name: "port-" + p, Port: port, Enabled: true})
		}
	}
	for i, host := range order {
		address := host
		if _, err := netip.ParseAddr(host); err != nil {
			address = fmt.Sprintf("198.51.100.%d", i+1)
		}
		if _, err := s.Nodes.AddNode(nodesim.NodeConfig{Name: host, Address: address, NoSSH: true, Services: ports[host]}); err != nil {
			return err
		}
	}
	return nil
}
