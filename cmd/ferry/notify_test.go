package main

import (
	"context"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// TestNotify lets two channels be there, one of which does not work.
func (f *fake) TestNotify(ctx context.Context, name string) ([]api.NotifyResult, error) {
	f.log("test %q", name)
	if err := f.broken(ctx, "TestNotify"); err != nil {
		return nil, err
	}
	var out []api.NotifyResult
	for _, r := range []api.NotifyResult{
		{Name: "mail", Channel: "mail", OK: true, Took: 120 * time.Millisecond},
		{Name: "pager", Channel: "exec", Took: 10 * time.Second, Error: "/usr/local/bin/page: exit status 3: \x1b[31mno line"},
	} {
		if name == "" || name == r.Name {
			out = append(out, r)
		}
	}
	if name != "" && len(out) == 0 {
		return nil, noChannel(name)
	}
	return out, nil
}
