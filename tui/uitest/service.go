package uitest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// Service answers from a snapshot and remembers what it was asked to do. Its answers are
// an engine's own words; what no engine would do by itself (refuse, fail) is set by the
// test. It may be used from many goroutines.
type Service struct {
	Snap *api.Snapshot
	// PreviewOf, ApplyOf, ChoicesOf and ChildrenOf replace the usual answers; nil = those.
	PreviewOf  func(api.Command) (*api.Preview, error)
	ApplyOf    func(api.Apply) (*api.Applied, error)
	ChoicesOf  func(kit, field, node string, attrs map[string]string) ([]string, error)
	ChildrenOf func(api.Prospect) ([]api.Found, error)
	// Err is what every call that changes something comes back with.
	Err  error
	Past []api.Operation
	Told []api.Event

	mu    sync.Mutex
	asked []any
}

// Asked are the arguments of the calls that change something, in order: Command,
// Answer, Apply, Hold, [3]string for tuning.
func (s *Service) Asked() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]any(nil), s.asked...)
}

func (s *Service) note(x any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, x)
	return s.Err
}

// Snapshot implements api.Service, as do the other methods.
func (s *Service) Snapshot(context.Context) (*api.Snapshot, error) { return s.Snap, nil }

func (s *Service) Watch(ctx context.Context, _ int64) (<-chan api.Update, error) {
	ch := make(chan api.Update)
	context.AfterFunc(ctx, func() { close(ch) })
	return ch, nil
}

func (s *Service) Events(_ context.Context, after int64, limit int) ([]api.Event, error) {
	var out []api.Event
	for _, e := range s.Told {
		if e.Seq > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (s *Service) Operations(_ context.Context, limit int) ([]api.Operation, error) {
	return s.Past[:min(limit, len(s.Past))], nil
}

func (s *Service) Preview(_ context.Context, c api.Command) (*api.Preview, error) {
	if s.PreviewOf != nil {
		return s.PreviewOf(c)
	}
	if from := (view{s.Snap}).Active(c.Goal.Tag); c.Goal.Kind == plan.GoalInService && from != c.Goal.Node {
		c.Goal.From = from // as the policy does
	}
	p, err := plan.Make(hierarchy.NewIndexFor(s.Snap.Estate, Kits()), Kits(), view{s.Snap}, c.Goal)
	if err != nil {
		return nil, &api.Error{Kind: api.KindUsage, Message: err.Error()}
	}
	pv := &api.Preview{Plan: p}
	x := hierarchy.NewIndex(s.Snap.Estate)
	if from := (view{s.Snap}).Active(c.Goal.Tag); from != "" && c.Goal.Node != "" && !x.SameRegion(from, c.Goal.Node) {
		pv.Crosses = x.RegionOf(c.Goal.Node)
	}
	return pv, nil
}

func (s *Service) Submit(_ context.Context, c api.Command) (*api.Submitted, error) {
	return &api.Submitted{Op: "op-99"}, s.note(c)
}
func (s *Service) Answer(_ context.Context, a api.Answer) error { return s.note(a) }

func (s *Service) Apply(_ context.Context, a api.Apply) (*api.Applied, error) {
	if s.ApplyOf != nil {
		return s.ApplyOf(a)
	}
	out := &api.Applied{}
	for _, c := range hierarchy.Diff(s.Snap.Estate, a.Estate) {
		out.Changes = append(out.Changes, api.Change(c))
	}
	if a.DryRun {
		return out, nil
	}
	return out, s.note(a)
}

func (s *Service) Export(context.Context) (*hierarchy.Estate, error) { return s.Snap.Estate, nil }
func (s *Service) SetTuning(_ context.Context, node, name, value string) error {
	return s.note([3]string{node, name, value})
}
func (s *Service) SetHold(_ context.Context, h api.Hold) error { return s.note(h) }
func (s *Service) GracefulStop(context.Context, string) error  { return nil }
func (s *Service) Close() error                                { return nil }
func (s *Service) Choices(_ context.Context, kit, field, node string, attrs map[string]string) ([]string, error) {
	if s.ChoicesOf != nil {
		return s.ChoicesOf(kit, field, node, attrs)
	}
	return nil, nil
}

// Children answers, where nothing else is said, that every server may take the resource
// and that it needs nothing there.
func (s *Service) Children(_ context.Context, p api.Prospect) ([]api.Found, error) {
	if s.ChildrenOf != nil {
		return s.ChildrenOf(p)
	}
	var out []api.Found
	for _, server := range slices.Sorted(maps.Keys(p.On)) {
		out = append(out, api.Found{Server: server, Eligible: kits.Eligibility{Outcome: kits.OK}})
	}
	return out, nil
}
