package main

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	gossh "golang.org/x/crypto/ssh"
)

func publicKey(t *testing.T) (gossh.PublicKey, string) {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := gossh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key, strings.TrimSpace(string(gossh.MarshalAuthorizedKey(key)))
}

func TestUsers(t *testing.T) {
	anna, annas := publicKey(t)
	ben, bens := publicKey(t)
	_, other := publicKey(t)
	u, err := parseUsers("u.toml", "[user.anna]\nrole = \"operator\"\nkeys = [\""+annas+" anna@laptop\"]\n[user.ben]\nrole = \"guest\"\nkeys = [\""+bens+"\", \""+other+"\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key  gossh.PublicKey
		want api.Caller
	}{{anna, api.Caller{Who: "anna", Role: api.Operator}}, {ben, api.Caller{Who: "ben", Role: api.Guest}}} {
		if got, ok := u.who(c.key); !ok || got != c.want {
			t.Errorf("%+v %v, want %+v", got, ok, c.want)
		}
	}
	stranger, _ := publicKey(t)
	if _, ok := u.who(stranger); ok {
		t.Error("a stranger is somebody")
	}
	if _, ok := u.who(nil); ok {
		t.Error("no key is somebody's")
	}
}

// One mistake, and nobody is let in: it must not make a line mean something else.
func TestUsersThatAreWrong(t *testing.T) {
	_, key := publicKey(t)
	k := `keys = ["` + key + `"]`
	for _, c := range []struct{ raw, says, hint string }{
		{"[user.anna]\nrole = \"root\"\n" + k, `u.toml:1: anna has the role "root"`, `"administrator"`},
		{"[user.anna]\nrole = \"operater\"\n" + k, `"operater"`, `did you mean "operator"?`},
		{"[user.anna]\n" + k, `anna has the role ""`, "operator"},
		{"[user.anna]\nrole = \"guest\"\n", "anna has no keys", ".pub"},
		{"[user.anna]\nrole = \"guest\"\nkeys = [\"ssh-ed25519 nonsense\"]", "key 1 of anna: it is no public key", ".pub"},
		{"[user.anna]\nrole = \"guest\"\nkeys = ['command=\"sh\" " + key + "']", "more than a key", "without options"},
		{"[user.anna]\nrole = \"guest\"\n" + k + "\n[user.ben]\nrole = \"guest\"\n" + k, "it is anna's already", ""},
		{"[user.anna]\nrole = \"guest\"\nkey = \"x\"\n" + k, `u.toml:3: unknown key "user.anna.key"`, "keys"},
		{"[user.\"an na\"]\nrole = \"guest\"\n" + k, "is no name", "letters"},
		{"[user.anna\n", "u.toml:2: ", ""},
	} {
		u, err := parseUsers("u.toml", c.raw)
		var e *api.Error
		if !errors.As(err, &e) || e.Kind != api.KindConfig || !strings.Contains(e.Message, c.says) || !strings.Contains(e.Hint, c.hint) || len(u.people) > 0 {
			t.Errorf("%q gave %v, %+v", c.raw, err, u.people)
		}
	}
}

func TestUsersFileOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.toml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readUsers(path); err != nil {
		t.Error(err)
	}
	for _, mode := range []os.FileMode{0o620, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := readUsers(path); err == nil || !strings.Contains(err.Error(), "may be written by others") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if _, err := readUsers(path + ".no"); err == nil {
		t.Error("a file that is not there")
	}
}

// While a session is open: taken out is taken out, a mistake in the file says nothing.
func TestUsersAskedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.toml")
	key, line := publicKey(t)
	write := func(raw string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := userFile{path: path}
	write("[user.anna]\nrole = \"operator\"\nkeys = [\"" + line + "\"]\n")
	if who, known, err := f.still(key); !known || err != nil || who != (api.Caller{Who: "anna", Role: api.Operator}) {
		t.Errorf("there: %+v %v %v", who, known, err)
	}
	write("[user.anna]\nrole = ")
	if _, _, err := f.still(key); err == nil {
		t.Error("half a file tells who may come")
	}
	write("# nobody\n")
	if _, known, err := f.still(key); known || err != nil {
		t.Errorf("taken out: %v %v", known, err)
	}
}
