package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/BurntSushi/toml"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	gossh "golang.org/x/crypto/ssh"
)

// userLimit is the largest users file that is read.
const userLimit = 1 << 20

// users are the people who may come, by the bytes of their keys.
type users struct {
	people map[string]api.Caller
}

func (u users) who(key gossh.PublicKey) (api.Caller, bool) {
	if key == nil {
		return api.Caller{}, false
	}
	c, ok := u.people[string(key.Marshal())]
	return c, ok
}

// usersFile is the file as it is written.
type usersFile struct {
	User map[string]struct {
		Role string   `toml:"role"`
		Keys []string `toml:"keys"`
	} `toml:"user"`
}

// readUsers reads the file. Whoever may write it decides who acts on the estate, so
// nobody but its owner and root may.
func readUsers(path string) (users, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return users{}, fail(api.KindConfig, "docs/console.md shows such a file", "reading the users: %s", err)
	case st.Mode().Perm()&0o022 != 0:
		return users{}, fail(api.KindConfig, "chmod go-w "+path, "%s may be written by others (mode %04o)", path, st.Mode().Perm())
	case st.Size() > userLimit:
		return users{}, fail(api.KindConfig, "", "%s is larger than %d bytes", path, userLimit)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return users{}, fail(api.KindConfig, "", "reading the users: %s", err)
	}
	return parseUsers(path, string(raw))
}

// parseUsers judges the whole file: a mistake in one line must not let another one
// count for something else.
func parseUsers(path, raw string) (users, error) {
	wrong := func(key, hint, format string, args ...any) error {
		at := path
		if n := lineOf(raw, key); n > 0 {
			at = fmt.Sprintf("%s:%d", path, n)
		}
		return fail(api.KindConfig, hint, "%s: %s", at, fmt.Sprintf(format, args...))
	}
	var f usersFile
	md, err := toml.Decode(raw, &f)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return users{}, fail(api.KindConfig, "", "%s:%d: %s", path, syntax.Position.Line, syntax.Message)
	case err != nil:
		return users{}, fail(api.KindConfig, "", "%s: %s", path, err)
	case len(md.Undecoded()) > 0:
		k := md.Undecoded()[0]
		return users{}, wrong(k[len(k)-1], `write [user.NAME] with role = "…" and keys = ["…"]`, "unknown key %q", k.String())
	}
	u := users{people: map[string]api.Caller{}}
	for _, name := range sorted(f.User) {
		var role api.Role
		_ = role.UnmarshalText([]byte(f.User[name].Role))
		roles := []string{"guest", "operator", "administrator"}
		switch {
		case !api.PlainName(name):
			return users{}, wrong(name, "up to 64 letters, digits and . _ - @", "%q is no name", term.Clean(name))
		case role == api.Nobody:
			hint := "write role = \"guest\", \"operator\" or \"administrator\""
			if near := hierarchy.Closest(f.User[name].Role, roles); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return users{}, wrong(name, hint, "%s has the role %q, which is none", name, f.User[name].Role)
		case len(f.User[name].Keys) == 0:
			return users{}, wrong(name, `add keys = ["ssh-ed25519 …"], as in a .pub file`, "%s has no keys", name)
		}
		for i, line := range f.User[name].Keys {
			if err := u.add(api.Caller{Who: name, Role: role}, line); err != nil {
				return users{}, wrong(name, "a key is one line of a .pub file, without options", "key %d of %s: %s", i+1, name, err)
			}
		}
	}
	return u, nil
}

// add takes one key of a person in.
func (u users) add(who api.Caller, line string) error {
	key, _, options, rest, err := gossh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil:
		return errors.New("it is no public key")
	case len(options) > 0 || len(rest) > 0:
		return errors.New("there is more than a key")
	}
	if _, isCert := key.(*gossh.Certificate); isCert {
		return errors.New("it is a certificate, not a key")
	}
	if other, taken := u.people[string(key.Marshal())]; taken {
		return fmt.Errorf("it is %s's already: a key belongs to one person", other.Who)
	}
	u.people[string(key.Marshal())] = who
	return nil
}

// sorted are the keys of a map in order.
func sorted[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
