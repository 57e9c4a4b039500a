package hierarchy

import (
	"strings"
	"time"
)

// Tag is a resource's full name, "cluster/tag". Clusters' tags are unique inside a cluster only.
type Tag string

// Estate is the whole definition: what apply reads and export writes.
// It holds no state; state is in the store.
type Estate struct {
	Name    string            `json:"name"`
	Regions []Region          `json:"regions"`
	Servers []Server          `json:"servers"`
	Cluster []Cluster         `json:"clusters"`
	Paths   []CommPath        `json:"paths,omitempty"`
	Res     []Resource        `json:"resources"`
	Flags   []Flag            `json:"flags,omitempty"`
	Tuning  map[string]string `json:"tuning,omitempty"` // for all
	SSH     SSH               `json:"ssh"`
	Notify  []Notify          `json:"notify,omitempty"`
}

// SSH says how nodes are reached; a server's own values win over the estate's.
type SSH struct {
	User       string `json:"user,omitempty"`
	Port       int    `json:"port,omitempty"`
	Identity   string `json:"identity,omitempty"`   // private key file
	KnownHosts string `json:"knownHosts,omitempty"` // file
	Jump       string `json:"jump,omitempty"`       // ProxyJump
	Config     string `json:"config,omitempty"`     // ssh config file
}

// Region is one AWS region of the estate with its VPC.
type Region struct {
	Name        string   `json:"name"`
	VPC         string   `json:"vpc,omitempty"`
	CIDRs       []string `json:"cidrs,omitempty"`
	Profile     string   `json:"profile,omitempty"`
	EndpointEC2 string   `json:"endpointEC2,omitempty"`
	EndpointDNS string   `json:"endpointRoute53,omitempty"`
	RouteTables []string `json:"routeTables,omitempty"`
}

// Server is one node.
type Server struct {
	Name      string            `json:"name"`
	Region    string            `json:"region"`
	Zone      string            `json:"zone"`
	Address   string            `json:"address"`           // private address, also used by peers
	Connect   string            `json:"connect,omitempty"` // host the engine dials, default Address
	Interface string            `json:"interface,omitempty"`
	Instance  string            `json:"instance,omitempty"`
	ENI       string            `json:"eni,omitempty"`
	SSH       SSH               `json:"ssh"`
	Tuning    map[string]string `json:"tuning,omitempty"`
	// Shutdown strategy: false = do not switch over (default).
	SwitchOnShutdown bool `json:"switchOnShutdown,omitempty"`
}

// Cluster is a set of servers with comm paths between all of them.
type Cluster struct {
	Name    string   `json:"name"`
	Servers []string `json:"servers"`
	// QuorumMode: "tcp_remote", "majority" or "none"; empty = default by shape (SPEC 6).
	QuorumMode  string   `json:"quorumMode,omitempty"`
	QuorumHosts []string `json:"quorumHosts,omitempty"` // host:port
	// AllowAutomaticCrossing lifts the guard on pairs across regions.
	AllowAutomaticCrossing bool `json:"allowAutomaticCrossing,omitempty"`
	// Fencing: "" or "ec2-stop".
	Fencing string `json:"fencing,omitempty"`
}

// CommPath is one declared path between two servers, beside the default full mesh
// on the servers' addresses.
type CommPath struct {
	Cluster  string `json:"cluster"`
	From     string `json:"from"`
	To       string `json:"to"`
	FromAddr string `json:"fromAddr,omitempty"`
	ToAddr   string `json:"toAddr"`
	Priority int    `json:"priority,omitempty"`
	// Via are the resources that carry the path, each of which must work: for a path
	// between regions the tunnels of both, since an answer goes by its own region's routes.
	Via Vias `json:"via,omitempty"`
}

// Vias are the tags of what carries a comm path, with commas between them.
type Vias string

// ViasOf joins tags.
func ViasOf(tags ...Tag) Vias {
	all := make([]string, len(tags))
	for i, t := range tags {
		all[i] = string(t)
	}
	return Vias(strings.Join(all, ", "))
}

// Tags are the resources.
func (v Vias) Tags() []Tag {
	var out []Tag
	for _, t := range strings.Split(string(v), ",") {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, Tag(t))
		}
	}
	return out
}

// Switchback tells what happens when a better node comes back.
type Switchback string

// The switchback types.
const (
	Intelligent Switchback = "intelligent"
	Automatic   Switchback = "automatic"
)

// Resource is one protected thing with its instances on servers.
type Resource struct {
	Tag        Tag               `json:"tag"`
	Kit        string            `json:"kit"`
	Cluster    string            `json:"cluster"`
	Switchback Switchback        `json:"switchback"`
	Children   []Tag             `json:"children,omitempty"` // what this one needs
	Attrs      map[string]string `json:"attrs,omitempty"`    // fields, same on every node
	On         []Placement       `json:"on"`                 // by priority
}

// Placement is a resource extended to one server.
type Placement struct {
	Server   string            `json:"server"`
	Priority int               `json:"priority"` // 1 is highest; unique per resource
	Attrs    map[string]string `json:"attrs,omitempty"`
}

// Flag is a row of the {viewer, server} form: on Viewer, before it takes over from Peer.
type Flag struct {
	Viewer  string `json:"viewer"`
	Peer    string `json:"peer"`
	Confirm bool   `json:"confirm"` // confirmso!PEER on VIEWER
	Block   bool   `json:"block"`   // a failure of a resource on Peer never moves it to Viewer
}

// State of a resource on a node.
type State string

// The states (SPEC 2).
const (
	ISP      State = "ISP"
	ISU      State = "ISU"
	OSU      State = "OSU"
	OSF      State = "OSF"
	ILLSTATE State = "ILLSTATE"
)

// InService tells ISP and ISU.
func (s State) InService() bool { return s == ISP || s == ISU }

// Claim says who holds a resource, as a rising number written before it is taken into service.
type Claim struct {
	Number   uint64    `json:"number"`
	Node     string    `json:"node"`
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"` // person or "automatic"
	Unfenced bool      `json:"unfenced,omitempty"`
}

// Ref names a resource on a node.
type Ref struct {
	Tag  Tag
	Node string
}
