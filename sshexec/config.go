package sshexec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// sshConfig answers from the ssh config files, first file first.
type sshConfig []*ssh_config.Config

// loadConfig reads the target's config file, or the user's and the machine's. The file that was named must exist.
func loadConfig(file, home string) (sshConfig, error) {
	files := []string{file}
	switch file {
	case "none":
		return nil, nil
	case "":
		files = []string{filepath.Join(home, ".ssh", "config"), "/etc/ssh/ssh_config"}
	}
	var c sshConfig
	for _, name := range files {
		f, err := os.Open(expand(name, home, nil))
		if errors.Is(err, fs.ErrNotExist) && file == "" {
			continue
		} else if err != nil {
			return nil, err
		}
		parsed, err := ssh_config.Decode(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w (Match is not supported: give ferry a config file of its own)", name, err)
		}
		c = append(c, parsed)
	}
	return c, nil
}

func (c sshConfig) get(host, key string) string {
	for _, f := range c {
		if v, err := f.Get(host, key); err == nil && v != "" {
			return strings.Trim(v, `"`)
		}
	}
	return ""
}

func (c sshConfig) all(host, key string) []string {
	var values []string
	for _, f := range c {
		vs, _ := f.GetAll(host, key)
		for _, v := range vs {
			values = append(values, strings.Trim(v, `"`))
		}
	}
	return values
}

// resolve looks everything up that the target leaves open.
func resolve(t Target, home string) (endpoint, error) {
	c, err := loadConfig(t.ConfigFile, home)
	if err != nil {
		return endpoint{}, fmt.Errorf("reading the ssh config: %w", err)
	}
	e := endpoint{name: t.name(), port: t.Port, user: first(t.User, c.get(t.Host, "User"), localUser())}
	e.host = strings.ReplaceAll(first(c.get(t.Host, "HostName"), t.Host), "%h", t.Host)
	if e.host == "" {
		return endpoint{}, errors.New("the target has no host")
	}
	if e.port == 0 {
		if e.port, err = strconv.Atoi(first(c.get(t.Host, "Port"), "22")); err != nil {
			return endpoint{}, fmt.Errorf("port of %s in the ssh config: %w", t.Host, err)
		}
	}
	e.sudo = t.Sudo == SudoAlways || t.Sudo == SudoAuto && e.user != "root"
	e.alias = e.addr()
	if alias := first(t.HostKeyAlias, c.get(t.Host, "HostKeyAlias")); alias != "" {
		e.alias = alias + ":22"
	}
	tokens := strings.NewReplacer("%%", "%", "%d", home, "%h", e.host, "%r", e.user, "%u", localUser(), "%p", strconv.Itoa(e.port))
	e.files(t, c, home, tokens)
	if spec := first(t.ProxyJump, c.get(t.Host, "ProxyJump")); spec != "" && spec != "none" {
		if e.jump, err = parseJump(spec, t); err != nil {
			return endpoint{}, err
		}
	}
	return e, nil
}

// files fills in key files and known_hosts files.
func (e *endpoint) files(t Target, c sshConfig, home string, tokens *strings.Replacer) {
	ssh := func(names ...string) (paths []string) {
		for _, n := range names {
			paths = append(paths, filepath.Join(home, ".ssh", n))
		}
		return paths
	}
	e.identities = t.IdentityFiles
	if len(e.identities) == 0 {
		e.identities = c.all(t.Host, "IdentityFile")
	}
	if len(e.identities) == 0 {
		e.identities = ssh("id_ed25519", "id_ecdsa", "id_rsa")
	}
	e.identitiesOnly = c.get(t.Host, "IdentitiesOnly") == "yes"
	e.knownHosts = t.KnownHosts
	if len(e.knownHosts) == 0 {
		e.knownHosts = strings.Fields(strings.Join(c.all(t.Host, "UserKnownHostsFile"), " "))
	}
	if len(e.knownHosts) == 0 {
		e.knownHosts = append(ssh("known_hosts", "known_hosts2"), "/etc/ssh/ssh_known_hosts")
	}
	e.identities = expandAll(e.identities, home, tokens)
	e.knownHosts = expandAll(e.knownHosts, home, tokens)
}

func expandAll(names []string, home string, tokens *strings.Replacer) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = expand(n, home, tokens)
	}
	return out
}

// expand replaces a leading ~ and, when tokens are given, ssh's % tokens.
func expand(name, home string, tokens *strings.Replacer) string {
	if tokens != nil {
		name = tokens.Replace(name)
	}
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		return filepath.Join(home, rest)
	}
	return name
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func localUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}
