package oracle

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// fieldMount is the field of the kit filesystem that holds the mount point.
const fieldMount = "mount_point"

// mounts are the mount points of the file systems beneath, on this node.
func mounts(in kits.Instance) []string {
	var out []string
	for _, c := range in.Children {
		if m := c.On[in.Node.Name][fieldMount]; c.Kit == "filesystem" && strings.HasPrefix(m, "/") {
			out = append(out, path.Clean(m))
		}
	}
	return out
}

// outside are the places that do not lie below a mount point, each once: "data files in /u02/oradata".
// What lies on a disk group of ASM ("+DATA") does not either.
func outside(places []place, mounts []string) []string {
	var out []string
	for _, p := range places {
		dir := p.real
		if dir == "" {
			dir = p.dir
		}
		in := slices.ContainsFunc(mounts, func(m string) bool { return below(path.Clean(dir), m) })
		if text := fmt.Sprintf("%s in %s", p.what, p.dir); !in && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// below: /oradata2 is not below /oradata.
func below(dir, mount string) bool {
	return dir == mount || mount == "/" && strings.HasPrefix(dir, "/") || strings.HasPrefix(dir, mount+"/")
}
