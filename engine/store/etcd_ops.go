package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Where keys lie in etcd: what callers store under one prefix, what the store needs
// for itself beside it, so that neither can meet the other.
const (
	dataPrefix = "d/"
	termKey    = "s/term"   // decimal
	leaderKey  = "s/leader" // a leaderRecord
)

// leaderRecord tells people who leads.
type leaderRecord struct {
	Who   string    `json:"who"`
	Since time.Time `json:"since"`
}

// begin derives the context of one call: it also ends when etcd broke down, since a
// broken etcd answers nobody.
func (e *Etcd) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if e.life.Err() != nil {
		return nil, nil, ErrClosed
	}
	if err := e.health.cause(); err != nil {
		return nil, nil, e.broken(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stopA := context.AfterFunc(e.life, cancel)
	stopB := e.health.onFailure(cancel)
	return ctx, func() { stopA(); stopB(); cancel() }, nil
}

// failed translates an error of etcd into one of ours.
func (e *Etcd) failed(err error) error {
	switch {
	case errors.Is(err, rpctypes.ErrNoSpace) || errors.Is(err, rpctypes.ErrGRPCNoSpace):
		return fmt.Errorf("%w: its quota of %d MB is used up", ErrFull, e.opts.Quota>>20)
	case e.life.Err() != nil:
		return ErrClosed
	}
	if cause := e.health.cause(); cause != nil {
		return e.broken(cause)
	}
	return err
}

// broken is what every call answers after etcd broke down.
func (e *Etcd) broken(cause error) error {
	return fmt.Errorf("the store stopped working, the engine must be started again: %w", e.damaged(cause))
}

// Get reads one key.
func (e *Etcd) Get(ctx context.Context, key string) (KV, error) {
	got, err := e.get(ctx, key)
	if err != nil {
		return KV{}, fmt.Errorf("reading %s: %w", key, err)
	}
	return got, nil
}

func (e *Etcd) get(ctx context.Context, key string) (KV, error) {
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return KV{}, err
	}
	defer end()
	// Serializable: alone, this member knows everything that was committed, and
	// need not ask itself whether it still leads.
	r, err := e.client.Get(ctx, dataPrefix+key, clientv3.WithSerializable())
	if err != nil {
		return KV{}, e.failed(err)
	}
	if len(r.Kvs) == 0 {
		return KV{}, ErrNotFound
	}
	return fromEtcd(r.Kvs[0]), nil
}

// List reads every key with the prefix.
func (e *Etcd) List(ctx context.Context, prefix string) ([]KV, int64, error) {
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("listing %s: %w", prefix, err)
	}
	defer end()
	r, err := e.client.Get(ctx, dataPrefix+prefix, clientv3.WithPrefix(), clientv3.WithSerializable())
	if err != nil {
		return nil, 0, fmt.Errorf("listing %s: %w", prefix, e.failed(err))
	}
	all := make([]KV, 0, len(r.Kvs))
	for _, kv := range r.Kvs {
		all = append(all, fromEtcd(kv))
	}
	return all, r.Header.Revision, nil
}

// Commit applies the transaction and waits until it is on the disk.
func (e *Etcd) Commit(ctx context.Context, t Txn) (int64, error) {
	rev, err := e.commit(ctx, t)
	if errors.Is(err, ErrFull) && e.relieve(ctx) {
		rev, err = e.commit(ctx, t)
	}
	if err != nil {
		return 0, fmt.Errorf("committing: %w", err)
	}
	return rev, nil
}

func (e *Etcd) commit(ctx context.Context, t Txn) (int64, error) {
	if err := t.valid(); err != nil {
		return 0, err
	}
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	if err := e.there(); err != nil {
		return 0, err
	}
	if len(t.Puts) > 0 {
		if err := e.spacious(); err != nil {
			return 0, err
		}
	}
	r, err := e.client.Txn(ctx).If(compares(t)...).Then(changes(t)...).Else(questions(t)...).Commit()
	if err != nil {
		return 0, e.failed(err)
	}
	if !r.Succeeded {
		return 0, refusal(t, r.Responses)
	}
	return r.Header.Revision, nil
}

// compares are the conditions in etcd's words; the term is one of them.
func compares(t Txn) []clientv3.Cmp {
	out := make([]clientv3.Cmp, 0, len(t.If)+1)
	if t.Term != 0 {
		out = append(out, clientv3.Compare(clientv3.Value(termKey), "=", t.Term.text()))
	}
	for _, c := range t.If {
		out = append(out, clientv3.Compare(clientv3.ModRevision(dataPrefix+c.Key), "=", c.Rev))
	}
	return out
}

// changes are what is done when they hold.
func changes(t Txn) []clientv3.Op {
	out := make([]clientv3.Op, 0, len(t.Puts)+len(t.Deletes))
	for _, key := range t.Deletes {
		out = append(out, clientv3.OpDelete(dataPrefix+key))
	}
	for _, p := range t.Puts {
		out = append(out, clientv3.OpPut(dataPrefix+p.Key, string(p.Value)))
	}
	return out
}

// questions are asked in the same transaction when a condition does not hold, so
// that the answer can name the one.
func questions(t Txn) []clientv3.Op {
	out := []clientv3.Op{clientv3.OpGet(termKey)}
	for _, c := range t.If {
		out = append(out, clientv3.OpGet(dataPrefix+c.Key, clientv3.WithKeysOnly()))
	}
	return out
}

// refusal tells which condition did not hold; a lost leadership comes first.
func refusal(t Txn, answers []*etcdserverpb.ResponseOp) error {
	first := func(i int) *mvccpb.KeyValue {
		if i < len(answers) && len(answers[i].GetResponseRange().GetKvs()) > 0 {
			return answers[i].GetResponseRange().Kvs[0]
		}
		return &mvccpb.KeyValue{}
	}
	if now := string(first(0).Value); t.Term != 0 && now != t.Term.text() {
		return fmt.Errorf("term %d, now %s: %w", t.Term, now, ErrNotLeader)
	}
	for i, c := range t.If {
		if now := first(i + 1).ModRevision; now != c.Rev {
			return fmt.Errorf("%s is at revision %d, not %d: %w", c.Key, now, c.Rev, ErrConflict)
		}
	}
	return ErrConflict
}

// Lead begins a new term. This process holds the directory's lock, so whoever led
// before is gone, and a second Lead in this process replaces the first.
func (e *Etcd) Lead(ctx context.Context, who string) (Term, error) {
	term, err := e.lead(ctx, who)
	if err != nil {
		return 0, fmt.Errorf("taking the lead: %w", err)
	}
	return term, nil
}

func (e *Etcd) lead(ctx context.Context, who string) (Term, error) {
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	record, err := json.Marshal(leaderRecord{Who: who, Since: time.Now()})
	if err != nil {
		return 0, err
	}
	for {
		term, rev, err := e.term(ctx)
		if err != nil {
			return 0, err
		}
		r, err := e.client.Txn(ctx).
			If(clientv3.Compare(clientv3.ModRevision(termKey), "=", rev)).
			Then(clientv3.OpPut(termKey, (term+1).text()), clientv3.OpPut(leaderKey, string(record))).
			Commit()
		if err != nil {
			return 0, e.failed(err)
		}
		if r.Succeeded {
			return term + 1, nil
		}
	}
}

// term reads the last term and the revision of its key.
func (e *Etcd) term(ctx context.Context) (Term, int64, error) {
	r, err := e.client.Get(ctx, termKey)
	if err != nil {
		return 0, 0, e.failed(err)
	}
	if len(r.Kvs) == 0 {
		return 0, 0, nil
	}
	n, err := strconv.ParseUint(string(r.Kvs[0].Value), 10, 64)
	if err != nil {
		return 0, 0, e.damaged(fmt.Errorf("the term is not a number: %q", r.Kvs[0].Value))
	}
	return Term(n), r.Kvs[0].ModRevision, nil
}

func (t Term) text() string { return strconv.FormatUint(uint64(t), 10) }

// fromEtcd takes our prefix off.
func fromEtcd(kv *mvccpb.KeyValue) KV {
	return KV{Key: string(kv.Key[len(dataPrefix):]), Value: kv.Value, Rev: kv.ModRevision}
}
