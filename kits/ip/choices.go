package ip

import (
	"context"
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// Choices offers a node's network interfaces, without the loopback. It changes nothing.
func (k Kit) Choices(ctx context.Context, h kits.Host, in kits.Instance, field string) ([]string, error) {
	if field != FieldInterface {
		return nil, nil
	}
	res, err := h.Run(ctx, kits.Script{Name: "ip/choices", Body: "ip -o link show", Light: true})
	if err != nil {
		return nil, fmt.Errorf("asking %s for its network interfaces: %w", in.Node.Name, err)
	}
	if res.Exit != 0 {
		return nil, fmt.Errorf("asking %s for its network interfaces: ip ended with %d; is iproute2 installed there?", in.Node.Name, res.Exit)
	}
	return interfacesIn(res.Stdout), nil
}

// interfacesIn reads the names out of "2: eth0@if5: <BROADCAST,…> …"; lines of another
// form are left out.
func interfacesIn(out string) []string {
	var names []string
	for line := range strings.SplitSeq(out, "\n") {
		_, rest, ok := strings.Cut(line, ": ")
		name, flags, _ := strings.Cut(rest, ": ")
		name, _, _ = strings.Cut(name, "@")
		if !ok || !deviceName.MatchString(name) || strings.Contains(flags, "LOOPBACK") {
			continue
		}
		names = append(names, name)
	}
	return names
}
