package main

import (
	"os"
	"path/filepath"

	"github.com/ferry-ha/ferry/engine/api"
)

// socketPlace says where the engine is looked for: of the usual places the first
// where there is something.
func (a *cli) socketPlace() Place {
	if a.flags.socket != "" {
		return Place{Path: a.flags.socket, From: "flag"}
	}
	if s := a.getenv(api.SocketEnv); s != "" {
		return Place{Path: s, From: "environment"}
	}
	all := api.ClientSockets()
	for _, s := range all {
		if there(s) {
			return Place{Path: s, From: "default"}
		}
	}
	return Place{Path: all[0], From: "default"}
}

// listenPlace says where an engine of this user listens.
func (a *cli) listenPlace() string {
	if a.flags.socket != "" {
		return a.flags.socket
	}
	return api.DefaultSocket()
}

// statePlace says where an engine in this process keeps its state.
func (a *cli) statePlace() Place {
	p := Place{Path: a.flags.stateDir, From: "flag"}
	if p.Path == "" {
		p = Place{Path: a.getenv("FERRY_STATE"), From: "environment"}
	}
	if p.Path == "" {
		p = Place{Path: a.defaultState(), From: "default"}
	}
	p.exists = there(p.Path)
	p.State = "missing"
	if p.exists {
		p.State = "present"
	}
	return p
}

func (a *cli) defaultState() string {
	if os.Geteuid() == 0 {
		return "/var/lib/ferry-engine"
	}
	if dir := a.getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "ferry")
	}
	return filepath.Join(a.getenv("HOME"), ".local", "state", "ferry")
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
