package lab

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// EngineNS is the namespace with a link to every region's router, where an engine under test runs.
	EngineNS = "engine"
	// managementNS reaches the guests' second interfaces and nothing else.
	managementNS = "mgmt"

	netnsDir = "/run/netns"
	// toolTimeout bounds ip and nft, which take milliseconds.
	toolTimeout = 20 * time.Second
)

// RouterNS names a region's router namespace, ClientNS the one of the client in that region.
func RouterNS(region string) string { return "router-" + region }

// ClientNS names the namespace of the client in a region.
func ClientNS(region string) string { return "client-" + region }

// namespaces are all of the lab's, by their short names.
func (l *Lab) namespaces() []string {
	out := []string{EngineNS, managementNS}
	for _, r := range l.top.Regions {
		out = append(out, RouterNS(r.Name), ClientNS(r.Name))
	}
	return out
}

// NetNS is the name by which the ip command knows one of the lab's namespaces ([EngineNS], [RouterNS], [ClientNS]):
// handy for looking around while a test is stopped.
func (l *Lab) NetNS(ns string) string { return l.id + "-" + ns }

func (l *Lab) nsPath(ns string) string { return filepath.Join(netnsDir, l.NetNS(ns)) }

// InNetNS runs f on a thread inside one of the lab's namespaces. Sockets that f makes belong to it for good; goroutines that
// f starts do not run in it. Names are not resolved inside: use addresses.
func (l *Lab) InNetNS(ns string, f func() error) error { return inNetNS(l.nsPath(ns), f) }

// Listen is net.Listen inside a namespace.
func (l *Lab) Listen(ns, network, addr string) (ln net.Listener, err error) {
	err = l.InNetNS(ns, func() error {
		ln, err = net.Listen(network, addr)
		return err
	})
	return ln, err
}

// Dial is net.Dialer's DialContext inside a namespace. addr is numeric.
func (l *Lab) Dial(ctx context.Context, ns, network, addr string) (c net.Conn, err error) {
	err = l.InNetNS(ns, func() error {
		c, err = new(net.Dialer).DialContext(ctx, network, addr)
		return err
	})
	return c, err
}

// Command is exec.CommandContext for a program that shall run inside a namespace, for instance the engine under test in
// [EngineNS]. The program dies with this process.
func (l *Lab) Command(ctx context.Context, ns, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", l.NetNS(ns), name}, args...)...)
	cmd.SysProcAttr = dieWithParent()
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// tool runs a system tool with stdin, inside ns unless that is empty.
func (l *Lab) tool(ctx context.Context, ns, stdin, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	run := func() error {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stdin = strings.NewReader(stdin)
		cmd.WaitDelay = time.Second
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, tail(out.Bytes(), 5))
		}
		return nil
	}
	if ns == "" {
		return run()
	}
	return l.InNetNS(ns, run)
}

// ip runs a batch of ip commands in ns.
func (l *Lab) ip(ctx context.Context, ns string, batch []string) error {
	if len(batch) == 0 {
		return nil
	}
	if err := l.tool(ctx, ns, strings.Join(batch, "\n")+"\n", "ip", "-batch", "-"); err != nil {
		return fmt.Errorf("configuring %s: %w", ns, err)
	}
	return nil
}

// sysctl sets kernel parameters of ns's network, given as paths below /proc/sys/net.
func (l *Lab) sysctl(ns string, value string, paths ...string) error {
	return l.InNetNS(ns, func() error {
		for _, p := range paths {
			if err := os.WriteFile("/proc/sys/net/"+p, []byte(value), 0); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
		return nil
	})
}
