package store

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// relieveEvery bounds how often space is looked for: it rewrites the database.
const relieveEvery = time.Minute

// spacious refuses when the file system has less than the reserve left. etcd would
// write on until the disk is full and then end for good.
func (e *Etcd) spacious() error {
	if e.opts.Reserve < 0 {
		return nil
	}
	free, err := freeBytes(e.opts.Dir)
	if err != nil {
		return nil // not knowing is no reason to refuse; etcd will tell
	}
	if free < uint64(e.opts.Reserve) {
		return fmt.Errorf("%w: the disk of %s has %d MB left, %d MB are kept in reserve; make space there",
			ErrFull, e.opts.Dir, free>>20, e.opts.Reserve>>20)
	}
	return nil
}

// relieve forgets history and gives its space back when etcd's quota is used up, and
// tells whether it is worth trying again. At most once a minute, one at a time.
func (e *Etcd) relieve(ctx context.Context) bool {
	if e.health.cause() != nil || e.spacious() != nil || !e.alarmed() || !e.relief.TryLock() {
		return false
	}
	defer e.relief.Unlock()
	if !e.relieved.IsZero() && time.Since(e.relieved) < relieveEvery {
		return false
	}
	e.relieved = time.Now()
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return false
	}
	defer end()
	r, err := e.client.Get(ctx, termKey)
	if err != nil {
		return false
	}
	_, _ = e.client.Compact(ctx, r.Header.Revision, clientv3.WithCompactPhysical())
	if e.defragment() != nil || e.server.Backend().Size() > e.opts.Quota*9/10 {
		return false
	}
	_, err = e.client.AlarmDisarm(ctx, &clientv3.AlarmMember{MemberID: uint64(e.server.MemberID()), Alarm: pb.AlarmType_NOSPACE})
	return err == nil
}

// alarmed tells whether etcd's quota is used up.
func (e *Etcd) alarmed() bool {
	for _, a := range e.server.Alarms() {
		if a.Alarm == pb.AlarmType_NOSPACE {
			return true
		}
	}
	return false
}

// Notice is empty while all is well.
func (e *Etcd) Notice() string {
	if cause := e.health.cause(); cause != nil {
		return e.broken(cause).Error()
	}
	if err := e.there(); err != nil {
		return err.Error()
	}
	if err := e.spacious(); err != nil {
		return fmt.Sprintf("%s (%v)", noticeFull, err)
	}
	if e.life.Err() == nil && e.alarmed() {
		return noticeFull
	}
	return ""
}
