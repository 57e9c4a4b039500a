package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestLinksInTheDocuments: every link from a document to another file of the project leads to one that is there and, with an
// anchor, to a heading of it.
func TestLinksInTheDocuments(t *testing.T) {
	seen := 0
	for _, file := range documents(t) {
		if filepath.Ext(file) != ".md" {
			continue
		}
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links(string(page)) {
			seen++
			if err := leads(file, l); err != nil {
				t.Errorf("%s: %v", strings.TrimPrefix(file, "../../"), err)
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d links were found", seen)
	}
}

// TestDeadLinksAreFound: of links that lead nowhere each is told, whatever is missing.
func TestDeadLinksAreFound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.md")
	page := "# A `b` c\n## 使い方 (1)\n## A `b` c\n[x](https://a.example/) `[no](link)`\n[good](#使い方-1) [](a.md) [again](a.md#a-b-c-1)\n[bad](b.md) [bad](#d) [bad](a.md#a)\n"
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	var dead []string
	for _, l := range links(page) {
		if leads(file, l) != nil {
			dead = append(dead, l)
		}
	}
	if want := []string{"b.md", "#d", "a.md#a"}; !slices.Equal(dead, want) {
		t.Errorf("dead are %q, want %q", dead, want)
	}
}

// TestJapanesePagesLeadToJapanesePages: who reads Japanese is led to a Japanese page where there is one, and is told where not.
func TestJapanesePagesLeadToJapanesePages(t *testing.T) {
	for _, file := range documents(t) {
		if filepath.Ext(file) != ".md" || !strings.Contains(file, "/docs/ja/") && !strings.HasSuffix(file, "README.ja.md") {
			continue
		}
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(page), "\n") {
			for _, l := range links(line) {
				if wrong := astray(file, line, l); wrong != "" {
					t.Errorf("%s: %s", strings.TrimPrefix(file, "../../"), wrong)
				}
			}
		}
	}
}

// astray says what is wrong with a link of a Japanese page to an English one, if anything.
func astray(file, line, link string) string {
	path, _, _ := strings.Cut(link, "#")
	target := filepath.Join(filepath.Dir(file), path)
	if filepath.Ext(path) != ".md" || strings.Contains(target, "/docs/ja/") || strings.HasSuffix(target, ".ja.md") {
		return ""
	}
	if strings.Contains(line, "English: [") {
		return ""
	}
	said := strings.Contains(line, link+")(英語)")
	if said && strings.Contains(link, "#") {
		return "" // a part that the program writes, in English only
	}
	twin := filepath.Join(filepath.Dir(target), "ja", filepath.Base(target))
	if _, err := os.Stat(twin); err == nil && strings.Contains(target, "/docs/") {
		return link + " is English, and there is a Japanese page"
	}
	if !said {
		return link + " is English, which is not said right behind it: (英語)"
	}
	return ""
}

var (
	mdLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	mdSpans = regexp.MustCompile("`[^`\n]*`")
)

// links are the targets of a page's links and pictures within the project, in their order.
func links(page string) []string {
	var all []string
	for _, s := range sections(page) {
		text := mdSpans.ReplaceAllString(s.title+"\n"+s.text, "``")
		for _, m := range mdLink.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "mailto:") {
				all = append(all, m[1])
			}
		}
	}
	return all
}

// leads tells why a link of a file does not lead anywhere.
func leads(file, link string) error {
	path, anchor, hasAnchor := strings.Cut(link, "#")
	path, err := url.PathUnescape(path)
	if err != nil {
		return err
	}
	target := file
	if path != "" {
		target = filepath.Join(filepath.Dir(file), path)
	}
	if _, err := os.Stat(target); err != nil {
		return fmt.Errorf("%s leads nowhere: %w", link, err)
	}
	if !hasAnchor {
		return nil
	}
	page, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	if anchor, err = url.PathUnescape(anchor); err != nil {
		return err
	}
	if !slices.Contains(anchors(string(page)), anchor) {
		return fmt.Errorf("%s: %s has no heading %q", link, filepath.Base(target), anchor)
	}
	return nil
}

// anchors are the names that GitHub gives to the headings of a page: lower case, blanks as dashes, without signs; the second
// heading of the same name gets -1.
func anchors(page string) []string {
	var all []string
	times := map[string]int{}
	for _, s := range sections(page)[1:] {
		name := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsNumber(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, mdLink.ReplaceAllString(s.title, "]"))
		n := times[name]
		times[name]++
		if n > 0 {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		all = append(all, name)
	}
	return all
}
