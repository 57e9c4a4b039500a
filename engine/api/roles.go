package api

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
)

// Groups name the groups of the machine that give roles.
type Groups struct {
	Guest, Operator, Administrator string
}

// DefaultGroups are the names that packages create.
func DefaultGroups() Groups {
	return Groups{Guest: "ferry", Operator: "ferry-operator", Administrator: "ferry-admin"}
}

// credential is what the kernel says about a peer.
type credential struct {
	uid uint32
	// gids the kernel named; the user database adds the others.
	gids []uint32
}

// caller turns a credential into a caller.
func (g Groups) caller(c credential) Caller {
	id := strconv.FormatUint(uint64(c.uid), 10)
	out := Caller{Who: "uid " + id}
	var member []string
	for _, gid := range c.gids {
		member = append(member, strconv.FormatUint(uint64(gid), 10))
	}
	if u, err := user.LookupId(id); err == nil {
		out.Who = u.Username
		if more, err := u.GroupIds(); err == nil {
			member = append(member, more...)
		}
	}
	out.Role = g.role(c.uid, member)
	return out
}

// role is the highest one that the user or one of the groups gives.
func (g Groups) role(uid uint32, gids []string) Role {
	if uid == 0 || int(uid) == os.Getuid() {
		return Administrator
	}
	for _, level := range []struct {
		name string
		role Role
	}{{g.Administrator, Administrator}, {g.Operator, Operator}, {g.Guest, Guest}} {
		if group, err := user.LookupGroup(level.name); level.name != "" && err == nil && slices.Contains(gids, group.Gid) {
			return level.role
		}
	}
	return Nobody
}

// socketGroup is the group that the socket belongs to: the lowest that exists.
func (g Groups) socketGroup() (gid int, ok bool) {
	for _, name := range []string{g.Guest, g.Operator, g.Administrator} {
		if name == "" {
			continue
		}
		if group, err := user.LookupGroup(name); err == nil {
			if gid, err := strconv.Atoi(group.Gid); err == nil {
				return gid, true
			}
		}
	}
	return 0, false
}

// unknownPeer is the answer to a connection whose other end the kernel does not name.
func unknownPeer(err error) *Error {
	return &Error{Kind: KindDenied, Message: fmt.Sprintf("the engine cannot tell who is calling: %v", err)}
}
