package engine

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/adopt"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/kits"
)

// SurveyOptions say whom to ask what is left of an estate.
type SurveyOptions struct {
	// From are nodes to begin with: [user@]host[:port]. The newest copy that they have
	// names all others.
	From []string
	// SSH wins over what the definition says: that was made for another machine.
	SSH hierarchy.SSH
	// Estate is the name or id, needed only where nodes belong to several.
	Estate string
	Nodes  fleet.Dialer // nil = real SSH
	Kits   kits.Registry
	Log    *slog.Logger
}

// Found is what a survey found: an estate that could be adopted.
type Found struct {
	Nodes  adopt.Survey
	Estate adopt.Estate
	// Copy is the newest one, CopyFrom the node that has it.
	Copy     *adopt.Copy
	CopyFrom string
	// Leader is the node whose record names the highest epoch; nil when none does.
	Leader *adopt.Said
	// Live is a node on which some engine was at work within Patience; nil = none was.
	Live     *adopt.Said
	Patience time.Duration
	// State is what would be written. Its definition has the SSH settings given, and
	// lacks files of the former engine's machine that are not here (Dropped).
	State   *adopt.State
	Dropped []string
}

// surveyTimeout bounds asking one node, the login included.
const surveyTimeout = 30 * time.Second

// Survey asks nodes what they know of the estate that they belong to, first those
// given, then all that the newest copy's definition names. It changes nothing. Errors
// are *api.Error: nobody answers (unavailable), no copy (no-such), several estates (usage).
func Survey(ctx context.Context, o SurveyOptions) (*Found, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	first := &hierarchy.Estate{SSH: o.SSH}
	for _, from := range o.From {
		s, err := parseFrom(from)
		if err != nil {
			return nil, err
		}
		first.Servers = append(first.Servers, s)
	}
	asked := askAll(ctx, o, first)
	e, err := choose(asked, o.Estate)
	if err != nil {
		return nil, err
	}
	c, _ := asked.Newest(e.ID)
	def, _ := withSSH(c.Definition, o.SSH)
	f := &Found{Nodes: merge(askAll(ctx, o, def), asked, def)}
	f.Estate = *f.Nodes.Estate(e.ID)
	f.Copy, f.CopyFrom = f.Nodes.Newest(e.ID)
	f.Leader, f.Patience = f.Nodes.Leader(e.ID), adopt.Patience(f.Copy.Definition)
	f.Live = f.Nodes.Live(e.ID, f.Patience)
	if f.State, err = f.Nodes.Rebuild(e.ID, o.Kits, time.Now()); err != nil {
		return nil, &api.Error{Kind: api.KindFailed, Message: err.Error()}
	}
	f.State.Definition, f.Dropped = withSSH(f.Copy.Definition, o.SSH)
	return f, nil
}

// parseFrom reads [user@]host[:port].
func parseFrom(from string) (hierarchy.Server, error) {
	s := hierarchy.Server{Name: from, Address: from}
	if user, host, ok := strings.Cut(from, "@"); ok {
		s.SSH.User, s.Address = user, host
	}
	if host, port, err := net.SplitHostPort(s.Address); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return s, &api.Error{Kind: api.KindUsage, Message: fmt.Sprintf("--from %s: port %q is not 1 to 65535", from, port)}
		}
		s.Address, s.SSH.Port = host, n
	}
	if s.Address == "" {
		return s, &api.Error{Kind: api.KindUsage, Message: fmt.Sprintf("--from %q names no node", from), Hint: "write an address, like --from 172.16.0.10"}
	}
	return s, nil
}

// askAll asks every server of a definition at the same time.
func askAll(ctx context.Context, o SurveyOptions, e *hierarchy.Estate) adopt.Survey {
	f := fleet.New(o.Nodes, nil, o.Log)
	defer f.Close()
	f.Define(e, fleet.Identity{})
	out := make(adopt.Survey, len(e.Servers)) // each question writes its own place
	var wg sync.WaitGroup
	for i, s := range e.Servers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			limit, cancel := context.WithTimeout(ctx, surveyTimeout)
			defer cancel()
			r, err := f.Remains(limit, s.Name)
			out[i] = said(s, r, err)
		}()
	}
	wg.Wait()
	return out
}

// said is a node's answer in the survey's words.
func said(s hierarchy.Server, r fleet.Remains, err error) adopt.Said {
	n := adopt.Said{Node: s.Name, Address: s.Address, Beat: -1}
	if err != nil {
		n.Err = err.Error()
		return n
	}
	l := r.Leader
	n.Estate, n.Engine, n.Epoch, n.Who, n.Since = l.Estate, l.Engine, l.Epoch, l.Who, l.Since
	n.Beat, n.By, n.Units, n.Claims = r.Beat, r.By, r.Units, map[hierarchy.Tag]uint64{}
	for t, number := range r.Claims {
		n.Claims[hierarchy.Tag(t)] = number
	}
	if r.Copy != nil {
		if n.Copy, err = adopt.Parse(r.Copy); err != nil {
			n.CopyErr = err.Error()
		}
	}
	return n
}

// choose finds the estate that is meant, or says why it cannot.
func choose(s adopt.Survey, want string) (*adopt.Estate, error) {
	var errs []string
	for i := range s {
		if s[i].Err != "" {
			errs = append(errs, s[i].Err)
		}
	}
	if len(errs) == len(s) {
		return nil, &api.Error{Kind: api.KindUnavailable, Message: "none of the nodes given answers: " + strings.Join(errs, "; "),
			Hint: "--user, --identity, --jump and --known-hosts say how they are reached from here"}
	}
	var fit []adopt.Estate
	var names []string
	for _, e := range s.Estates() {
		names = append(names, fmt.Sprintf("%s (id %s, on %s)", cmp.Or(e.Name, "without a copy"), e.ID, strings.Join(e.Nodes, ", ")))
		if want == "" || e.Name == want || e.ID == want {
			fit = append(fit, e)
		}
	}
	switch {
	case len(fit) == 1 && fit[0].Name != "":
		return &fit[0], nil
	case len(fit) > 1:
		return nil, &api.Error{Kind: api.KindUsage, Message: "these nodes belong to several estates: " + strings.Join(names, "; "), Hint: "--estate says which one is meant, by name or id"}
	case len(fit) == 0 && len(names) > 0:
		return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no node that was asked belongs to an estate %q; they belong to %s", want, strings.Join(names, "; "))}
	}
	return nil, &api.Error{Kind: api.KindNoSuch, Message: "no node that was asked has a copy of an estate" + damagedCopies(s),
		Hint: "name other nodes with --from; an estate that was never led has none: ferry apply FILE begins it"}
}

func damagedCopies(s adopt.Survey) string {
	var out []string
	for i := range s {
		if s[i].CopyErr != "" {
			out = append(out, s[i].Node+": "+s[i].CopyErr)
		}
	}
	if out == nil {
		return ""
	}
	return ": " + strings.Join(out, "; ")
}

// merge adds to the definition's nodes those that were given and that it does not name.
func merge(all, given adopt.Survey, def *hierarchy.Estate) adopt.Survey {
	for _, g := range given {
		named := slices.ContainsFunc(def.Servers, func(s hierarchy.Server) bool {
			return g.Address == s.Address || g.Address == s.Connect || g.Address == s.Name
		})
		if !named {
			all = append(all, g)
		}
	}
	slices.SortStableFunc(all, func(a, b adopt.Said) int {
		switch {
		case (a.Err == "") == (b.Err == ""):
			return strings.Compare(a.Node, b.Node)
		case a.Err == "":
			return -1
		}
		return 1
	})
	return all
}

// withSSH joins the definition with the settings given here, which win everywhere. Files
// that the definition names and that this machine does not have are left out.
func withSSH(def *hierarchy.Estate, given hierarchy.SSH) (out *hierarchy.Estate, dropped []string) {
	out = copyEstate(def)
	each := []*hierarchy.SSH{&out.SSH}
	for i := range out.Servers {
		each = append(each, &out.Servers[i].SSH)
	}
	for i, s := range each {
		set := func(field *string, value string) {
			switch {
			case value != "" && i == 0:
				*field = value
			case value != "":
				*field = ""
			}
		}
		set(&s.User, given.User)
		set(&s.Identity, given.Identity)
		set(&s.KnownHosts, given.KnownHosts)
		set(&s.Jump, given.Jump)
		set(&s.Config, given.Config)
		if given.Port != 0 {
			s.Port = 0
		}
		for _, file := range []*string{&s.Identity, &s.KnownHosts, &s.Config} {
			if *file != "" && *file != "none" && missing(*file) {
				dropped = append(dropped, *file)
				*file = ""
			}
		}
	}
	if given.Port != 0 {
		out.SSH.Port = given.Port
	}
	slices.Sort(dropped)
	return out, slices.Compact(dropped)
}

// missing tells that a file is not on this machine; what begins with ~ is for ssh to find.
func missing(file string) bool {
	if strings.HasPrefix(file, "~") {
		return false
	}
	_, err := os.Stat(file)
	return os.IsNotExist(err)
}

// Adopted tells how an adoption went.
type Adopted struct {
	Engine string            `json:"engine"`
	Epoch  uint64            `json:"epoch"`
	Nodes  map[string]string `json:"nodes"` // by node: "" = obeys, else why not
}

// Adopt writes what was found into an empty store and tells every node that it reaches:
// from then on those refuse the former engine. Nodes that are not reached still believe
// it. The store stays open; the next engine on it leads.
func Adopt(ctx context.Context, st store.Store, f *Found, who string, nodes fleet.Dialer) (*Adopted, error) {
	if _, err := st.Get(ctx, keyEstate); err == nil {
		return nil, &api.Error{Kind: api.KindUnsafe, Message: "there is an estate in this store already"}
	}
	term, err := st.Lead(ctx, who)
	if err != nil {
		return nil, asAPI(err)
	}
	a := &Adopted{Engine: newID(), Epoch: f.State.Epoch + uint64(term), Nodes: map[string]string{}}
	rev, err := writeState(ctx, st, term, f, a, who)
	if err != nil {
		return nil, asAPI(fmt.Errorf("writing the adopted estate: %w", err))
	}
	return a, a.announce(ctx, f, who, nodes, rev)
}

// chunk is how much goes into one transaction; the definition is in the last: without
// it the store holds nothing that an engine would act on.
const chunk = 500

func writeState(ctx context.Context, st store.Store, term store.Term, f *Found, a *Adopted, who string) (rev int64, err error) {
	var puts []store.KV
	for _, e := range f.State.Entities {
		puts = append(puts, store.KV{Key: stateKey(e.Key), Value: e.Value})
	}
	events := append([]policy.Event{adoptedEvent(f, a, who)}, f.State.Events...)
	for i, ev := range events {
		puts = append(puts, store.KV{Key: eventKey(int64(i + 1)), Value: encode(api.Event{Seq: int64(i + 1), Event: ev})})
	}
	puts = append(puts,
		store.KV{Key: keySeq, Value: []byte(strconv.Itoa(len(events)))},
		store.KV{Key: keyEstateID, Value: []byte(f.Estate.ID)},
		store.KV{Key: keyEngineID, Value: []byte(a.Engine)},
		store.KV{Key: keyAfter, Value: []byte(strconv.FormatUint(f.State.Epoch, 10))},
		store.KV{Key: keyEstate, Value: encode(f.State.Definition)})
	for part := range slices.Chunk(puts, chunk) {
		if rev, err = st.Commit(ctx, store.Txn{Term: term, Puts: part}); err != nil {
			return 0, err
		}
	}
	return rev, nil
}

func adoptedEvent(f *Found, a *Adopted, who string) policy.Event {
	var reached []string
	for i := range f.Nodes {
		if f.Nodes[i].Err == "" && f.Nodes[i].Belongs() == f.Estate.ID {
			reached = append(reached, f.Nodes[i].Node)
		}
	}
	return policy.Event{At: time.Now(), Kind: "engine", Severity: "warning", By: who,
		Reason: kits.Why("lead.adopted", fmt.Sprintf("estate %s was adopted by %s from the copies and records of %s; copy number %d of epoch %d, made %s by %s",
			f.Estate.Name, who, strings.Join(reached, ", "), f.Copy.Serial, f.Copy.Epoch, f.Copy.At.Format(time.RFC3339), f.Copy.Who),
			"by", who, "epoch", strconv.FormatUint(a.Epoch, 10))}
}

// announce puts the new leader's copy, and with it its record, on every node at the same time.
func (a *Adopted) announce(ctx context.Context, f *Found, who string, nodes fleet.Dialer, rev int64) error {
	fl := fleet.New(nodes, nil, slog.New(slog.DiscardHandler))
	defer fl.Close()
	self := fleet.Identity{Estate: f.Estate.ID, Engine: a.Engine, Epoch: a.Epoch, After: f.State.Epoch, Who: who, Since: time.Now()}
	fl.Define(f.State.Definition, self)
	c := &adopt.Copy{Version: adopt.Version, Estate: self.Estate, Engine: self.Engine, Epoch: self.Epoch, Serial: rev, At: time.Now().UTC(),
		Who: who, Since: self.Since.UTC(), Definition: f.State.Definition, Entities: f.State.Kept()}
	file, err := c.Encode()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, s := range f.State.Definition.Servers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			limit, cancel := context.WithTimeout(ctx, surveyTimeout)
			defer cancel()
			err := fl.PutCopy(limit, s.Name, fmt.Sprintf("ferry-copy-%s-%s", a.Engine, newID()), c.Epoch, c.Serial, file)
			mu.Lock()
			defer mu.Unlock()
			a.Nodes[s.Name] = ""
			if err != nil {
				a.Nodes[s.Name] = err.Error()
			}
		}()
	}
	wg.Wait()
	return nil
}

// StoreHolds tells whose estate a store holds: id and name are empty when it holds none.
// Overtaken: its engine has learnt that another one adopted the estate.
func StoreHolds(ctx context.Context, st store.Store) (id, name string, overtaken bool, err error) {
	e := &Engine{opts: Options{Store: st}}
	estate, err := e.loadEstate(ctx)
	if err != nil || estate.Name == "" {
		return "", "", false, err
	}
	kv, err := st.Get(ctx, keyEstateID)
	if err != nil {
		return "", "", false, fmt.Errorf("reading the estate's id: %w", err)
	}
	_, lost := st.Get(ctx, keyOvertaken)
	return string(kv.Value), estate.Name, lost == nil, nil
}
