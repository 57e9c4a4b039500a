package kittest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

// Netns is a pair of network namespaces of this machine, joined by a cable: two
// nodes with a real kernel and the real tools, but without a machine of their own.
type Netns struct {
	names map[string]string // node → namespace
	// Make builds the instance of a node; set it before Conformance.
	Make func(node string) kits.Instance
}

// The nodes of a Netns, their addresses and the interface that carries them.
const (
	NodeA, NodeB = "A", "B"
	AddrA, AddrB = "192.0.2.1", "192.0.2.2"
	Cable        = "cable0"
)

// NewNetns makes the pair and removes it when the test ends. Where that is not
// possible (not root, no iproute2) the test is skipped with the reason; the lab
// and the simulation run the same tests.
func NewNetns(t *testing.T) *Netns {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("left out: network namespaces need root")
	}
	id := fmt.Sprintf("ferry%d", os.Getpid())
	w := &Netns{names: map[string]string{NodeA: id + "a", NodeB: id + "b"}}
	for _, ns := range w.names {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("left out: cannot make a network namespace here: %v %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	a, b := w.names[NodeA], w.names[NodeB]
	for _, args := range [][]string{
		{"link", "add", Cable, "netns", a, "type", "veth", "peer", "name", Cable, "netns", b},
		{"-n", a, "addr", "add", AddrA + "/24", "brd", "+", "dev", Cable},
		{"-n", b, "addr", "add", AddrB + "/24", "brd", "+", "dev", Cable},
		{"-n", a, "link", "set", Cable, "up"},
		{"-n", b, "link", "set", Cable, "up"},
		{"-n", a, "link", "set", "lo", "up"},
		{"-n", b, "link", "set", "lo", "up"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Skipf("left out: ip %v: %v %s", args, err, out)
		}
	}
	return w
}

// Nodes are A and B.
func (*Netns) Nodes() []string { return []string{NodeA, NodeB} }

// Instance is what Make says.
func (w *Netns) Instance(node string) kits.Instance { return w.Make(node) }

// Host runs scripts in the node's namespace.
func (w *Netns) Host(node string) kits.Host { return w.HostWith(node, "sh") }

// HostWith runs them with another shell, like "busybox sh".
func (w *Netns) HostWith(node string, shell ...string) kits.Host {
	return nsHost{node, w.names[node], shell[0], shell[1:]}
}

// Do runs a command in the node's namespace, as an administrator's hand would.
func (w *Netns) Do(t *testing.T, node string, args ...string) {
	t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", w.names[node]}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("on %s: %v: %v %s", node, args, err, out)
	}
}

type nsHost struct {
	node, ns string
	shell    string
	shellArg []string
}

func (h nsHost) Node() string { return h.node }

func (h nsHost) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	if s.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Deadline)
		defer cancel()
	}
	args := append([]string{"netns", "exec", h.ns, h.shell}, h.shellArg...)
	cmd := exec.CommandContext(ctx, "ip", append(append(args, "-c", s.Body, "ferry"), s.Args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdin = bytes.NewReader(s.Stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		return kits.Result{}, ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return kits.Result{}, err
	}
	return kits.Result{Exit: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}, nil
}
