package adopt

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Said is what one node said when it was asked.
type Said struct {
	Node    string `json:"node"`
	Address string `json:"address"`
	// Err is why the node could not be asked, or why what it keeps cannot be read.
	Err string `json:"error,omitempty"`
	// Estate, Engine, Epoch, Who and Since are the node's record; empty without one.
	Estate string `json:"estate,omitempty"`
	Engine string `json:"engine,omitempty"`
	Epoch  uint64 `json:"epoch,omitempty"`
	Who    string `json:"who,omitempty"`
	Since  string `json:"since,omitempty"`
	// Beat is how long ago an engine's heartbeat last reached the node's disk, by its own
	// clock; negative = never. By is that engine's id, when it said so.
	Beat time.Duration `json:"beat"`
	By   string        `json:"beatBy,omitempty"`
	// Claims are the numbers under which the node held resources.
	Claims map[hierarchy.Tag]uint64 `json:"claims,omitempty"`
	Copy   *Copy                    `json:"-"`
	// CopyErr is why its copy cannot be used.
	CopyErr string `json:"copyError,omitempty"`
	// Units still run there in the name of an engine.
	Units []string `json:"units,omitempty"`
}

// Belongs is the id of the estate that the node's record, or else its copy, names.
func (s *Said) Belongs() string {
	if s.Estate == "" && s.Copy != nil {
		return s.Copy.Estate
	}
	return s.Estate
}

// Survey is what all nodes said, those first that could be asked, by name.
type Survey []Said

// Estate is one of the estates that nodes of a survey belong to.
type Estate struct {
	ID    string
	Name  string // empty when no copy tells
	Nodes []string
}

// Estates lists the estates that the nodes belong to, by name and id.
func (s Survey) Estates() []Estate {
	all := map[string]*Estate{}
	for i := range s {
		id := s[i].Belongs()
		if id == "" {
			continue
		}
		if all[id] == nil {
			all[id] = &Estate{ID: id}
		}
		all[id].Nodes = append(all[id].Nodes, s[i].Node)
	}
	for id, e := range all {
		if c, _ := s.Newest(id); c != nil {
			e.Name = c.Definition.Name
		}
	}
	out := make([]Estate, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out = append(out, *all[id])
	}
	slices.SortStableFunc(out, func(a, b Estate) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Newest is the newest copy of an estate and the node that has it; nil without any.
func (s Survey) Newest(estate string) (c *Copy, node string) {
	for i := range s {
		if o := s[i].Copy; o != nil && o.Estate == estate && (c == nil || o.Newer(c)) {
			c, node = o, s[i].Node
		}
	}
	return c, node
}

// Leader is the node whose record names the highest epoch of an estate; nil when no
// record does.
func (s Survey) Leader(estate string) *Said {
	var top *Said
	for i := range s {
		if s[i].Estate == estate && (top == nil || s[i].Epoch > top.Epoch) {
			top = &s[i]
		}
	}
	return top
}

// Epoch is the highest epoch of an estate that any record or copy names.
func (s Survey) Epoch(estate string) uint64 {
	var top uint64
	if l := s.Leader(estate); l != nil {
		top = l.Epoch
	}
	if c, _ := s.Newest(estate); c != nil {
		top = max(top, c.Epoch)
	}
	return top
}

// Live is the node of an estate on which an engine's heartbeat was seen most recently,
// when that is no longer ago than the time given: some engine is at work. nil = none.
func (s Survey) Live(estate string, within time.Duration) *Said {
	var last *Said
	for i := range s {
		if o := &s[i]; o.Belongs() == estate && o.Err == "" && o.Beat >= 0 && o.Beat <= within && (last == nil || o.Beat < last.Beat) {
			last = o
		}
	}
	return last
}

// Patience is how long ago a heartbeat must be at least for its engine to count as
// gone: a minute, or twice as long as the estate takes to call a node lost.
func Patience(e *hierarchy.Estate) time.Duration {
	x := hierarchy.NewIndex(e)
	most := time.Minute
	for i := range e.Servers {
		n := e.Servers[i].Name
		most = max(most, 2*x.Seconds(n, hierarchy.LCMHBeatTime)*time.Duration(max(1, x.Int(n, hierarchy.LCMNumHBeats))))
	}
	return most
}

// Estate is one of Estates by its id; nil when no node belongs to it.
func (s Survey) Estate(id string) *Estate {
	for _, e := range s.Estates() {
		if e.ID == id {
			return &e
		}
	}
	return nil
}
