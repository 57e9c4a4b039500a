package api

import (
	"context"
	"net/http"
	"time"
)

const (
	// maxWatches bounds the open watches; each costs a goroutine here and a place in
	// the engine's feed. A console takes one.
	maxWatches = 64
	// watchBeat is the longest silence on a watch: an empty line then says that the
	// engine is still there, so that a client notices a frozen one.
	watchBeat = 5 * time.Second
	// watchPatience is how long a reader may take to take what is written.
	watchPatience = 30 * time.Second
)

// watch streams updates, one JSON object per line.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, svc Service) {
	who := identified(r)
	if err := who.err; err != nil {
		s.reply(w, nil, err)
		return
	}
	if err := who.caller.may(Guest, "watch"); err != nil {
		s.opts.Audit(AuditEntry{At: time.Now(), Who: who.caller.Who, Role: who.caller.Role, Call: "watch", Err: err})
		s.reply(w, nil, err)
		return
	}
	select {
	case s.watches <- struct{}{}:
		defer func() { <-s.watches }()
	default:
		s.reply(w, nil, &Error{Kind: KindBusy, Message: "too many watches are open on this engine", Hint: "close a console"})
		return
	}
	after, err := (&request{query: r.URL.Query()}).number("after")
	if err != nil {
		s.reply(w, nil, err)
		return
	}
	ctx, cancel := context.WithCancel(WithCaller(r.Context(), who.caller))
	defer cancel()
	updates, err := svc.Watch(ctx, after)
	if err != nil {
		s.reply(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	s.stream(ctx, w, updates)
}

// stream writes until either side ends.
func (s *Server) stream(ctx context.Context, w http.ResponseWriter, updates <-chan Update) {
	ctl := http.NewResponseController(w)
	send := func(line []byte) bool {
		_ = ctl.SetWriteDeadline(time.Now().Add(watchPatience))
		_, err := w.Write(append(line, '\n'))
		return err == nil && ctl.Flush() == nil
	}
	if !send(nil) { // the headers, so that the client knows that it watches
		return
	}
	beat := time.NewTicker(s.opts.beat)
	defer beat.Stop()
	for {
		var line []byte
		select {
		case u, ok := <-updates:
			if !ok {
				return
			}
			b, err := Marshal(u)
			if err != nil {
				s.opts.Log.Error("update cannot be written as JSON", "error", err)
				return
			}
			line = b
		case <-beat.C:
		case <-s.leaving:
			return
		case <-ctx.Done():
			return
		}
		if !send(line) {
			return
		}
	}
}
