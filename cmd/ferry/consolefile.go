package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

// consoleFile is how a person likes the console.
type consoleFile struct {
	Lang     string            `toml:"lang"`
	Theme    string            `toml:"theme"`
	ASCII    bool              `toml:"ascii"`
	ReadOnly bool              `toml:"read_only"`
	Keys     map[string]string `toml:"keys"`
}

// consoleFileLimit is the largest file that is read.
const consoleFileLimit = 64 << 10

// consolePlace is where the file is looked for.
func (a *cli) consolePlace() string {
	dir := a.getenv("XDG_CONFIG_HOME")
	if dir == "" {
		dir = filepath.Join(a.getenv("HOME"), ".config")
	}
	return filepath.Join(dir, "ferry", "console.toml")
}

// consoleFile reads the file; none is like an empty one.
func (a *cli) consoleFile() (consoleFile, error) {
	path := a.consolePlace()
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return consoleFile{}, nil
	}
	if err == nil && st.Size() > consoleFileLimit {
		err = fmt.Errorf("it is larger than %d bytes", consoleFileLimit)
	}
	if err != nil {
		return consoleFile{}, fmt.Errorf("reading %s: %w", path, err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return consoleFile{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return readConsoleFile(path, string(raw))
}

// readConsoleFile judges a file; what is wrong is told with its line and what to write.
func readConsoleFile(path, raw string) (consoleFile, error) {
	var f consoleFile
	wrong := func(key, hint, format string, args ...any) error {
		at := path
		if n := lineOf(raw, key); n > 0 {
			at = fmt.Sprintf("%s:%d", path, n)
		}
		return fail(api.KindConfig, hint, "%s: %s", at, fmt.Sprintf(format, args...))
	}
	md, err := toml.Decode(raw, &f)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return f, fail(api.KindConfig, "", "%s:%d: %s", path, syntax.Position.Line, syntax.Message)
	case err != nil:
		return f, fail(api.KindConfig, "", "%s: %s", path, err)
	}
	known := []string{"lang", "theme", "ascii", "read_only", "keys"}
	for _, k := range md.Undecoded() {
		hint := "known are " + strings.Join(known, ", ")
		if near := hierarchy.Closest(k[0], known); near != "" {
			hint = "did you mean " + near + "?"
		}
		return f, wrong(k[len(k)-1], hint, "unknown key %q", k.String())
	}
	if f.Lang != "" && !slices.Contains(text.Langs(), text.Lang(f.Lang)) {
		return f, wrong("lang", "write \"en\" or \"ja\"", "unknown language %q", f.Lang)
	}
	if f.Theme != "" && !slices.Contains(theme.Kinds(), theme.Kind(f.Theme)) {
		return f, wrong("theme", "write \"dark\", \"light\" or \"mono\"", "unknown theme %q", f.Theme)
	}
	for _, name := range sorted(f.Keys) {
		if hint, err := judgeKey(name, f.Keys[name]); err != nil {
			return f, wrong(name, hint, "%s", err)
		}
	}
	return f, nil
}

// keysTaken do the same everywhere and cannot be given away.
const keysTaken = "ctrl+c esc ? : / ! q tab shift+tab T L R ctrl+p up down left right pgup pgdown home end j k g G ctrl+f ctrl+b 1 2 3 4 5 6 7 8 9"

// judgeKey tells what is wrong with one line of [keys].
func judgeKey(name, key string) (hint string, err error) {
	page, action, ok := strings.Cut(name, ".")
	pages := []string{"break"}
	for _, k := range slices.Concat(ui.Kinds(), ui.Unnumbered()) {
		pages = append(pages, string(k))
	}
	switch {
	case !ok || action == "":
		return `write "PAGE.ACTION" = "KEY", like "hierarchies.in-service" = "f5"`, fmt.Errorf("%q names no action of a page", name)
	case !slices.Contains(pages, page):
		hint = "the pages are " + strings.Join(pages, ", ")
		if near := hierarchy.Closest(page, pages); near != "" {
			hint = "did you mean " + near + "?"
		}
		return hint, fmt.Errorf("there is no page %q", page)
	case key == "" || strings.ContainsAny(key, " \t"):
		return `a key is one like "f5", "x", "ctrl+o" or "alt+i"; the space bar is "space"`, fmt.Errorf("%q is no key", key)
	case slices.Contains(strings.Fields(keysTaken), key):
		return "choose another one: " + key + " does the same on every page", fmt.Errorf("the key %q is taken", key)
	}
	return "", nil
}

// lineOf finds the line of a key, from 1; 0 when it is not there in so many words.
func lineOf(raw, key string) int {
	n := 0
	for line := range strings.Lines(raw) {
		n++
		left, _, ok := strings.Cut(line, "=")
		left = strings.Trim(strings.TrimSpace(left), `"'[]`)
		if (ok || strings.HasPrefix(strings.TrimSpace(line), "[")) && (left == key || strings.HasSuffix(left, "."+key)) {
			return n
		}
	}
	return 0
}
