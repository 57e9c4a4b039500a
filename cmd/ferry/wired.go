package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
	"github.com/ferry-ha/ferry/tui"
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup must keep its meaning
		ends = append(ends, syscall.SIGHUP) // the terminal's window was closed: end in order, too
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	code := newApp(wired()).run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// wired is the product: real kits, real AWS, real SSH.
func wired() deps {
	return deps{
		registry:  func() kits.Registry { return kitsOver(awscloud.New(awscloud.Options{})) },
		dial:      dialEngine,
		dialFor:   dialFor,
		openLocal: func(ctx context.Context, o engineOptions) (api.Service, error) { return openEngine(ctx, o) },
		runEngine: runEngine,
		demo:      runDemo,
		openDemo:  openDemo,
		console:   tui.Run,
	}
}

// awsPort is what the kits ask of AWS.
type awsPort interface {
	ec2.Cloud
	cloud.DNS
}

// kitsOver is every kit of this program, the cloud ones working on c.
func kitsOver(c awsPort) kits.Registry { return allkits.Of(ec2.New(c), route53.New(c)) }

// kitsWithin are the same on a simulated account, whose zones have no name servers in
// the world: none is asked.
func kitsWithin(c awsPort) kits.Registry { return allkits.Of(ec2.New(c), route53.New(c).Asking(nil)) }

func dialEngine(ctx context.Context, socket string) (api.Service, error) {
	c, err := api.Dial(ctx, socket)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// openEngine opens the store and an engine on it.
func openEngine(ctx context.Context, o engineOptions) (*engine.Engine, error) {
	st, err := openStore(ctx, o)
	if err != nil {
		return nil, err
	}
	var self atomic.Pointer[engine.Engine] // the engine asks for access only once it runs
	aws := awscloud.New(awscloud.Options{Access: func(region string) cloud.Access {
		if e := self.Load(); e != nil {
			return accessOf(e, region)
		}
		return cloud.Access{Region: region}
	}})
	e, err := engine.Open(ctx, engine.Options{
		Store: st, Kits: kitsOver(aws), Cloud: aws, Who: o.Who, Automation: o.Automation, Version: o.Version, Log: o.Log,
	})
	if err != nil {
		return nil, errors.Join(openError(err, o), st.Close())
	}
	self.Store(e)
	return e, nil
}

func openStore(ctx context.Context, o engineOptions) (store.Store, error) {
	st, err := store.OpenEtcd(ctx, store.Options{Dir: o.StateDir, Who: o.Who, Log: o.Log})
	if err != nil {
		return nil, openError(err, o)
	}
	return st, nil
}

// openError gives a store's error its kind and the way out.
func openError(err error, o engineOptions) error {
	switch {
	case errors.Is(err, store.ErrLocked), errors.Is(err, store.ErrNotLeader):
		return fail(api.KindBusy, "one engine acts for an estate; talk to that one (ferry info shows the socket), or stop it first", "%s", err)
	case errors.Is(err, store.ErrFull):
		return fail(api.KindUnavailable, "free space on the file system of "+o.StateDir+"; nothing was changed", "%s", err)
	case errors.Is(err, store.ErrDamaged):
		return fail(api.KindUnavailable, "ferry adopt --from NODE rebuilds the estate from the copy that its nodes keep; what is in "+o.StateDir+" is set aside, not deleted", "%s", err)
	}
	return fmt.Errorf("opening the engine's state in %s: %w", o.StateDir, err)
}

// accessOf is how the definition in force says a region is reached.
func accessOf(e *engine.Engine, region string) cloud.Access {
	estate, err := e.Export(context.Background())
	if err != nil {
		return cloud.Access{Region: region}
	}
	if r := estate.Region(region); r != nil {
		a := cloud.Access{Region: region, Endpoint: r.EndpointEC2}
		if r.Profile != "" {
			a.Source, a.Profile = cloud.FromProfile, r.Profile
		}
		return a
	}
	return cloud.Access{Region: region}
}

// runEngine serves the acting engine until ctx ends.
func runEngine(ctx context.Context, o engineOptions) error {
	e, err := openEngine(ctx, o)
	if err != nil {
		return err
	}
	w, err := watched(ctx, e, o)
	if err != nil {
		return errors.Join(err, e.Close())
	}
	o.Log.Info("engine leads", "who", o.Who, "state", o.StateDir, "socket", o.Socket, "automation", o.Automation)
	err = api.Serve(ctx, w, api.Options{Socket: o.Socket, Log: o.Log, Audit: func(a api.AuditEntry) {
		o.Log.Info("audit", "who", a.Who, "role", a.Role, "call", a.Call, "summary", a.Summary, "error", a.Err)
	}})
	w.end()
	return errors.Join(err, e.Close())
}
