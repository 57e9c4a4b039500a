package doctor_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/doctor"
)

// TestDocument keeps docs/doctor.md what the checks say of themselves. FERRY_UPDATE=1 writes the list anew; what stands
// before it is written by hand.
func TestDocument(t *testing.T) {
	const file, mark = "../../docs/doctor.md", "<!-- the list below is made from the program -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s has no line %q", file, mark)
	}
	want := head + mark + list()
	if os.Getenv("FERRY_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s is not what the checks say; FERRY_UPDATE=1 go test ./engine/doctor writes it anew", file)
	}
}

func list() string {
	titles := map[doctor.Subject]string{doctor.OfEstate: "The definition", doctor.OfNode: "A server", doctor.OfGroup: "Servers compared", doctor.OfKit: "What kits ask of a server", doctor.OfCloud: "AWS"}
	var b strings.Builder
	for _, s := range []doctor.Subject{doctor.OfEstate, doctor.OfNode, doctor.OfGroup, doctor.OfKit, doctor.OfCloud} {
		fmt.Fprintf(&b, "\n## %s\n", titles[s])
		for _, c := range doctor.Checks() {
			if c.Subject != s {
				continue
			}
			mend := c.Mend
			if c.Fixable {
				mend += " **(--fix)**"
			}
			fmt.Fprintf(&b, "\n### %s\n\n%s.\n\nWhy: %s.\n\nHow to mend: %s.\n", c.ID, upper(c.About), c.Why, mend)
		}
	}
	return b.String()
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// TestChecksAreWhole: an id once, and all four sentences.
func TestChecksAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range doctor.Checks() {
		if seen[c.ID] || c.About == "" || c.Why == "" || c.Mend == "" || c.Subject == "" || strings.HasSuffix(c.About, ".") {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d checks", len(seen))
	}
}
