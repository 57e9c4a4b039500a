package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

var (
	shared      *lab.Shared
	ferryBinary string
)

// registry holds the kits as far as reading and writing a definition needs them.
func registry() kits.Registry {
	return allkits.Of(ec2.New(nil), route53.New(nil))
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv("FERRY_LAB") == "1" {
		dir, err := os.MkdirTemp("", "ferry-e2e")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		ferryBinary = filepath.Join(dir, "ferry")
		build := exec.Command("go", "build", "-o", ferryBinary, "../../../cmd/ferry")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building ferry: %v\n%s", err, out)
			return 1
		}
	}
	shared = lab.NewShared(lab.Options{Topology: topology()})
	return shared.Main(m)
}
