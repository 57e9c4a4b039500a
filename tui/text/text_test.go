package text

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// flatten lists a catalog's ids with their texts; plural forms are one text each.
func flatten(t *testing.T, l Lang) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(catalog, "catalog/"+string(l), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var doc map[string]any
		if _, err := toml.DecodeFS(catalog, p, &doc); err != nil {
			return err
		}
		// A kit's part of a room may be a file of its own: reasons-openswan.toml.
		room, _, _ := strings.Cut(path.Base(p[:len(p)-len(".toml")]), "-")
		if room == "reasons" {
			room = "reason"
		}
		if len(doc) != 1 || doc[room] == nil {
			t.Errorf("%s: everything must stand under [%s]", p, room)
		}
		walk(out, "", doc)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func walk(out map[string]string, prefix string, v any) {
	switch v := v.(type) {
	case string:
		out[prefix] = v
	case map[string]any:
		for k, x := range v {
			if prefix != "" {
				k = prefix + "." + k
			}
			walk(out, k, x)
		}
	}
}

var argument = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

func arguments(s string) []string {
	var out []string
	for _, m := range argument.FindAllStringSubmatch(s, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return out
}

// plural forms: Japanese has "other" alone.
var plural = regexp.MustCompile(`\.one$`)

func TestLanguagesSayTheSame(t *testing.T) {
	en, ja := flatten(t, English), flatten(t, Japanese)
	for id, text := range en {
		if plural.MatchString(id) {
			continue
		}
		if ja[id] == "" {
			t.Errorf("%s is missing in Japanese", id)
		} else if a, b := arguments(text), arguments(ja[id]); !slices.Equal(a, b) {
			t.Errorf("%s: arguments %v in English, %v in Japanese", id, a, b)
		}
	}
	for id := range ja {
		// What reasons, kits' fields and doctor's checks say in English stands in the code.
		if en[id] == "" && id[:min(7, len(id))] != "reason." && id[:min(7, len(id))] != "fields." && id[:min(7, len(id))] != "checks." && id[:min(4, len(id))] != "fix." {
			t.Errorf("%s is missing in English", id)
		}
	}
}

// TestEveryReasonOfThePolicyIsSaid: in every language, with the same arguments.
func TestEveryReasonOfThePolicyIsSaid(t *testing.T) {
	plain := regexp.MustCompile(`\{(\w+)\}`)
	ja := flatten(t, Japanese)
	english := policy.Texts()
	for code, text := range english {
		said, ok := ja["reason."+code]
		if !ok {
			t.Errorf("%s is missing in Japanese", code)
			continue
		}
		want := arguments(plain.ReplaceAllString(text, "{{.$1}}"))
		if got := arguments(said); !slices.Equal(got, want) {
			t.Errorf("%s: arguments %v, in English %v", code, got, want)
		}
	}
	for id := range ja {
		if code, ok := strings.CutPrefix(id, "reason."); ok && english[code] == "" && !ofKit(code) && !strings.HasPrefix(code, "doctor.") {
			t.Errorf("%s is no reason of the policy any more", code)
		}
	}
	p, err := New(Japanese)
	if err != nil {
		t.Fatal(err)
	}
	behind := kits.Why("cause-dead", "LK_P_A is dead.", "node", "LK_P_A")
	r := kits.Why("op-began-failover", "…", "tag", "service/www", "from", "LK_P_A", "node", "LK_P_B")
	r.Because = &behind
	if got := p.Reason(r); got != "service/www を LK_P_A から LK_P_B へ移します。LK_P_A は停止しています。" {
		t.Errorf("got %q", got)
	}
}

// TestEveryCheckOfDoctorIsSaid: what it looks at, why and how it is mended; and nothing of
// a check that is gone.
func TestEveryCheckOfDoctorIsSaid(t *testing.T) {
	ja, left := flatten(t, Japanese), map[string]bool{}
	for id := range ja {
		if strings.HasPrefix(id, "checks.") {
			left[id] = true
		}
	}
	for _, c := range doctor.Checks() {
		for _, part := range []string{"about", "why", "mend"} {
			id := "checks." + c.ID + "." + part
			if ja[id] == "" {
				t.Errorf("%s is missing in Japanese", id)
			}
			delete(left, id)
		}
	}
	for id := range left {
		t.Errorf("%s is of no check", id)
	}
}

// TestEverySentenceOfDoctorIsSaid: with the same arguments, and so is what to do about it; and nothing of a sentence that is
// gone.
func TestEverySentenceOfDoctorIsSaid(t *testing.T) {
	ja, plain := flatten(t, Japanese), regexp.MustCompile(`\{(\w+)\}`)
	all := doctor.Sentences()
	if len(all) < 40 {
		t.Fatalf("only %d sentences", len(all))
	}
	for code, s := range all {
		for id, english := range map[string]string{"reason." + code: s.Said, "fix." + code: s.Fix} {
			want := arguments(plain.ReplaceAllString(english, "{{.$1}}"))
			switch said := ja[id]; {
			case (said == "") != (english == ""):
				t.Errorf("%s: %q in English, %q in Japanese", id, english, said)
			case !slices.Equal(arguments(said), want):
				t.Errorf("%s: arguments %v, in English %v", id, arguments(said), want)
			}
		}
	}
	for id := range ja {
		room, code, _ := strings.Cut(id, ".")
		if _, is := all[code]; !is && (room == "fix" || room == "reason" && strings.HasPrefix(code, "doctor.")) {
			t.Errorf("%s is of no sentence", id)
		}
	}
	p, err := New(Japanese)
	if err != nil {
		t.Fatal(err)
	}
	args := map[string]string{"where": "LK_P_A", "name": "www.example.com"}
	if got, ok := p.Fix("doctor.node.hosts-fixed", args); !ok || got != "LK_P_A の /etc/hosts から www.example.com を取り除きます。名前解決は Route 53 が行います。" {
		t.Errorf("got %q", got)
	}
	if got, ok := p.Fix("doctor.nothing", args); ok {
		t.Errorf("an unknown code gives %q", got)
	}
}

// speaking are the kits whose every reason has a text in each language.
var speaking = []string{"openswan", "filesystem", "postgresql", "oracle", "listener", "datakeeper"}

func ofKit(code string) bool {
	kit, _, ok := strings.Cut(code, ".")
	return ok && slices.Contains(speaking, kit)
}

// TestEveryReasonOfAKitIsSaid: a kit's English stands in its code, next to the reason's code.
func TestEveryReasonOfAKitIsSaid(t *testing.T) {
	ja := flatten(t, Japanese)
	for _, kit := range speaking {
		code := regexp.MustCompile(`"(` + kit + `\.[a-z-]+)"`)
		files, err := filepath.Glob(filepath.Join("..", "..", "kits", kit, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no sources (%v)", kit, err)
		}
		n := 0
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range code.FindAllSubmatch(src, -1) {
				n++
				if ja["reason."+string(m[1])] == "" {
					t.Errorf("%s is missing in Japanese", m[1])
				}
			}
		}
		if n < 5 {
			t.Errorf("%s: only %d reasons found: has the kit moved?", kit, n)
		}
	}
}

// said finds the codes that a kit gives its reasons.
var said = regexp.MustCompile(`"(openswan\.[a-z-]+)"`)

// TestEveryReasonOfTheTunnelsIsSaid: the kit's English stands in its code; in every other
// language each of its codes has a text, with arguments that the kit gives.
func TestEveryReasonOfTheTunnelsIsSaid(t *testing.T) {
	ja, given := flatten(t, Japanese), []string{"tag", "node", "connection"}
	detailed := []string{"openswan.conf", "openswan.no-conf", "openswan.not-reloaded"}
	codes := map[string]bool{}
	files, err := filepath.Glob(filepath.Join("..", "..", "kits", "openswan", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range said.FindAllSubmatch(src, -1) {
			codes[string(m[1])] = true
		}
	}
	if len(codes) < 10 {
		t.Fatalf("only %d codes found: has the kit moved?", len(codes))
	}
	for code := range codes {
		text, ok := ja["reason."+code]
		if !ok {
			t.Errorf("%s is missing in Japanese", code)
		}
		for _, a := range arguments(text) {
			if !slices.Contains(given, a) && !(a == "detail" && slices.Contains(detailed, code)) {
				t.Errorf("%s: the kit gives no argument %s", code, a)
			}
		}
	}
	for id := range ja {
		if code, ok := strings.CutPrefix(id, "reason."); ok && strings.HasPrefix(code, "openswan.") && !codes[code] {
			t.Errorf("%s is no reason of the kit any more", code)
		}
	}
	p, err := New(Japanese)
	if err != nil {
		t.Fatal(err)
	}
	r := kits.Why("openswan.daemon-dead", "the IPsec daemon does not run on VPN_P_A", "node", "VPN_P_A")
	if got := p.Reason(r); got != "VPN_P_A で IPsec デーモンが動いていません。" {
		t.Errorf("got %q", got)
	}
}

func TestPrinter(t *testing.T) {
	for _, l := range Langs() {
		p, err := New(l)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.T("no.such.id"); got != "[no.such.id]" {
			t.Errorf("an unknown id gives %q", got)
		}
		if got := p.Reason(kits.Reason{Code: "nobody.knows", Args: map[string]string{"a": "b"}}); got == "" {
			t.Error("a reason without a text is silent")
		}
	}
	p, _ := New(Japanese)
	if got := p.T("common.never"); got != "なし" {
		t.Errorf("got %q", got)
	}
}

func TestSpan(t *testing.T) {
	p := &Printer{}
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "400ms", 1200 * time.Millisecond: "1.2s", 42 * time.Second: "42s",
		250 * time.Second: "4m10s", 192 * time.Minute: "3h12m", 53 * time.Hour: "2d5h", 2 * time.Hour: "2h",
	} {
		if got := p.Span(d); got != want {
			t.Errorf("Span(%s) = %s, want %s", d, got, want)
		}
	}
}

func TestDetect(t *testing.T) {
	env := func(kv map[string]string) func(string) string { return func(k string) string { return kv[k] } }
	for _, c := range []struct {
		env  map[string]string
		want Lang
	}{
		{nil, English},
		{map[string]string{"LANG": "ja_JP.UTF-8"}, Japanese},
		{map[string]string{"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, English},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP"}, Japanese},
	} {
		if got := Detect(env(c.env)); got != c.want {
			t.Errorf("%v: %s, want %s", c.env, got, c.want)
		}
	}
}
