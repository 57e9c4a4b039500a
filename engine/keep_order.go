package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
)

// A person may order some of a Keeper's tasks (kits.Orderer). Such a wish lives as long as this engine and makes sense; it is
// done like any other task, behind those that the kit itself wants.

// wish is a task that a person ordered.
type wish struct{ task, by string }

// Order has a task of a resource done: it begins with the next round of pulses, as soon as nothing else is done for its node.
// What comes of it is an event.
func (e *Engine) Order(ctx context.Context, o api.Order) error {
	who, _ := api.CallerFrom(ctx)
	o.By = e.actor(who.Who)
	var k *keeper
	var refused error
	err := e.look(func() {
		if k, refused = e.offers(o); refused == nil {
			e.acted[k.tag] = true // a person asked this engine to act here
		}
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return asAPI(err)
	}
	k.mu.Lock()
	if !slices.ContainsFunc(k.wished, func(w wish) bool { return w.task == o.Task }) {
		k.wished = append(k.wished, wish{o.Task, o.By})
	}
	k.mu.Unlock()
	k.again()
	return nil
}

// offers finds who does a task, or says why nobody does. Loop only.
func (e *Engine) offers(o api.Order) (*keeper, error) {
	k := e.keepers[o.Tag]
	if k == nil {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("%s keeps no copies of data", o.Tag), Hint: "`ferry resource list` shows what there is; mirrors are of the kit datakeeper"}
	}
	if err := e.mayKeep(k.tag, e.world.KeepSerial(k.tag)); err != nil {
		return nil, err
	}
	kit, can := k.kit.(kits.Orderer)
	if !can {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("nothing can be ordered of %s", o.Tag)}
	}
	in := e.withRecord(e.instance(k.tag, e.active(k.tag)))
	if !slices.ContainsFunc(kit.Orders(in, o.By), func(t kits.Task) bool { return t.Name == o.Task }) {
		return nil, &api.Error{Kind: api.KindUnsafe, Message: fmt.Sprintf("%s of %s makes no sense now; nothing was begun", o.Task, o.Tag), Hint: "it has to be in service, with a copy that is in sync: `ferry resource show " + string(o.Tag) + "`"}
	}
	return k, nil
}

// wishes are the ordered tasks that make sense, for nodes about which the kit itself wants nothing.
func (k *keeper) wishes(in kits.Instance, own []kits.Task) []kits.Task {
	kit, ok := k.kit.(kits.Orderer)
	if !ok {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []kits.Task
	k.wished = slices.DeleteFunc(k.wished, func(w wish) bool {
		offered := kit.Orders(in, w.by)
		i := slices.IndexFunc(offered, func(t kits.Task) bool { return t.Name == w.task })
		if i >= 0 && !slices.ContainsFunc(own, func(t kits.Task) bool { return t.Node == offered[i].Node }) {
			out = append(out, offered[i])
		}
		return i < 0
	})
	return out
}

// fulfilled forgets a wish. mu is held.
func (k *keeper) fulfilled(t kits.Task) {
	k.wished = slices.DeleteFunc(k.wished, func(w wish) bool { return w.task == t.Name })
}
