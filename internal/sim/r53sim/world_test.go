package r53sim_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// estate is the account the tests play in: the seed's zone, a private one, one of another account, and one for AWS's
// own examples.
func estate() r53sim.World {
	return r53sim.World{
		Keys: []r53sim.Key{
			{ID: "AKIAFERRY", Secret: "ferry-secret"},
			{ID: "AKIAREADER", Secret: "reader-secret", Deny: []string{"Change*", "Create*", "Delete*"}},
			{ID: "AKIAFOREIGN", Secret: "foreign-secret", Account: "999999999999"},
			{ID: "ASIATEMP", Secret: "temp-secret", Token: "token-1"},
			{ID: "ASIAOLD", Secret: "old-secret", Token: "token-2", Expires: time.Unix(1, 0)},
		},
		HealthChecks: []string{"abcdef11-2222-3333-4444-555555fedcba", "abcdef66-7777-8888-9999-000000fedcba"},
		Zones: []r53sim.Zone{
			{ID: "ZFERRY", Name: "Example.JP", Comment: "the seed's", Tags: map[string]string{"Name": "ferry"}, Records: []r53sim.Record{
				{Name: "www.example.jp", Type: "A", TTL: 10, Values: []string{"10.1.0.10"}},
			}},
			{ID: "ZPRIVATE", Name: "example.jp.", VPCs: []r53sim.VPC{{Region: "ap-northeast-1", ID: "vpc-primary"}}},
			{ID: "ZFOREIGN", Name: "foreign.example", Owner: "999999999999"},
			{ID: "Z3M3LMPEXAMPLE", Name: "example.com"},
			{ID: "ZLAST", Name: "zzz.test"},
			{ID: "ZSERVICE", Name: "zzzz.test", Service: "servicediscovery.amazonaws.com"},
		},
	}
}

func start(t *testing.T, o r53sim.Options) *r53sim.Server {
	t.Helper()
	s, err := r53sim.New(estate(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// serve is the endpoint behind a real listener.
func serve(t *testing.T, o r53sim.Options) (*r53sim.Server, string) {
	t.Helper()
	s := start(t, o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(s.Close) // first: a hanging call would keep the listener from closing
	return s, server.URL
}
