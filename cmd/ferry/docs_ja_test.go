package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestJapaneseDocuments: each page of docs/ja is the same page as the one of docs with its name. Whoever adds a section, a
// command or a proof to one of them is told that the other one lacks it.
func TestJapaneseDocuments(t *testing.T) {
	pages, err := filepath.Glob("../../docs/ja/*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 16 {
		t.Errorf("only %d Japanese pages", len(pages))
	}
	for _, ja := range pages {
		name := filepath.Base(ja)
		english, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Errorf("docs/ja/%s has no English page: %v", name, err)
			continue
		}
		japanese, err := os.ReadFile(ja)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range pagesDiffer(name, string(english), string(japanese)) {
			t.Errorf("docs/%s and docs/ja/%s: %s", name, name, d)
		}
	}
}

// TestDifferencesAreFound: each kind of difference between two pages is seen, and two that say the same have none.
func TestDifferencesAreFound(t *testing.T) {
	en := "# A\n([ja/a.md](ja/a.md))\n## B\n- **proof**: `scenario:x`\n\n```\nferry status   # look\n```\n`ferry events`\n|a|\n|---|\n|`b`|\n"
	ja := "# あ\n([../a.md](../a.md))\n## い\n- **テスト**: `scenario:x`\n\n```\nferry status   # 見る\n```\n`ferry events`\n|あ|\n|---|\n|`b`|\n"
	if d := pagesDiffer("a.md", en, ja); len(d) > 0 {
		t.Errorf("differences where there are none: %q", d)
	}
	for _, c := range []struct{ old, new, want string }{
		{"## い", "### い", "heading"},
		{"## い", "## い\n## う", "heading"},
		{"ferry status", "ferry status --watch", "block 1"},
		{"```\nferry status   # 見る\n```", "", "fenced blocks"},
		{"`scenario:x`", "`scenario:y`", "scenario:y"},
		{"`ferry events`", "", "ferry events"},
		{"|`b`|\n", "", "rows"},
		{"|`b`|", "|`c`|", "about"},
		{"`ferry events`", "`ferry events` `engine TestX`", "engine TestX"},
		{"(../a.md)", "(../b.md)", "does not link"},
	} {
		d := strings.Join(pagesDiffer("a.md", en, strings.Replace(ja, c.old, c.new, 1)), "\n")
		if !strings.Contains(d, c.want) {
			t.Errorf("%q for %q: found %q, want %q", c.new, c.old, d, c.want)
		}
	}
}

// pagesDiffer says in what two pages are not the same page. What each says in its language is not looked at.
func pagesDiffer(name, english, japanese string) []string {
	var found []string
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if !strings.Contains(opening(english), "(ja/"+name+")") {
		say("the English page does not link the Japanese one at its beginning")
	}
	if !strings.Contains(opening(japanese), "(../"+name+")") {
		say("the Japanese page does not link the English one at its beginning")
	}
	english, japanese = translated(name, english, japanese)
	en, ja := sections(english), sections(japanese)
	for i := range max(len(en), len(ja)) {
		if i >= len(en) || i >= len(ja) || en[i].level != ja[i].level {
			say("the headings part at number %d: %s / %s", i+1, titleOf(en, i), titleOf(ja, i))
			return found
		}
		where := fmt.Sprintf("%q / %q", en[i].title, ja[i].title)
		for _, d := range blocksDiffer(en[i].blocks, ja[i].blocks) {
			say("%s: %s", where, d)
		}
		if a, b := en[i].proofs(), ja[i].proofs(); !slices.Equal(a, b) {
			say("%s: proofs %v / %v", where, a, b)
		}
		if a, b := en[i].commands(), ja[i].commands(); !slices.Equal(a, b) {
			say("%s: commands in the text %q / %q", where, a, b)
		}
		if a, b := en[i].rows(), ja[i].rows(); a != b {
			say("%s: %d / %d rows of tables", where, a, b)
		}
		if a, b := en[i].spans(mdTest), ja[i].spans(mdTest); !slices.Equal(a, b) {
			say("%s: tests %q / %q", where, a, b)
		}
		if a, b := en[i].keys(), ja[i].keys(); !slices.Equal(a, b) {
			say("%s: rows of tables are about %q / %q", where, a, b)
		}
	}
	return found
}

// translated is what of two pages has to say the same. What the program writes is in English only: the list of the doctor's
// checks, the examples of JSON, and the list of all commands, to which a Japanese page leads instead.
func translated(name, english, japanese string) (string, string) {
	switch name {
	case "commands.md":
		return opening(english), opening(japanese)
	case "doctor.md":
		english, _, _ = strings.Cut(english, "<!-- the list below is made from the program -->")
	case "json.md":
		english = exampleMark.ReplaceAllString(english, "")
	}
	return english, japanese
}

// opening is what stands before the second heading.
func opening(page string) string {
	before, _, _ := strings.Cut(page, "\n## ")
	return before
}

// section is what stands below one heading, fenced blocks apart.
type section struct {
	level       int
	title, text string
	blocks      [][]string // the lines of the fenced blocks, the first one with the fence's language
}

func titleOf(s []section, i int) string {
	if i >= len(s) {
		return "nothing"
	}
	return strings.Repeat("#", s[i].level) + " " + s[i].title
}

var mdHeading = regexp.MustCompile(`^(#{1,6}) +(.*?) *$`)

func sections(page string) []section {
	all := []section{{}}
	fenced := false
	for _, l := range strings.Split(page, "\n") {
		s := &all[len(all)-1]
		trimmed := strings.TrimSpace(l)
		switch m := mdHeading.FindStringSubmatch(l); {
		case strings.HasPrefix(trimmed, "```"):
			if fenced = !fenced; fenced {
				s.blocks = append(s.blocks, []string{trimmed})
			}
		case fenced:
			last := len(s.blocks) - 1
			s.blocks[last] = append(s.blocks[last], trimmed)
		case m != nil:
			all = append(all, section{level: len(m[1]), title: m[2]})
		default:
			s.text += l + "\n"
		}
	}
	return all
}

var (
	mdKey     = regexp.MustCompile("^\\|[^|`]*`([^`]+)`")
	mdSpan    = regexp.MustCompile("`([^`]+)`")
	mdProof   = regexp.MustCompile(`^(?:scenario:[-a-z0-9]+|[a-z0-9/]+:Test\w+)$`)
	mdTest    = regexp.MustCompile(`^(?:[a-z0-9/]+ (?:Test|Fuzz)\w+|[a-z/]+/testdata/[-a-z0-9]+\.txt)$`)
	mdComment = regexp.MustCompile(`(?:^|\s+)# .*$`)
	mdTool    = regexp.MustCompile(`^(?:ferry|sudo|go|make|ssh|tar|sha256sum|dpkg|rpm)\b`)
)

// proofs are the scenarios and tests that a situation names as its proof, in their order.
func (s section) proofs() []string {
	_, line, _ := strings.Cut("\n"+s.text, "\n- **"+s.proofKey()+"**:")
	line, _, _ = strings.Cut(line, "\n")
	return section{text: line}.spans(mdProof)
}

func (s section) proofKey() string {
	if strings.Contains(s.text, "**テスト**:") {
		return "テスト"
	}
	return "proof"
}

// commands are those of the running text. Their order is a matter of the language.
func (s section) commands() []string {
	all := s.spans(regexp.MustCompile(`^(?:sudo )?ferry\b`))
	slices.Sort(all)
	return slices.Compact(all)
}

func (s section) spans(like *regexp.Regexp) []string {
	var all []string
	for _, m := range mdSpan.FindAllStringSubmatch(s.text, -1) {
		if like.MatchString(m[1]) {
			all = append(all, m[1])
		}
	}
	return all
}

func (s section) rows() int { return strings.Count("\n"+s.text, "\n|") }

// keys are what the rows of tables are about, where their first cell has a name as code.
func (s section) keys() []string {
	var all []string
	for _, l := range strings.Split(s.text, "\n") {
		if m := mdKey.FindStringSubmatch(l); m != nil {
			all = append(all, m[1])
		}
	}
	return all
}

// blocksDiffer compares fenced blocks without their comments. A drawing whose words are in Japanese is taken as it is; a block in
// which something stands to be typed is not.
func blocksDiffer(en, ja [][]string) []string {
	if len(en) != len(ja) {
		return []string{fmt.Sprintf("%d / %d fenced blocks", len(en), len(ja))}
	}
	var found []string
	for i := range en {
		a, b := code(en[i]), code(ja[i])
		drawing := strings.ContainsFunc(strings.Join(b, ""), japanese) && !slices.ContainsFunc(append(a, b...), mdTool.MatchString)
		if !drawing && !slices.Equal(a, b) {
			found = append(found, fmt.Sprintf("fenced block %d is\n%s\nand\n%s", i+1, strings.Join(a, "\n"), strings.Join(b, "\n")))
		}
	}
	return found
}

func code(block []string) []string {
	var all []string
	for _, l := range block {
		if l = mdComment.ReplaceAllString(l, ""); l != "" {
			all = append(all, l)
		}
	}
	return all
}

func japanese(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }
