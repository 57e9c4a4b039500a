package nodesim

import (
	"fmt"
	"path"
	"strings"
)

// AddUser gives the node another user, in /etc/passwd. Nothing on a simulated node asks for permissions;
// scripts ask who there is.
func (n *Node) AddUser(name string, uid int) error {
	old, _ := n.ReadFile("/etc/passwd")
	return n.WriteFile("/etc/passwd", old+fmt.Sprintf("%s:x:%d:%d::/var/lib/%s:/bin/sh\n", name, uid, uid, name), false)
}

// users are the numbers of the node's users, by name.
func (n *Node) users() map[string]string {
	out := map[string]string{"root": "0", "nobody": "65534"}
	text, _ := n.ReadFile("/etc/passwd")
	for _, l := range lines(text) {
		if f := strings.Split(l, ":"); len(f) > 2 {
			out[f[0]] = f[2]
		}
	}
	return out
}

// ownerOf is who a file belongs to: root, but for a database cluster's data directory and what is in it.
func (n *Node) ownerOf(p string) string {
	for ; p != "/" && p != "."; p = path.Dir(p) {
		if _, err := n.fs.stat(path.Join(p, "PG_VERSION")); err == nil {
			return "postgres"
		}
	}
	return "root"
}
