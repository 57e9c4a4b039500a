package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
	"github.com/ferry-ha/ferry/kits/ip"
)

// BenchmarkStatus runs the real binary's status against an engine that watches two
// simulated nodes, from the start of the process to its end.
//
//	cpu-ms      its processor time, without the engine's
//	maxrss-KiB  the largest memory that the process had, where a meter is installed
//	            (/usr/bin/time or python3; Go's own figure would include this process)
func BenchmarkStatus(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "ferry")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("building ferry: %v\n%s", err, out)
	}
	for _, count := range []int{10, 1000} {
		b.Run(fmt.Sprintf("resources=%d", count), func(b *testing.B) {
			socket := engineWith(b, count)
			var cpu time.Duration
			status := func() []byte {
				cmd := exec.Command(bin, "--socket", socket, "status")
				out, err := cmd.CombinedOutput()
				cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				if code := exitCodeOf(err); code != 0 && code != 190 { // 190: not everything is in service
					b.Fatalf("ferry status: %v\n%s", err, out)
				}
				return out
			}
			if out := status(); bytes.Count(out, []byte("\n")) < count || !bytes.Contains(out, []byte(fmt.Sprintf("r%04d", count-1))) {
				b.Fatalf("status does not show %d resources:\n%.2000s", count, out)
			}
			cpu = 0
			for b.Loop() {
				status()
			}
			b.ReportMetric(cpu.Seconds()*1000/float64(b.N), "cpu-ms")
			if kib := maxRSS(b, bin, "--socket", socket, "status"); kib > 0 {
				b.ReportMetric(float64(kib), "maxrss-KiB")
			}
		})
	}
}

func exitCodeOf(err error) int {
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// maxRSS is the memory that a command needs, in KiB; 0 when there is no meter.
func maxRSS(b *testing.B, command ...string) int {
	meters := [][]string{
		{"/usr/bin/time", "-q", "-f", "%M", "--"},
		{"python3", "-c", "import resource,subprocess,sys\nsubprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,file=sys.stderr)"},
	}
	for _, m := range meters {
		if _, err := exec.LookPath(m[0]); err != nil {
			continue
		}
		var said bytes.Buffer
		cmd := exec.Command(m[0], append(m[1:], command...)...)
		cmd.Stderr = &said
		_ = cmd.Run() // its exit code is status's
		lines := strings.Fields(said.String())
		if len(lines) == 0 {
			continue
		}
		if kib, err := strconv.Atoi(lines[len(lines)-1]); err == nil {
			return kib
		}
	}
	b.Log("no meter for memory on this machine")
	return 0
}

// engineWith runs an engine over two simulated nodes and gives its socket once it has
// seen everything.
func engineWith(b *testing.B, count int) (socket string) {
	b.Helper()
	s, err := sim.New(manyResources(count), sim.Options{Dir: b.TempDir(), Nodes: nodesim.Options{CommandTime: -1}})
	if err != nil {
		b.Fatal(err)
	}
	reg, err := kits.NewRegistry(ip.Kit{}, app.Kit{})
	if err != nil {
		b.Fatal(err)
	}
	eng, err := engine.Open(b.Context(), engine.Options{Store: store.Memory(), Kits: reg, Nodes: s.Nodes.DialContext, Who: "bench", Automation: true})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := eng.Apply(b.Context(), api.Apply{Estate: s.Definition}); err != nil {
		b.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "fb") // a socket's path is short
	if err != nil {
		b.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	srv, err := api.Listen(b.Context(), api.Options{Socket: socket})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, eng) }()
	b.Cleanup(func() {
		stop()
		<-served
		_ = eng.Close()
		s.Close()
		_ = os.RemoveAll(dir)
	})
	for until := time.Now().Add(3 * time.Minute); !seenAll(b, eng); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(until) {
			b.Fatal("the engine has not seen everything within three minutes")
		}
	}
	return socket
}

func seenAll(b *testing.B, eng *engine.Engine) bool {
	s, err := eng.Snapshot(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range s.Nodes {
		if n.Verdict != policy.Alive {
			return false
		}
	}
	for _, r := range s.Resources {
		for _, in := range r.On {
			if in.Checked.IsZero() {
				return false
			}
		}
	}
	return true
}

// manyResources is an estate of pairs, an application on an address, on two nodes.
func manyResources(count int) *hierarchy.Estate {
	nodes := []string{"n1", "n2"}
	e := &hierarchy.Estate{
		Name: "many", Regions: []hierarchy.Region{{Name: "r", VPC: "vpc-r", CIDRs: []string{"10.0.0.0/16"}}},
		Cluster: []hierarchy.Cluster{{Name: "c", Servers: nodes, QuorumMode: hierarchy.NoQuorum}},
		Tuning:  map[string]string{"NOBCASTPING": "1", "LKCHECKINTERVAL": "3600"},
	}
	for i, n := range nodes {
		e.Servers = append(e.Servers, hierarchy.Server{Name: n, Region: "r", Zone: "z-" + n, Address: fmt.Sprintf("10.0.%d.10", i), Interface: "eth0", Instance: "i-" + n, ENI: "eni-" + n})
	}
	for i := range count {
		r := hierarchy.Resource{Tag: hierarchy.MakeTag("c", fmt.Sprintf("r%04d", i)), Cluster: "c", Kit: "ip", Switchback: hierarchy.Intelligent, Attrs: map[string]string{}}
		address := map[string]string{"address": fmt.Sprintf("10.%d.%d.1", 100+i/250, i%250)}
		if i%2 == 1 {
			r.Kit, address, r.Children = "app", nil, []hierarchy.Tag{e.Res[i-1].Tag}
			for _, what := range []string{"start", "stop"} {
				r.Attrs[what] = "systemctl " + what + " " + r.Tag.Short()
			}
			r.Attrs["check"] = "systemctl is-active --quiet " + r.Tag.Short()
		}
		for k, n := range nodes {
			r.On = append(r.On, hierarchy.Placement{Server: n, Priority: k + 1, Attrs: address})
		}
		e.Res = append(e.Res, r)
	}
	return e
}
