// Package allkits knows every kit that ferry has. The program and the tests take them from here, so that a kit that is new
// is everywhere at once. It decides nothing; the engine sees kits by their contract only.
package allkits

import (
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
	"github.com/ferry-ha/ferry/kits/datakeeper"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/filesystem"
	"github.com/ferry-ha/ferry/kits/ip"
	"github.com/ferry-ha/ferry/kits/listener"
	"github.com/ferry-ha/ferry/kits/openswan"
	"github.com/ferry-ha/ferry/kits/oracle"
	"github.com/ferry-ha/ferry/kits/postgresql"
	"github.com/ferry-ha/ferry/kits/route53"
)

// Of is every kit; the two that work through AWS are made by the caller, on whatever account.
func Of(routes ec2.Kit, names route53.Kit) kits.Registry {
	reg, err := kits.NewRegistry(
		ip.Kit{}, routes, names, openswan.Kit{}, app.Kit{},
		datakeeper.Kit{}, filesystem.Kit{}, postgresql.Kit{}, oracle.Kit{}, listener.Kit{},
	)
	if err != nil {
		panic(err) // two kits of one name: no test run survives that
	}
	return reg
}
