package store

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// Watch sends every change with the prefix after the revision. It asks the server
// directly: the client's watch keeps a stream going that is never idle, and one in a
// test with virtual time would keep the clock from moving.
func (e *Etcd) Watch(ctx context.Context, prefix string, after int64) (<-chan Change, error) {
	if _, end, err := e.begin(ctx); err != nil {
		return nil, fmt.Errorf("watching %s: %w", prefix, err)
	} else {
		end()
	}
	from, to := []byte(dataPrefix+prefix), []byte(clientv3.GetPrefixRangeEnd(dataPrefix+prefix))
	stream := e.server.Watchable().NewWatchStream()
	if _, err := stream.Watch(ctx, 0, from, to, after+1); err != nil {
		stream.Close()
		return nil, fmt.Errorf("watching %s: %w", prefix, err)
	}
	out := make(chan Change, watchBuffer)
	go e.feed(ctx, stream, out)
	return out, nil
}

// feed passes changes on until ctx, the store or its history ends. A slow reader
// blocks it here; etcd then reads the changes again from the database, so nothing
// piles up in memory.
func (e *Etcd) feed(ctx context.Context, stream mvcc.WatchStream, out chan<- Change) {
	defer close(out)
	defer stream.Close()
	for {
		select {
		case r, ok := <-stream.Chan():
			if !ok || r.CompactRevision != 0 || !e.pass(ctx, r.Events, out) {
				return
			}
		case <-ctx.Done():
			return
		case <-e.life.Done():
			return
		case <-e.health.broken:
			return
		}
	}
}

// pass sends the events; false when it has to end.
func (e *Etcd) pass(ctx context.Context, events []*mvccpb.Event, out chan<- Change) bool {
	for _, ev := range events {
		c := Change{KV: fromEtcd(ev.Kv), Deleted: ev.Type == mvccpb.Event_DELETE}
		select {
		case out <- c:
		case <-ctx.Done():
			return false
		case <-e.life.Done():
			return false
		case <-e.health.broken:
			return false
		}
	}
	return true
}
