package sshexec

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Sudo says whether scripts run through sudo -n.
type Sudo string

// The choices. SudoAuto uses sudo when the user is not root.
const (
	SudoAuto   Sudo = ""
	SudoAlways Sudo = "always"
	SudoNever  Sudo = "never"
)

// Target tells how to reach a node. Only Host is needed. Fields that are set win over ~/.ssh/config.
type Target struct {
	Name          string   // for messages; Host when empty
	Host          string   // address, or an alias of ~/.ssh/config
	Port          int      // 0: from the config, else 22
	User          string   // empty: from the config, else the local user's name
	IdentityFiles []string // key files; empty: from the config, else the usual names in ~/.ssh
	ProxyJump     string   // "[user@]host[:port],…" as in ssh -J; "none" goes directly
	KnownHosts    []string // files; empty: from the config, else ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts
	HostKeyAlias  string   // name to look up in known_hosts instead of the address
	Sudo          Sudo
	ConfigFile    string // empty: ~/.ssh/config and /etc/ssh/ssh_config; "none": no config
}

func (t Target) name() string {
	if t.Name != "" {
		return t.Name
	}
	return t.Host
}

// key tells targets apart in a pool.
func (t Target) key() string { return fmt.Sprintf("%q", fmt.Sprintf("%#v", t)) }

// endpoint is a target with everything looked up.
type endpoint struct {
	name, host, user string
	port             int
	identities       []string
	identitiesOnly   bool
	knownHosts       []string
	alias            string // what known_hosts is asked for: host:port
	jump             *Target
	sudo             bool
}

func (e endpoint) addr() string { return net.JoinHostPort(e.host, strconv.Itoa(e.port)) }

// parseJump turns a ProxyJump value into the target of its last hop, which in turn is reached over the hops before it.
// A hop uses the files of the node that it leads to, so that one definition in ferry's own configuration is enough.
func parseJump(spec string, t Target) (*Target, error) {
	hops := strings.Split(spec, ",")
	last := strings.TrimSpace(hops[len(hops)-1])
	hop := Target{
		Name: last, IdentityFiles: t.IdentityFiles, KnownHosts: t.KnownHosts, ConfigFile: t.ConfigFile,
		ProxyJump: strings.Join(hops[:len(hops)-1], ","),
	}
	rest := strings.TrimPrefix(last, "ssh://")
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		hop.User, rest = rest[:i], rest[i+1:]
	}
	hop.Host = strings.Trim(rest, "[]")
	if host, port, err := net.SplitHostPort(rest); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("jump host %q: port %q is not 1 to 65535", last, port)
		}
		hop.Host, hop.Port = host, n
	}
	if hop.Host == "" {
		return nil, fmt.Errorf("jump host %q has no name; write user@host:port", spec)
	}
	return &hop, nil
}
