package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/charmbracelet/x/vt"
)

func TestPictureHoldsWhatTheScreenHolds(t *testing.T) {
	e := vt.NewEmulator(30, 4)
	defer e.Close()
	if _, err := e.WriteString("plain \x1b[1;38;2;255;0;0mred & <bold>\x1b[0m\r\n\x1b[7mreverse\x1b[0m 階層 end"); err != nil {
		t.Fatal(err)
	}
	got := svg(e, "a & b")
	var text strings.Builder
	d := xml.NewDecoder(strings.NewReader(got))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("no XML: %v\n%s", err, got)
		}
		if c, ok := tok.(xml.CharData); ok {
			text.Write(c)
		}
	}
	for _, want := range []string{"plain", "red & <bold>", "reverse", "階", "層", "end", "a & b"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in %q", want, text.String())
		}
	}
	for _, want := range []string{`fill="#ff0000"`, `font-weight="bold"`, `fill="` + ink + `"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}
