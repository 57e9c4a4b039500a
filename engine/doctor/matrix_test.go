package doctor_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

var rewrite = flag.Bool("rewrite", false, "write the matrices in testdata anew; read the difference")

// atTheTop puts every resource where its priority is highest.
func atTheTop(x *hierarchy.Index) map[hierarchy.Tag]string {
	active := map[hierarchy.Tag]string{}
	for i := range x.Estate().Res {
		t := x.Estate().Res[i].Tag
		active[t] = x.PlacementsByPriority(t)[0].Server
	}
	return active
}

// written is a matrix as one reads it: what stays as it is is left out.
func written(lines []doctor.MatrixLine) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s\n", l.Failure)
		for _, c := range l.Consequences {
			if c.Outcome == doctor.GoesOn && len(c.Why) == 0 {
				continue
			}
			fmt.Fprintf(&b, "  %s on %s %s %s\n", c.Tag, c.At, c.Outcome, c.To)
			for _, r := range c.Why {
				fmt.Fprintf(&b, "    %s: %s\n", r.Node, r.Text)
			}
		}
	}
	return b.String()
}

// TestMatrix: what every single failure of the examples leads to is written down in testdata, and read whenever it changes.
func TestMatrix(t *testing.T) {
	for _, name := range []string{"cross-region", "single-region"} {
		t.Run(name, func(t *testing.T) {
			e, err := config.LoadFile("../../examples/"+name+".toml", reg)
			if err != nil {
				t.Fatal(err)
			}
			x := hierarchy.NewIndexFor(e, reg)
			lines, err := doctor.Matrix(x, reg, time.Unix(0, 0), atTheTop(x))
			if err != nil {
				t.Fatal(err)
			}
			file, got := "testdata/matrix-"+name+".txt", written(lines)
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the matrix differs from %s; go test ./engine/doctor -run Matrix -rewrite writes it anew:\n%s", file, got)
			}
		})
	}
}

// TestMatrixCountsMajorities: of two servers one is no majority; with that quorum mode nothing fails over, and the reason says so.
func TestMatrixCountsMajorities(t *testing.T) {
	e, err := config.LoadFile("../../examples/single-region.toml", reg)
	if err != nil {
		t.Fatal(err)
	}
	outcome := func(mode string) (doctor.Outcome, string) {
		e.Cluster[0].QuorumMode = mode
		x := hierarchy.NewIndexFor(e, reg)
		lines, err := doctor.Matrix(x, reg, time.Unix(0, 0), atTheTop(x))
		if err != nil {
			t.Fatal(err)
		}
		if lines[0].What != "NODE_A" || len(lines[0].Consequences) == 0 {
			t.Fatalf("the first line is %+v", lines[0])
		}
		return lines[0].Consequences[0].Outcome, written(lines[:1])
	}
	if got, text := outcome(hierarchy.NoQuorum); got != doctor.FailsOver {
		t.Errorf("without quorum: %s", text)
	}
	if got, text := outcome(hierarchy.Majority); got == doctor.FailsOver || !strings.Contains(text, "quorum") {
		t.Errorf("with a majority of two: %s", text)
	}
}

// TestMatrixOfJumpHosts: what lies behind a host that the engine goes through is unknown without it, and stays where it is.
func TestMatrixOfJumpHosts(t *testing.T) {
	e, err := config.LoadFile("../../examples/cross-region.toml", reg)
	if err != nil {
		t.Fatal(err)
	}
	e.SSH.Jump = "ferry@bastion.example.com"
	x := hierarchy.NewIndexFor(e, reg)
	lines, err := doctor.Matrix(x, reg, time.Unix(0, 0), atTheTop(x))
	if err != nil {
		t.Fatal(err)
	}
	hops := 0
	for _, l := range lines {
		for _, c := range l.Consequences {
			if l.Kind == doctor.HopFails && (c.Outcome != doctor.GoesOn || len(c.Why) == 0) {
				t.Errorf("%s: %+v", l.Failure, c)
			}
		}
		if l.Kind == doctor.HopFails {
			hops++
		}
	}
	if hops != 1 {
		t.Errorf("%d lines for one jump host", hops)
	}
}
