package hierarchy

import "strings"

// MakeTag joins a cluster's name and a tag into the full name.
func MakeTag(cluster, tag string) Tag { return Tag(cluster + "/" + tag) }

// Cluster is the part before the first slash; empty for a tag without one.
func (t Tag) Cluster() string {
	c, _, ok := strings.Cut(string(t), "/")
	if !ok {
		return ""
	}
	return c
}

// Short is the part after the first slash: the tag as its cluster knows it. A tag
// may hold slashes itself ("/oradata"), a cluster's name may not.
func (t Tag) Short() string {
	_, s, ok := strings.Cut(string(t), "/")
	if !ok {
		return string(t)
	}
	return s
}

// Resolve gives the full name of a tag that was written inside a cluster: full
// already, or short and then of that cluster.
func Resolve(cluster, written string) Tag {
	if strings.HasPrefix(written, cluster+"/") {
		return Tag(written)
	}
	return MakeTag(cluster, written)
}
