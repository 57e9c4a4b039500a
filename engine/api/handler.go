package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"
)

// versionHeader marks every answer; without it something else is on the socket.
const versionHeader = "Ferry-Api"

// handler routes the paths.
func (s *Server) handler(svc Service) http.Handler {
	mux := http.NewServeMux()
	for _, c := range calls() {
		mux.HandleFunc(c.method+" "+c.path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, c, svc) })
	}
	mux.HandleFunc("GET /v1/watch", func(w http.ResponseWriter, r *http.Request) { s.watch(w, r, svc) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.reply(w, nil, &Error{Kind: KindUsage, Message: fmt.Sprintf("this engine does not know %s %s", r.Method, r.URL.Path),
			Hint: "it speaks " + Version + "; is the command newer than the engine?"})
	})
	return s.guarded(mux)
}

// guarded marks the answer and keeps a bug in one call from looking like a dead engine.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(versionHeader, Version)
		// A deadline that a call before this one left on the connection must not cut this one.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(quick))
		defer func() {
			if bug := recover(); bug != nil {
				s.opts.Log.Error("api call panicked", "path", r.URL.Path, "panic", fmt.Sprint(bug), "stack", string(debug.Stack()))
				s.reply(w, nil, &Error{Kind: KindFailed, Message: fmt.Sprintf("the engine has a bug in %s: %v", r.URL.Path, bug), Hint: "its log tells more"})
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c call, svc Service) {
	who := identified(r)
	deadline := time.Now().Add(c.timeout)
	ctl := http.NewResponseController(w)
	// Later than the call's own: its answer must still get out, and a read deadline
	// that passes first would look like a peer that hung up.
	_ = ctl.SetReadDeadline(deadline.Add(quick))
	_ = ctl.SetWriteDeadline(deadline.Add(quick))
	ctx, cancel := context.WithDeadline(WithCaller(r.Context(), who.caller), deadline)
	defer cancel()

	answer, summary, err := s.run(ctx, w, r, c, svc, who)
	if c.mutates || (err != nil && AsError(err).Kind == KindDenied) {
		s.opts.Audit(AuditEntry{At: time.Now(), Who: who.caller.Who, Role: who.caller.Role, Call: c.name, Summary: summary, Err: err})
	}
	s.reply(w, answer, err)
}

// run checks the role before anything of the body is read.
func (s *Server) run(ctx context.Context, w http.ResponseWriter, r *http.Request, c call, svc Service, who identity) (any, string, error) {
	if who.err != nil {
		return nil, "", who.err
	}
	if err := who.caller.may(c.need, c.name); err != nil {
		return nil, "", err
	}
	answer, summary, err := c.run(ctx, svc, &request{caller: who.caller, query: r.URL.Query(),
		decode: func(into any) error { return decode(http.MaxBytesReader(w, r.Body, c.limit), into) }})
	if err != nil && ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &Error{Kind: KindTimeout, Message: fmt.Sprintf("%s took longer than %v: %v", c.name, c.timeout, err), Hint: "it may still be done; `ferry operations` tells"}
	}
	return answer, summary, err
}

// decode reads exactly one JSON object without unknown fields.
func decode(body io.Reader, into any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("more than one object")
	}
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return &Error{Kind: KindUsage, Message: fmt.Sprintf("the request is larger than %d bytes", large.Limit)}
	}
	return &Error{Kind: KindUsage, Message: fmt.Sprintf("the request cannot be read: %v", err), Hint: "is the command newer than the engine?"}
}

// reply writes an answer or an error.
func (s *Server) reply(w http.ResponseWriter, answer any, err error) {
	status, doc := http.StatusOK, answer
	if err != nil {
		e := AsError(err)
		_, status = e.Kind.codes()
		doc = failure{e}
	}
	b, err := Marshal(doc)
	if err != nil {
		s.opts.Log.Error("api answer cannot be written as JSON", "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"error":{"kind":"failed","message":"the answer cannot be written as JSON"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // nobody to tell when the peer has gone
}
