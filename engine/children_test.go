package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
)

// pipeKit is a tunnel reduced to what the engine sees of one: a file on the node says
// whether it works, another one where it leads. It asks over the real SSH; its child is
// of the real ec2 kit.
type pipeKit struct{ app.Kit }

func (pipeKit) Name() string                          { return "pipe" }
func (pipeKit) Fields() []kits.Field                  { return nil }
func (pipeKit) Validate(kits.Instance) []kits.Problem { return nil }

func (pipeKit) cat(ctx context.Context, h kits.Host, file string) (string, error) {
	res, err := h.Run(ctx, kits.Script{Name: "pipe/read", Body: `cat "$1"`, Args: []string{file}, Deadline: 5 * time.Second})
	if err == nil && res.Exit != 0 {
		err = errors.New("no " + file)
	}
	return strings.TrimSpace(res.Stdout), err
}

func (k pipeKit) Eligible(ctx context.Context, h kits.Host, in kits.Instance) kits.Eligibility {
	switch said, err := k.cat(ctx, h, "/etc/pipe-state"); {
	case err != nil:
		return kits.Eligibility{Reason: kits.Why("pipe.silent", in.Node.Name+" did not say: "+err.Error())}
	case said != "up":
		return kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("pipe.down", "the pipe of "+in.Node.Name+" is "+said)}
	}
	return kits.Eligibility{Outcome: kits.OK}
}

func (k pipeKit) Children(ctx context.Context, h kits.Host, _ kits.Instance) ([]kits.Child, error) {
	to, err := k.cat(ctx, h, "/etc/pipe-to")
	return []kits.Child{{Kit: "ec2", Tag: "ec2-pipe", Attrs: map[string]string{"type": "route-table", "destinations": to}}}, err
}

// pipes is an engine over the simulated estate, without resources on the VPN nodes.
func pipes(t *testing.T, f func(*bench, kits.Registry)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", registry(nil))
		if err != nil {
			t.Fatal(err)
		}
		bare(e)
		s, err := sim.New(e, sim.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, sim: s, aws: account.New(s)}
		b.line = sim.NewLine(s.Nodes.DialContext)
		reg := registry(b.aws)
		reg["pipe"] = pipeKit{}
		if b.eng, err = engine.Open(t.Context(), engine.Options{Store: store.NewDisk().Open(), Kits: reg, Cloud: b.aws, Nodes: b.line.DialContext, Who: "test"}); err != nil {
			t.Fatal(err)
		}
		defer b.close()
		if _, err := b.eng.Apply(t.Context(), api.Apply{Estate: s.Definition}); err != nil {
			t.Fatal(err)
		}
		b.until("all nodes alive", alive)
		for node, to := range map[string]string{"VPN_P_A": "172.16.0.0/16,10.2.0.0/16", "VPN_P_B": "172.16.0.0/16"} {
			b.pipe(node, "up", to)
		}
		f(b, reg)
	})
}

// bare takes away what the VPN clusters have, and the comm paths that lead over it.
func bare(e *hierarchy.Estate) {
	var keep []hierarchy.Resource
	for _, r := range e.Res {
		if r.Cluster == "service" {
			keep = append(keep, r)
		}
	}
	e.Res, e.Paths = keep, nil
}

func (b *bench) pipe(node, state, to string) {
	b.t.Helper()
	for file, text := range map[string]string{"/etc/pipe-state": state, "/etc/pipe-to": to} {
		if err := b.node(node).WriteFile(file, text+"\n", false); err != nil {
			b.t.Fatal(err)
		}
	}
}

// wished makes an edit whole and puts it in force, as a command and the console do.
func (b *bench) wished(reg kits.Registry, eds ...edit.Edit) (*edit.Result, error) {
	b.t.Helper()
	base := b.export()
	all, err := api.Complete(b.t.Context(), b.eng, base, reg, eds...)
	if err != nil {
		return nil, err
	}
	res, err := edit.Make(base, reg, all)
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = b.eng.Apply(b.t.Context(), api.Apply{Estate: res.Estate, By: "anna", Base: hierarchy.Digest(base)})
	return res, err
}

func newPipe(on ...string) edit.Create {
	c := edit.Create{Tag: "vpn-primary/pipe-1", Kit: "pipe"}
	for _, s := range on {
		c.On = append(c.On, edit.Place{Server: s})
	}
	return c
}

// refusedFor wants a refusal with these words, and that nothing changed.
func (b *bench) refusedFor(err error, before *hierarchy.Estate, words ...string) {
	b.t.Helper()
	no := api.AsError(err)
	if no == nil || no.Kind != api.KindUnsafe {
		b.t.Fatalf("not refused: %v", err)
	}
	for _, w := range words {
		if !strings.Contains(no.Message, w) {
			b.t.Errorf("%q does not say %q", no.Message, w)
		}
	}
	if hierarchy.Digest(b.export()) != hierarchy.Digest(before) {
		b.t.Error("something changed all the same")
	}
}

func TestATunnelComesWithItsRoutes(t *testing.T) {
	pipes(t, func(b *bench, reg kits.Registry) {
		if _, err := b.wished(reg, newPipe("VPN_P_A")); err != nil {
			t.Fatal(err)
		}
		r := hierarchy.NewIndex(b.export()).Resource("vpn-primary/ec2-pipe")
		if r == nil || r.Attrs["destinations"] != "172.16.0.0/16,10.2.0.0/16" {
			t.Fatalf("%+v", r)
		}
		// Extended, it reads the target's own.
		if _, err := b.wished(reg, edit.Extend{Tag: "vpn-primary/pipe-1", Server: "VPN_P_B"}); err != nil {
			t.Fatal(err)
		}
		if p := hierarchy.NewIndex(b.export()).Placement("vpn-primary/ec2-pipe", "VPN_P_B"); p == nil || p.Attrs["destinations"] != "172.16.0.0/16" {
			t.Errorf("%+v", p)
		}
		res, err := b.wished(reg, edit.Delete{Tag: "vpn-primary/pipe-1"})
		if err != nil || hierarchy.NewIndex(b.export()).Resource("vpn-primary/ec2-pipe") != nil || len(res.Notes) != 1 {
			t.Errorf("deleted: %+v %v", res, err)
		}
	})
}

func TestATunnelThatDoesNotWorkIsNotPutAnywhere(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(*bench)
		words []string
	}{
		"the standby's is down":    {func(b *bench) { b.pipe("VPN_P_B", "down", "172.16.0.0/16") }, []string{"VPN_P_B", "is down"}},
		"it does not say":          {func(b *bench) { _, _ = b.node("VPN_P_B").Exec(context.Background(), "rm /etc/pipe-state") }, []string{"VPN_P_B did not say"}},
		"where it leads is unread": {func(b *bench) { _, _ = b.node("VPN_P_A").Exec(context.Background(), "rm /etc/pipe-to") }, []string{"VPN_P_A", "could not be read"}},
		"source/dest check": {func(b *bench) {
			if err := b.sim.EC2.SetSourceDestCheck("eni-vpnpb", true); err != nil {
				b.t.Fatal(err)
			}
		}, []string{"VPN_P_B", "--no-source-dest-check"}},
		"a node that is off": {func(b *bench) { b.off("VPN_P_B") }, []string{"VPN_P_B"}},
	} {
		t.Run(name, func(t *testing.T) {
			pipes(t, func(b *bench, reg kits.Registry) {
				c.do(b)
				before := b.export()
				_, err := b.wished(reg, newPipe("VPN_P_A", "VPN_P_B"))
				b.refusedFor(err, before, c.words...)
			})
		})
	}
}

// A definition that was written by hand, or looked at before the tunnel broke, is asked
// about once more when it is put in force, and for a dry run.
func TestWhatIsPutInForceIsAskedAgain(t *testing.T) {
	pipes(t, func(b *bench, reg kits.Registry) {
		base := b.export()
		res, err := edit.Make(base, reg, newPipe("VPN_P_A", "VPN_P_B"), edit.Provide{Tag: "vpn-primary/pipe-1", Found: map[string][]kits.Child{
			"VPN_P_A": {{Kit: "ec2", Tag: "ec2-pipe", Attrs: map[string]string{"destinations": "172.16.0.0/16"}}},
			"VPN_P_B": {{Kit: "ec2", Tag: "ec2-pipe", Attrs: map[string]string{"destinations": "172.16.0.0/16"}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		b.pipe("VPN_P_A", "down", "172.16.0.0/16")
		for _, dry := range []bool{true, false} {
			_, err = b.eng.Apply(b.t.Context(), api.Apply{Estate: res.Estate, By: "anna", DryRun: dry})
			b.refusedFor(err, base, "VPN_P_A", "is down")
		}
		b.pipe("VPN_P_A", "up", "172.16.0.0/16")
		if _, err = b.eng.Apply(b.t.Context(), api.Apply{Estate: res.Estate, By: "anna"}); err != nil {
			t.Fatal(err)
		}
		// What stands there already is not asked about: other changes must go on while it is broken.
		b.pipe("VPN_P_A", "down", "172.16.0.0/16")
		if _, err := b.wished(reg, edit.SetTuning{Name: "LCMNUMHBEATS", Value: "5"}); err != nil {
			t.Error(err)
		}
	})
}

func TestAskingAboutWhatIsNotThere(t *testing.T) {
	pipes(t, func(b *bench, _ kits.Registry) {
		for name, p := range map[string]api.Prospect{
			"a kit":    {Kit: "nothing", On: map[string]map[string]string{"VPN_P_A": nil}},
			"a server": {Kit: "pipe", On: map[string]map[string]string{"NOBODY": nil}},
		} {
			if _, err := b.eng.Children(b.t.Context(), p); api.AsError(err) == nil || api.AsError(err).Kind != api.KindNoSuch {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
