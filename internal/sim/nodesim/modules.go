package nodesim

import (
	"path"
	"slices"
	"strings"
)

// kernelModules are those that the kernel's package brings, all of them as files. What is loaded has a directory below
// /sys/module, as on a real node. The mirror's scripts and the IPsec daemon load what they need.
var kernelModules = []string{"loop", "md-mod", "raid1", "nbd", "dm-mod", "dm-multipath", "dm-round-robin", "xfrm_user", "esp4"}

var (
	mirrorModules = kernelModules[:7]
	ipsecModules  = kernelModules[7:]
)

const (
	sysModule = "/sys/module"
	// noModuleDir has a file for every module whose own file is gone. Real nodes have no such directory.
	noModuleDir = "/.sim/no-module"
)

func moduleDir(name string) string { return path.Join(sysModule, strings.ReplaceAll(name, "-", "_")) }

// RemoveModules takes modules' files away, as an update of the kernel does until the next boot. Those that are loaded stay so.
func (n *Node) RemoveModules(names ...string) error {
	for _, m := range names {
		if err := n.fs.put(path.Join(noModuleDir, m), nil, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// InstallModules brings the files back.
func (n *Node) InstallModules(names ...string) error {
	for _, m := range names {
		if err := n.fs.remove(path.Join(noModuleDir, m), false); err != nil {
			return err
		}
	}
	return nil
}

// UnloadModules is rmmod, whatever uses them.
func (n *Node) UnloadModules(names ...string) {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	for _, m := range names {
		delete(n.fs.files, moduleDir(m))
	}
}

// hasModule: it is loaded, or its file is there.
func (d *disk) hasModule(name string) (loaded, file bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.moduleLocked(name)
}

func (d *disk) moduleLocked(name string) (loaded, file bool) {
	return d.files[moduleDir(name)] != nil, slices.Contains(kernelModules, name) && d.files[path.Join(noModuleDir, name)] == nil
}

// loadModules is the kernel's part of modprobe; it needs no space on any disk.
func (d *disk) loadModules(names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.loadLocked(names...)
}

func (d *disk) loadLocked(names ...string) {
	for _, m := range names {
		if _, file := d.moduleLocked(m); !file {
			continue
		}
		for p := moduleDir(m); d.files[p] == nil; p = path.Dir(p) {
			d.files[p] = &inode{dir: true, mode: 0o755, mod: d.since}
		}
	}
}

// bootModules unloads all and loads what /etc/modules-load.d names. d.mu is held.
func (d *disk) bootModules() {
	var named []string
	for p, f := range d.files {
		switch {
		case path.Dir(p) == sysModule:
			delete(d.files, p)
		case path.Dir(p) == "/etc/modules-load.d" && path.Ext(p) == ".conf":
			named = append(named, lines(string(f.data))...)
		}
	}
	d.loadLocked(named...)
}

// modprobeCommand knows -n -q -v -a, and the file systems as built in.
func modprobeCommand(c *command) int {
	flags, rest := c.flags("")
	if len(rest) > 1 && flags["a"] == "" {
		rest = rest[:1] // what follows are the module's parameters
	}
	code := 0
	for _, m := range rest {
		loaded, file := c.node.fs.hasModule(m)
		switch {
		case loaded || slices.Contains(knownTypes, m):
		case !file:
			code = 1
			if flags["q"] == "" {
				c.fail(1, "FATAL: Module %s not found in directory /lib/modules/%s", m, c.node.kernel())
			}
		default:
			if flags["v"] != "" {
				c.say("insmod /lib/modules/" + c.node.kernel() + "/kernel/" + m + ".ko ")
			}
			if flags["n"] == "" {
				c.node.fs.loadModules(m)
			}
		}
	}
	return code
}
