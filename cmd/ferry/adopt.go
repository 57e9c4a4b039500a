package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/adopt"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/store"
)

// AdoptionDocument is printed by adopt: what is left of the estate and, unless DryRun,
// what came of the adoption.
type AdoptionDocument struct {
	Version  string          `json:"version"`
	Kind     string          `json:"kind"`
	Estate   string          `json:"estate"`
	EstateID string          `json:"estateId"`
	DryRun   bool            `json:"dryRun"`
	Epoch    uint64          `json:"epoch"` // the highest seen
	Leader   *adopt.Said     `json:"leader,omitempty"`
	CopyFrom string          `json:"copyFrom"`
	CopyAt   time.Time       `json:"copyAt"`
	Live     string          `json:"live,omitempty"` // the node on which an engine was at work just now
	Nodes    adopt.Survey    `json:"nodes"`
	Claims   []adopt.Claim   `json:"claims"`
	Dropped  []string        `json:"dropped,omitempty"` // files of the former engine's machine that are not here
	Adopted  *engine.Adopted `json:"adopted,omitempty"`
	Aside    string          `json:"aside,omitempty"` // where the store that was here lies now
}

// adoptFlags are how the nodes are reached, and the words that are needed.
type adoptFlags struct {
	from            []string
	ssh             hierarchy.SSH
	estate, confirm string
	dryRun, force   bool
	yes             bool
}

func (a *cli) adoptCmd() *cobra.Command {
	var f adoptFlags
	cmd := &cobra.Command{
		Use:   "adopt --from NODE",
		Short: "Take an estate over whose engine is lost, from what its nodes keep",
		Long: `Every node keeps a copy of the estate's definition, claims and holds. adopt asks the
nodes given for it, then all nodes that the newest copy names, shows who led, what
each node has and who holds what, and, once you have typed the estate's name, writes
a new state directory from it. Every node that is reached is told at once, and refuses
the former engine from then on. Nodes that are not reached still believe it.

The former engine must be gone: while its heartbeats are seen on a node, adopt refuses
without --force. Running operations and open questions of the former engine are void;
a claim that two nodes have under one number is left to a person (DUAL).

What was in the state directory is set aside there, never deleted.`,
		Example: `  ferry adopt --from 172.16.0.10 --from 172.16.10.10 --dry-run
  ferry adopt --from 172.16.0.10 --user admin --confirm cross-region
  ferry engine --state-dir /var/lib/ferry-engine`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.adopt(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.from, "from", nil, "a node to ask, [user@]address[:port]; may be given several times")
	fl.StringVar(&f.ssh.User, "user", "", "login on the nodes, instead of the definition's")
	fl.IntVar(&f.ssh.Port, "port", 0, "ssh port, instead of the definition's")
	fl.StringVar(&f.ssh.Identity, "identity", "", "private key file, instead of the definition's")
	fl.StringVar(&f.ssh.KnownHosts, "known-hosts", "", "known_hosts file, instead of the definition's")
	fl.StringVar(&f.ssh.Jump, "jump", "", "jump host, instead of the definition's")
	fl.StringVar(&f.ssh.Config, "ssh-config", "", "ssh configuration file, instead of the definition's")
	fl.StringVar(&f.estate, "estate", "", "name or id of the estate, where nodes belong to several")
	fl.StringVar(&f.confirm, "confirm", "", "the estate's name: yes, adopt it")
	fl.BoolVar(&f.dryRun, "dry-run", false, "show what is left of the estate, change nothing")
	fl.BoolVar(&f.force, "force", false, "also while an engine is at work, or over this estate's own store")
	fl.BoolVar(&f.yes, "yes", false, "not enough here: --confirm NAME is needed")
	return cmd
}

func (a *cli) adopt(ctx context.Context, f adoptFlags) error {
	if len(f.from) == 0 {
		return usage("name a node that is still there: ferry adopt --from 172.16.0.10", "--from is missing")
	}
	found, err := engine.Survey(ctx, engine.SurveyOptions{From: f.from, SSH: f.ssh, Estate: f.estate, Nodes: a.deps.nodes,
		Kits: a.deps.registry(), Log: a.localLog()})
	if err != nil {
		return err
	}
	doc := adoptionDocument(found, f.dryRun)
	if f.dryRun {
		return a.print(doc, func() string { return a.foundText(found) })
	}
	fmt.Fprint(a.err, a.foundText(found))
	if err := mayAdopt(found, f.force); err != nil {
		return err
	}
	if err := a.typedEstate(ctx, found.Estate.Name, f.confirm); err != nil {
		return err
	}
	if doc.Adopted, doc.Aside, err = a.adoptInto(ctx, found, f.force); err != nil {
		return err
	}
	return a.print(doc, func() string { return a.adoptedText(doc) })
}

func adoptionDocument(f *engine.Found, dry bool) *AdoptionDocument {
	d := &AdoptionDocument{Version: api.Version, Kind: "Adoption", Estate: f.Estate.Name, EstateID: f.Estate.ID, DryRun: dry, Epoch: f.State.Epoch,
		Leader: f.Leader, CopyFrom: f.CopyFrom, CopyAt: f.Copy.At, Nodes: f.Nodes, Claims: f.State.Claims, Dropped: f.Dropped}
	if f.Live != nil {
		d.Live = f.Live.Node
	}
	return d
}

// mayAdopt refuses while an engine is at work.
func mayAdopt(f *engine.Found, force bool) error {
	if f.Live == nil || force {
		return nil
	}
	by := "an engine"
	if f.Live.By != "" {
		by = "engine " + f.Live.By
	}
	if f.Leader != nil && f.Leader.Engine == f.Live.By && f.Leader.Who != "" {
		by += " of " + f.Leader.Who
	}
	return fail(api.KindUnsafe, fmt.Sprintf("use that engine. When it is gone, no heartbeat is seen for %s: try again then\n--force adopts the estate from it all the same; it is refused by every node from then on", f.Patience),
		"%s was at work on %s %s ago: the estate is not without an engine", by, f.Live.Node, f.Live.Beat)
}

// typedEstate wants the estate's name: as a flag, or typed.
func (a *cli) typedEstate(ctx context.Context, name, given string) error {
	if given == "" {
		if !a.interactive() {
			return fail(api.KindUnsafe, "--confirm "+view.Quote(name)+" confirms it; --yes is not enough", "adopting an estate must be confirmed with its name")
		}
		var err error
		if given, err = a.ask(ctx, "Type the estate's name to adopt it:"); err != nil {
			return err
		}
	}
	if given != name {
		return fail(api.KindUnsafe, "", "the estate is %s, not %q: nothing was done", name, given)
	}
	return nil
}

// adoptInto writes what was found into the state directory.
func (a *cli) adoptInto(ctx context.Context, f *engine.Found, force bool) (*engine.Adopted, string, error) {
	o := a.engineOptions(true)
	aside, err := a.makeRoom(ctx, o, f, force)
	if err != nil {
		return nil, "", err
	}
	st, err := store.OpenEtcd(ctx, store.Options{Dir: o.StateDir, Who: o.Who, Log: o.Log})
	if err != nil {
		return nil, aside, openError(err, o)
	}
	adopted, err := engine.Adopt(ctx, st, f, o.Who, a.deps.nodes)
	return adopted, aside, errors.Join(err, st.Close())
}

// makeRoom looks at what is in the state directory: another estate's store stays, this
// one's is set aside when it is damaged or overtaken.
func (a *cli) makeRoom(ctx context.Context, o engineOptions, f *engine.Found, force bool) (string, error) {
	if _, err := os.Stat(o.StateDir); err != nil {
		return "", nil
	}
	st, err := store.OpenEtcd(ctx, store.Options{Dir: o.StateDir, Who: o.Who, Log: o.Log})
	if err == nil {
		id, name, lost, err := engine.StoreHolds(ctx, st)
		if err := errors.Join(err, st.Close()); err != nil && !errors.Is(err, store.ErrDamaged) {
			return "", openError(err, o)
		}
		switch {
		case err != nil:
		case id == "":
			return "", nil
		case id != f.Estate.ID:
			return "", fail(api.KindUnsafe, "give another --state-dir", "%s holds another estate: %s (id %s)", o.StateDir, name, id)
		case !lost && !force:
			return "", fail(api.KindUnsafe, "ferry engine --state-dir "+view.Quote(o.StateDir)+" starts the engine on it\n--force sets it aside and adopts the estate anew",
				"%s holds this estate's own store, and it can be read: nothing has to be adopted", o.StateDir)
		}
	} else if !errors.Is(err, store.ErrDamaged) {
		return "", openError(err, o)
	}
	aside, err := store.SetAside(o.StateDir, a.now())
	if err != nil {
		return "", openError(err, o)
	}
	return aside, nil
}

// foundText shows what is left of the estate.
func (a *cli) foundText(f *engine.Found) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("estate %s (id %s), epoch %d", term.Clean(f.Estate.Name), term.Clean(f.Estate.ID), f.State.Epoch)
	if l := f.Leader; l != nil {
		who := ""
		if l.Who != "" {
			who = " of " + l.Who + ", since " + l.Since
		}
		line("led by engine %s", term.Clean(l.Engine+who))
	}
	line("newest copy: number %d of epoch %d, made %s by %s, on %s", f.Copy.Serial, f.Copy.Epoch, f.Copy.At.Format(time.DateTime), term.Clean(f.Copy.Who), f.CopyFrom)
	line("\nnodes")
	for i := range f.Nodes {
		line("  %s", nodeText(&f.Nodes[i], f.Estate.ID))
	}
	line("\nclaims")
	for _, c := range f.State.Claims {
		line("  %s", claimText(c))
	}
	for _, file := range f.Dropped {
		line("\nnot on this machine, so left out of the definition: %s", term.Clean(file))
	}
	return b.String()
}

func nodeText(n *adopt.Said, estate string) string {
	s := n.Node + ": "
	switch {
	case n.Err != "":
		return term.Clean(s + "not reached: " + n.Err)
	case n.Belongs() == "":
		return s + "no record and no copy"
	case n.Belongs() != estate:
		return term.Clean(s + "belongs to another estate, id " + n.Belongs())
	}
	if n.Engine != "" {
		s += fmt.Sprintf("led by %s at epoch %d", n.Engine, n.Epoch)
	} else {
		s += "no record"
	}
	switch {
	case n.CopyErr != "":
		s += "; " + n.CopyErr
	case n.Copy != nil:
		s += fmt.Sprintf("; copy %d of epoch %d, %s", n.Copy.Serial, n.Copy.Epoch, n.Copy.At.Format(time.DateTime))
	default:
		s += "; no copy"
	}
	if n.Beat >= 0 {
		s += fmt.Sprintf("; heartbeat %s ago", n.Beat)
	}
	if len(n.Units) > 0 {
		s += "; still running: " + strings.Join(n.Units, ", ")
	}
	return term.Clean(s)
}

func claimText(c adopt.Claim) string {
	s := fmt.Sprintf("%s: number %d on %s", c.Tag, c.Number, c.Node)
	switch {
	case len(c.Also) > 0:
		s += " and on " + strings.Join(c.Also, ", ") + ": DUAL, a person decides"
	case c.Released:
		s = fmt.Sprintf("%s: out of service, last number %d on %s", c.Tag, c.Number, c.Node)
	case c.Number == 0:
		s = fmt.Sprintf("%s: never in service", c.Tag)
	case c.Record:
		s += ", by that node's own record"
	}
	return term.Clean(s)
}

// adoptedText says who obeys now, who does not, and what comes next.
func (a *cli) adoptedText(d *AdoptionDocument) string {
	var b strings.Builder
	fmt.Fprintf(&b, "adopted %s: engine %s, epoch %d\n", term.Clean(d.Estate), d.Adopted.Engine, d.Adopted.Epoch)
	if d.Aside != "" {
		fmt.Fprintf(&b, "what was in the state directory lies in %s\n", d.Aside)
	}
	for i := range d.Nodes {
		n := d.Nodes[i].Node
		if why, asked := d.Adopted.Nodes[n]; asked && why != "" {
			fmt.Fprintf(&b, "%s\n", term.Clean("not told, still believes the former engine: "+n+": "+why))
		}
	}
	fmt.Fprintf(&b, "next: ferry engine --state-dir %s\n", view.Quote(a.statePlace().Path))
	return b.String()
}
