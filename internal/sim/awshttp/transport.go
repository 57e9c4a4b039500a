package awshttp

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Transport is a handler as an http.RoundTripper without a network between: in a synctest bubble a listener would
// keep the clock from moving. A dropped connection (http.ErrAbortHandler) comes back as an error, as it would from a
// real one.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ h http.Handler }

// RoundTrip hands the request to the handler and gives up when the request's context ends.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = io.NopCloser(strings.NewReader(""))
	}
	defer in.Body.Close()
	type result struct {
		resp *http.Response
		err  error
	}
	out := make(chan result, 1)
	go func() {
		rec := httptest.NewRecorder()
		defer func() {
			if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so too
				out <- result{err: fmt.Errorf("calling %s: %w", r.URL.Host, io.ErrUnexpectedEOF)}
			} else if p != nil {
				panic(p)
			}
		}()
		t.h.ServeHTTP(rec, in)
		resp := rec.Result()
		resp.Request = r
		out <- result{resp: resp}
	}()
	select {
	case got := <-out:
		return got.resp, got.err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}
