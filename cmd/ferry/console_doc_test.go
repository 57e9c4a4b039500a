package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/tui/pages/confirmations"
	doctorpage "github.com/ferry-ha/ferry/tui/pages/doctor"
	eventspage "github.com/ferry-ha/ferry/tui/pages/events"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies"
	"github.com/ferry-ha/ferry/tui/pages/operations"
	resourcepage "github.com/ferry-ha/ferry/tui/pages/resource"
	serverpage "github.com/ferry-ha/ferry/tui/pages/server"
	"github.com/ferry-ha/ferry/tui/pages/simulate"
	"github.com/ferry-ha/ferry/tui/pages/topology"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// TestConsoleDocument keeps the list of actions in docs/console.md, and in its Japanese twin, what
// the pages say of themselves. FERRY_UPDATE=1 writes it anew.
func TestConsoleDocument(t *testing.T) {
	consoleDocument(t, "../../docs/console.md", "| action | what it does | usual key |\n|---|---|---|\n", text.English)
	consoleDocument(t, "../../docs/ja/console.md", "| 操作 | 働き | 通常のキー |\n|---|---|---|\n", text.Japanese)
}

func consoleDocument(t *testing.T, file, head string, lang text.Lang) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(raw), head)
	at := strings.Index(after, "\n## ")
	if !ok || at < 0 {
		t.Fatalf("%s has no list of actions", file)
	}
	sameFile(t, file, before+head+actions(t, lang)+after[at:])
}

// actions are the rows, from pages on an estate that is well.
func actions(t *testing.T, lang text.Lang) string {
	s := uitest.Scene(t, uitest.Calm)
	c := uitest.Context(t, s, lang, &uitest.Service{Snap: s})
	var b strings.Builder
	for _, k := range slices.Concat(ui.Kinds(), ui.Unnumbered()) {
		page := map[ui.Kind]ui.Page{
			ui.Hierarchies: hierarchies.New(c, ""), ui.Topology: topology.New(c, ""), ui.Resource: resourcepage.New(c, "service/www"),
			ui.Server: serverpage.New(c, "LK_P_A"), ui.Operations: operations.New(c, ""), ui.Confirmations: confirmations.New(c, ""),
			ui.Events: eventspage.New(c, ""), ui.Simulate: simulate.New(c, ""), ui.Doctor: doctorpage.New(c, ""),
		}[k]
		page.View(120, 40)
		for _, a := range page.Actions() {
			if a.Key != "" {
				fmt.Fprintf(&b, "| `%s.%s` | %s | `%s` |\n", k, a.ID, a.Help, a.Key)
			}
		}
	}
	return b.String()
}
