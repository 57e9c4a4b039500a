package resource

import (
	"testing"

	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// What a tunnel's check tells has words in both languages; other keys stand as the kit says them.
func TestLiveFactsHaveWords(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for lang, want := range map[text.Lang]string{text.English: "up for", text.Japanese: "確立からの時間"} {
		p := &Page{c: uitest.Context(t, s, lang, &uitest.Service{Snap: s})}
		if got := p.detail("openswan", "age"); got != want {
			t.Errorf("%s: %q", lang, got)
		}
		for _, key := range []string{"connection", "state", "ike", "peer", "peer-private", "in", "out", "ping", "ping-public"} {
			if got := p.detail("openswan", key); got == key && key != "connection" {
				t.Errorf("%s: %s has no word", lang, key)
			}
		}
		if got := p.detail("app", "listens\x1b[2J"); got != "listens?[2J" && got != "listens[2J" && got != "listens" {
			t.Errorf("%q", got)
		}
	}
}
