package text

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/ferry-ha/ferry/kits"
)

//go:embed catalog
var catalog embed.FS

// Lang is a language of the console.
type Lang string

// The languages.
const (
	English  Lang = "en"
	Japanese Lang = "ja"
)

// Langs lists the languages in the order in which a key goes through them.
func Langs() []Lang { return []Lang{English, Japanese} }

// Detect chooses the language by the locale's variables, LC_ALL before LC_MESSAGES
// before LANG; what is not Japanese is English.
func Detect(getenv func(string) string) Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "ja") {
				return Japanese
			}
			return English
		}
	}
	return English
}

// Printer says things in one language. It may be used from many goroutines.
type Printer struct {
	Lang      Lang
	localizer *i18n.Localizer
	plain     map[string]string // messages without arguments, rendered once
	codes     map[string]bool   // reasons that the language has
	fixes     map[string]bool   // what is to be done about doctor's findings, as far as the language has it
}

// New makes a printer. The error is a broken catalog, which a test finds before anybody.
func New(l Lang) (*Printer, error) {
	b := i18n.NewBundle(language.English)
	b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	p := &Printer{Lang: l, plain: map[string]string{}, codes: map[string]bool{}, fixes: map[string]bool{}}
	for _, lang := range []Lang{English, l} {
		if err := p.load(b, lang); err != nil {
			return nil, err
		}
	}
	p.localizer = i18n.NewLocalizer(b, string(l), string(English))
	return p, nil
}

// load reads a language's catalogs; what it says replaces what was there before.
func (p *Printer) load(b *i18n.Bundle, l Lang) error {
	return fs.WalkDir(catalog, "catalog/"+string(l), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := catalog.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := b.ParseMessageFileBytes(raw, string(l)+".toml")
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		for _, m := range file.Messages {
			if code, ok := strings.CutPrefix(m.ID, "reason."); ok {
				p.codes[code] = true
			}
			if code, ok := strings.CutPrefix(m.ID, "fix."); ok {
				p.fixes[code] = true
			}
			if !strings.Contains(m.Other, "{{") && m.One == "" {
				p.plain[m.ID] = m.Other
			} else {
				delete(p.plain, m.ID)
			}
		}
		return nil
	})
}

// T is the text of an id with its arguments, pairs of name and value. An argument named
// "n" that is an int chooses the plural. An id that no catalog has is shown in brackets.
func (p *Printer) T(id string, pairs ...any) string {
	if s, ok := p.plain[id]; ok {
		return s
	}
	data := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	c := &i18n.LocalizeConfig{MessageID: id, TemplateData: data}
	if n, ok := data["n"].(int); ok {
		c.PluralCount = n
	}
	s, err := p.localizer.Localize(c)
	if err != nil && s == "" {
		return "[" + id + "]"
	}
	return s
}

// Reason is a reason's sentence. Whoever shows it takes control characters out (ui.Clean):
// its arguments may come from a node.
func (p *Printer) Reason(r kits.Reason) string {
	if p.Lang != English && p.codes[r.Code] {
		said := p.T("reason."+r.Code, pairsOf(r.Args)...)
		if r.Because != nil {
			said += p.Reason(*r.Because)
		}
		return said
	}
	if r.Text != "" {
		return r.Text
	}
	if r.Code == "" {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(r.Code, " ", r.Args))
}

func pairsOf(args map[string]string) []any {
	pairs := make([]any, 0, 2*len(args))
	for k, v := range args {
		pairs = append(pairs, k, v)
	}
	return pairs
}

// Fix is what is to be done about a finding of doctor's, by its code and the finding's arguments. It is not ok where the
// language has no text of that code.
func (p *Printer) Fix(code string, args map[string]string) (said string, ok bool) {
	if p.Lang == English || !p.fixes[code] {
		return "", false
	}
	return p.T("fix."+code, pairsOf(args)...), true
}

// Span is a duration in two units at most: 400ms, 1.2s, 42s, 4m10s, 3h12m, 2d5h. The
// units are the same in both languages.
func (p *Printer) Span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + p.Span(-d)
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return two(int(d.Minutes()), "m", int(d.Seconds())%60, "s")
	case d < 24*time.Hour:
		return two(int(d.Hours()), "h", int(d.Minutes())%60, "m")
	}
	return two(int(d.Hours())/24, "d", int(d.Hours())%24, "h")
}

func two(a int, ua string, b int, ub string) string {
	if b == 0 {
		return fmt.Sprint(a, ua)
	}
	return fmt.Sprint(a, ua, b, ub)
}

// Age says how long ago something was, in whole seconds; "never" for the zero time.
func (p *Printer) Age(now, then time.Time) string {
	if then.IsZero() {
		return p.T("common.never")
	}
	d := max(0, now.Sub(then)).Truncate(time.Second)
	if d < 10*time.Second {
		return fmt.Sprintf("%ds", int(d.Seconds()))
	}
	return p.Span(d)
}

// Clock is the time of day in the reader's zone, with the date when it is not today.
func (p *Printer) Clock(now, at time.Time) string {
	at = at.Local()
	y, m, d := now.Local().Date()
	if ay, am, ad := at.Date(); ay == y && am == m && ad == d {
		return at.Format("15:04:05")
	}
	if p.Lang == Japanese {
		return at.Format("2006/01/02 15:04:05")
	}
	return at.Format("2006-01-02 15:04:05")
}
