package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestScanFindsKeys(t *testing.T) {
	src := strings.Join([]string{
		/* 1 */ `# comment = 1`,
		/* 2 */ `[a."b.c".'d e']   # [x]`,
		/* 3 */ `k = "]#\"" `,
		/* 4 */ `m = { p = 1, "q" = [ {r = 2}, 'x,y' ] }`,
		/* 5 */ `long = """`,
		/* 6 */ `not = 1`,
		/* 7 */ `""""`,
		/* 8 */ `[[t.u]]`,
		/* 9 */ `x.y = 1`,
		/* 10 */ `  [[t.u]]`,
		/* 11 */ `list = [`,
		/* 12 */ `  1, # one`,
		/* 13 */ `  2,`,
		/* 14 */ `]`,
		/* 15 */ `[t.u.deep]`,
		/* 16 */ `z = 2026-11-22 10:00:00`,
		/* 17 */ `[t]`,
	}, "\n")
	p := scan(src)
	for path, want := range map[string]string{
		"a|b.c|d e": "2:1", "a": "2:1", "a|b.c|d e|k": "3:1", "a|b.c|d e|m|p": "4:7", "a|b.c|d e|m|q|0|r": "4:23",
		"a|b.c|d e|m|q|1": "4:31", "a|b.c|d e|long": "5:1", "t|u|0": "8:1", "t|u|0|x|y": "9:1", "t|u|1": "10:3",
		"t|u|1|list|1": "13:3", "t|u|1|deep|z": "16:1", "t": "17:1",
		"t|u|1|deep|missing|more": "15:1", // the nearest thing around it
		"nothing":                 "1:1",
	} {
		line, col := p.lineCol(p.find(strings.Split(path, "|")))
		if got := fmt.Sprintf("%d:%d", line, col); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if _, there := p.at[join([]string{"not"})]; there {
		t.Error("found a key inside a text")
	}
}

// TestScanKnowsEveryKeyTheDecoderKnows holds the scanner against the decoder.
func TestScanKnowsEveryKeyTheDecoderKnows(t *testing.T) {
	var m map[string]any
	meta, err := toml.Decode(twoNodes, &m)
	if err != nil {
		t.Fatal(err)
	}
	p := scan(twoNodes)
	for _, k := range meta.Keys() {
		if _, there := p.at[join(k)]; !there {
			t.Errorf("%s not found", k)
		}
	}
	if len(meta.Keys()) < 20 {
		t.Errorf("only %d keys compared", len(meta.Keys()))
	}
}
