package kits

// Overwriter is a kit whose resource, when it is taken into service for the first time of all,
// overwrites something on nodes other than that one (a mirror: the disks of its targets). A person is
// told by name before it happens.
type Overwriter interface {
	// Overwrites says what is lost on which node ("/dev/nvme1n1") when in is taken into service on
	// in.Node, and source what counts from then on. It is pure, and nil where nothing is lost.
	Overwrites(in Instance) (source string, lost map[string]string)
}
