package wizard

import (
	"testing"

	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// TestEveryFieldHasItsJapanese: label and help of every field of every kit.
func TestEveryFieldHasItsJapanese(t *testing.T) {
	p, err := text.New(text.Japanese)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range uitest.Kits().Names() {
		for _, f := range uitest.Kits()[name].Fields() {
			for _, what := range []string{"label", "help"} {
				if id := "fields." + name + "-" + f.Name + "-" + what; !p.Has(id) {
					t.Errorf("%s is missing in tui/text/catalog/ja/fields.toml", id)
				}
			}
		}
	}
}
