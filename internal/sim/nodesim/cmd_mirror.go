package nodesim

// mirrorCommands: there are none. The scripts of kits/datakeeper are answered in Go (native_mirror.go): what they look at
// is the kernel's own (md, dm, nbd below /sys), which is played in mirror.go.
func mirrorCommands() map[string]func(*command) int { return nil }
