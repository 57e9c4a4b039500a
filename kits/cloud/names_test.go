package cloud_test

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits/cloud"
)

func TestTrailingDotsNameTheSameRecord(t *testing.T) {
	for _, test := range []struct{ in, want, shown string }{
		{"www.example.com", "www.example.com.", "www.example.com"},
		{"www.example.com.", "www.example.com.", "www.example.com"},
		{"WWW.Example.COM", "www.example.com.", "www.example.com"},
		{"*.example.com", `\052.example.com.`, "*.example.com"},
		{`\052.example.com.`, `\052.example.com.`, "*.example.com"},
		{`a\056b.example.com`, `a\056b.example.com.`, `a\056b.example.com`},
		{`\101.example.com`, "a.example.com.", "a.example.com"},
		{`a\.b`, `a\134.b.`, `a\134.b`},
		{`a\777.b`, `a\134777.b.`, `a\134777.b`},
		{`a\05`, `a\13405.`, `a\13405`},
		{"_sip.example.com", "_sip.example.com.", "_sip.example.com"},
		{"münchen.de", `m\303\274nchen.de.`, `m\303\274nchen.de`},
		{"", ".", "."}, {".", ".", "."},
	} {
		if got := cloud.DNSName(test.in); got != test.want {
			t.Errorf("%q gives %q, want %q", test.in, got, test.want)
		}
		if got := cloud.ShowDNSName(test.in); got != test.shown {
			t.Errorf("%q is shown as %q, want %q", test.in, got, test.shown)
		}
	}
	if cloud.DNSName("www.example.com") == cloud.DNSName(`www\056example.com`) {
		t.Error("a dot inside a label is not one between labels")
	}
}

func FuzzDNSName(f *testing.F) {
	for _, seed := range []string{"www.example.com", `\052.Example.com.`, `a\056b`, `\`, `\0`, `\400`, "..", "a\x00b", "日本.jp"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := cloud.DNSName(name)
		if again := cloud.DNSName(got); again != got {
			t.Fatalf("%q gives %q, which gives %q", name, got, again)
		}
		if !strings.HasSuffix(got, ".") {
			t.Fatalf("%q gives %q", name, got)
		}
		for i := range len(got) {
			if c := got[i]; c >= 0x7f || c <= ' ' || 'A' <= c && c <= 'Z' {
				t.Fatalf("%q gives %q", name, got)
			}
		}
		if !strings.HasSuffix(name, ".") && cloud.DNSName(name+".") != got {
			t.Fatalf("a trailing dot makes %q another name", name)
		}
		if upper := asciiUpper(name); cloud.DNSName(upper) != got {
			t.Fatalf("case makes %q another name", name)
		}
		if shown := cloud.ShowDNSName(name); cloud.DNSName(shown) != got {
			t.Fatalf("%q is shown as %q, another name", name, shown)
		}
	})
}

func asciiUpper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

func TestRecordsAreComparedWhole(t *testing.T) {
	a := cloud.Record{Name: "www.example.com.", Type: cloud.TypeA, TTL: 10, Values: []string{"10.1.0.10"}}
	if !a.Is("10.1.0.10") || a.Is("10.1.0.1") {
		t.Error("10.1.0.1 is not 10.1.0.10")
	}
	two := a
	two.Values = []string{"10.1.0.10", "10.2.0.10"}
	turned := a
	turned.Values = []string{"10.2.0.10", "10.1.0.10"}
	ttl := a
	ttl.TTL = 60
	alias := a
	alias.Special = "an alias for lb.example.com"
	if two.Is("10.1.0.10") || !two.Same(turned) || two.Same(a) || ttl.Same(a) || alias.Is("10.1.0.10") || alias.Same(a) {
		t.Error("record sets are not compared whole")
	}
}
