package engine_test

import (
	"sync"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// edited makes an edit of the definition in force and puts it in force, as a command does.
func (b *bench) edited(base *hierarchy.Estate, abandon bool, ed edit.Edit) error {
	b.t.Helper()
	res, err := edit.Make(base, registry(nil), ed)
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = b.eng.Apply(b.t.Context(), api.Apply{Estate: res.Estate, By: "anna", Base: hierarchy.Digest(base), Abandon: abandon})
	return err
}

func (b *bench) export() *hierarchy.Estate {
	b.t.Helper()
	e, err := b.eng.Export(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// Two people change the definition at once: neither change is lost without a word.
func TestAChangeMadeMeanwhileIsNotLost(t *testing.T) {
	scenario(t, func(b *bench) {
		base := b.export()
		tune := func(name string) edit.Edit { return edit.SetTuning{Name: name, Value: "7"} }
		if err := b.edited(base, false, tune("LCMNUMHBEATS")); err != nil {
			t.Fatal(err)
		}
		err := b.edited(base, false, tune("QUORUM_TIMEOUT_SECS"))
		if e := api.AsError(err); e == nil || e.Kind != api.KindBusy || e.Code != api.DefinitionChanged {
			t.Fatalf("the second change: %v", err)
		}
		if err := b.edited(b.export(), false, tune("QUORUM_TIMEOUT_SECS")); err != nil {
			t.Fatal(err)
		}
		if got := b.export().Tuning; got["LCMNUMHBEATS"] != "7" || got["QUORUM_TIMEOUT_SECS"] != "7" {
			t.Errorf("in force: %v", got)
		}
	})
}

// The same, at the same moment: exactly one of twenty changes of one base goes through.
func TestOneOfManyChangesOfOneBaseGoesThrough(t *testing.T) {
	scenario(t, func(b *bench) {
		base := b.export()
		var wg sync.WaitGroup
		done := make([]error, 20)
		for i := range done {
			wg.Go(func() {
				done[i] = b.edited(base, false, edit.SetTuning{Name: "LCMNUMHBEATS", Value: string(rune('4' + i%5))})
			})
		}
		wg.Wait()
		good := 0
		for _, err := range done {
			if err == nil {
				good++
			} else if api.AsError(err).Code != api.DefinitionChanged {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("%d changes went through", good)
		}
	})
}

// What is in service is deleted only by a person's word, and then keeps running.
func TestDeletingWhatIsInService(t *testing.T) {
	scenario(t, func(b *bench) {
		err := b.edited(b.export(), false, edit.Delete{Tag: "www"})
		if e := api.AsError(err); e == nil || e.Kind != api.KindUnsafe {
			t.Fatalf("deleting what is in service: %v", err)
		}
		if err := b.edited(b.export(), true, edit.Delete{Tag: "www"}); err != nil {
			t.Fatal(err)
		}
		if s := b.snapshot(); len(s.Resources) != len(b.sim.Definition.Res)-1 || s.Resources[0].Active != "LK_P_A" {
			t.Errorf("what it stood on: %+v", s.Resources)
		}
		if err := b.edited(b.export(), true, edit.Unextend{Tag: "ip-route53", Server: "LK_P_A"}); api.AsError(err) == nil {
			t.Error("a resource was taken away from the node where it is in service")
		}
	})
}

// A parent in service never comes to stand on a child that is not.
func TestADependencyOnWhatIsNotInService(t *testing.T) {
	scenario(t, func(b *bench) {
		more := edit.Create{Tag: "service/more", Kit: "app", Fields: map[string]string{"start": "/a", "stop": "/b", "check": "/c"},
			On: []edit.Place{{Server: "LK_P_A"}, {Server: "LK_P_B"}, {Server: "LK_S_A"}, {Server: "LK_S_B"}}}
		if err := b.edited(b.export(), false, more); err != nil {
			t.Fatal(err)
		}
		err := b.edited(b.export(), false, edit.AddDependency{Parent: "www", Child: "more"})
		if e := api.AsError(err); e == nil || e.Kind != api.KindUnsafe {
			t.Errorf("www came to need what is not in service: %v", err)
		}
	})
}
