package term

import (
	"os"
	"strings"

	xterm "golang.org/x/term"
)

// IsTerminal tells whether a stream is a terminal; anything but a file is not.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && xterm.IsTerminal(int(f.Fd()))
}

// Detect finds out how to write to a stream: colours only on a terminal that can,
// without NO_COLOR; ASCII when the locale is not UTF-8.
func Detect(stream any, getenv func(string) string) Style {
	s := Style{ASCII: !UTF8(getenv)}
	if !IsTerminal(stream) {
		return s
	}
	s.Color = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	if w, h, err := xterm.GetSize(int(stream.(*os.File).Fd())); err == nil && w > 0 {
		s.Cells, s.Height = w, h
	}
	return s
}

// UTF8 tells whether the locale is of that kind; it reads it as setlocale does. Nothing set at all counts as
// UTF-8: that is what services and containers have, whose logs are UTF-8.
func UTF8(getenv func(string) string) bool {
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(k); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}

// Size is the terminal's present size in cells; zeros when it is none.
func Size(stream any) (width, height int) {
	f, ok := stream.(*os.File)
	if !ok {
		return 0, 0
	}
	w, h, err := xterm.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return w, h
}
