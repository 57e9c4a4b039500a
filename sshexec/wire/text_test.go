package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// echoAll has a shell print the words, each ended by the NUL that no word can contain.
func echoAll(t testing.TB, argv []string, words []string) string {
	t.Helper()
	cmd := exec.Command(argv[0], append(append([]string(nil), argv[1:]...), "-s")...)
	cmd.Stdin = strings.NewReader("printf '%s\\000' " + quoteAll(words) + "\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", argv, err)
	}
	return string(out)
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "'", "''", `\'`, "$(id)", "`id`", "a b\tc\nd\r", "\xff\xfe", "!x", "-n", "%s", "\\", "'\\''", "日本語", "#", "\x01\x7f"} {
		f.Add(s)
	}
	sh := shells(f)
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ReplaceAll(s, "\x00", "")
		if back, ok := unquote(Quote(s)); !ok || back != s {
			t.Fatalf("unquote(%s) = %q, %v", Quote(s), back, ok)
		}
		for name, argv := range sh {
			if got, want := echoAll(t, argv, []string{s, "end"}), s+"\x00end\x00"; got != want {
				t.Errorf("%s: %q became %q", name, want, got)
			}
		}
	})
}

func drawJob(t *rapid.T) Job {
	j := Job{
		ID: rapid.StringMatching(`[A-Za-z0-9._:@/+=-]{1,20}`).Draw(t, "id"), Name: rapid.String().Draw(t, "name"),
		Deadline: time.Duration(rapid.IntRange(1, 100000).Draw(t, "deadline")) * time.Millisecond, MaxOutput: rapid.IntRange(1, 1<<20).Draw(t, "max"),
	}
	bytes := rapid.SliceOf(rapid.ByteRange(1, 255))
	switch rapid.IntRange(0, 3).Draw(t, "sort") {
	case 0:
		j.Verb, j.Args = VerbAwait, []string{"ferry-" + rapid.StringMatching(`[a-z0-9-]{1,20}`).Draw(t, "unit")}
		return j
	case 1:
		j.Guard = &Guard{Unit: "ferry-x", Lock: "l", Estate: "e", Engine: "g", Epoch: rapid.Uint64Range(1, 1<<50).Draw(t, "epoch")}
	}
	j.Body = string(bytes.Draw(t, "body"))
	for _, a := range rapid.SliceOfN(bytes, 0, 4).Draw(t, "args") {
		j.Args = append(j.Args, string(a))
	}
	if in := rapid.SliceOf(rapid.Byte()).Draw(t, "stdin"); len(in) > 0 {
		j.Stdin = in
	}
	return j
}

// TestRequestRoundTrip: what a simulated node reads is what was asked, also after the prelude and one after another.
func TestRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []Request
		text := Prelude()
		for range rapid.IntRange(1, 3).Draw(t, "requests") {
			r := Request{Nonce: NewNonce(), Jobs: rapid.SliceOfNDistinct(rapid.Custom(drawJob), 1, 4, func(j Job) string { return j.ID }).Draw(t, "jobs")}
			if err := r.Validate(); err != nil {
				t.Fatal(err)
			}
			want = append(want, r)
			text += r.Shell()
		}
		r := bufio.NewReaderSize(strings.NewReader(text), 64)
		for _, w := range want {
			got, err := ReadRequest(r)
			if err != nil || !reflect.DeepEqual(got, w) {
				t.Fatalf("got %#v, %v\nwant %#v", got, err, w)
			}
		}
		if _, err := ReadRequest(r); !errors.Is(err, io.EOF) {
			t.Fatalf("at the end: %v", err)
		}
	})
}

func FuzzReadRequest(f *testing.F) {
	nonce := strings.Repeat("a", 32)
	f.Add([]byte(Request{Nonce: nonce, Jobs: []Job{{ID: "a", Body: "echo", Stdin: []byte("x")}}}.Shell()))
	f.Add([]byte(Request{Nonce: nonce, Jobs: []Job{{ID: "a", Body: "echo", Beat: true}}}.Shell()))
	f.Add([]byte("#ferry1 {\"nonce\":\"" + nonce + "\",\"jobs\":[{\"id\":\"a\",\"body\":-1}]}\nF_B=''\n"))
	f.Add([]byte("#ferry1 {\"nonce\":\"" + nonce + "\",\"jobs\":[{\"id\":\"a\",\"body\":999999999999}]}\nF_B=''\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		if err != nil {
			return
		}
		again, err := ReadRequest(bufio.NewReader(strings.NewReader(r.Shell())))
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("%#v became %#v, %v", r, again, err)
		}
	})
}

// TestFrameRoundTrip: any output, between any noise, comes back as it was.
func TestFrameRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text bytes.Buffer
		nonce := NewNonce()
		var want []Frame
		bytes := rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\n#ferry1 end"))))
		for i := range rapid.IntRange(1, 4).Draw(t, "frames") {
			f := Frame{
				ID: string(rune('a' + i)), Status: rapid.SampledFrom([]Status{Done, Deadline, Ended, Refused, Locked, Lost, Error}).Draw(t, "status"),
				Exit: rapid.IntRange(0, 255).Draw(t, "exit"), Stdout: bytes.Draw(t, "out"), Stderr: bytes.Draw(t, "err"),
				Truncated: rapid.Bool().Draw(t, "cut"), Duration: time.Duration(rapid.IntRange(0, 1e6).Draw(t, "ms")) * time.Millisecond,
			}
			want = append(want, f)
			text.Write(bytes.Draw(t, "noise"))
			WriteFrame(&text, nonce, f)
		}
		r := bufio.NewReaderSize(&text, 512)
		for _, w := range want {
			_, got, err := ReadFrame(r, func(n, _ string) (int, bool) { return 1 << 20, n == nonce })
			got.Stdout, got.Stderr = append([]byte{}, got.Stdout...), append([]byte{}, got.Stderr...)
			if err != nil || !reflect.DeepEqual(got, w) {
				t.Fatalf("got %+v, %v\nwant %+v", got, err, w)
			}
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	nonce := strings.Repeat("b", 32)
	var b bytes.Buffer
	WriteFrame(&b, nonce, Frame{ID: "a", Status: Done, Stdout: []byte("out"), Stderr: []byte("err")})
	f.Add(b.Bytes(), 10)
	f.Add([]byte("#ferry1 frame "+nonce+" a done 999 0\n"), 1)
	f.Add([]byte("#ferry1 frame "+nonce+" a done 0 0\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), 1)
	f.Fuzz(func(t *testing.T, text []byte, limit int) {
		limit = max(0, min(limit, 1000))
		r := bufio.NewReaderSize(bytes.NewReader(text), 512)
		for {
			_, fr, err := ReadFrame(r, func(n, _ string) (int, bool) { return limit, n == nonce })
			if err != nil {
				return
			}
			if len(fr.Stdout) > limit || len(fr.Stderr) > limit || fr.Exit < 0 || fr.Exit > 255 || !fr.Status.known() {
				t.Fatalf("limit %d: %+v", limit, fr)
			}
		}
	})
}

func TestFrameErrors(t *testing.T) {
	nonce := strings.Repeat("c", 32)
	for text, want := range map[string]error{
		"": io.EOF, "noise\n": io.EOF,
		"\n#ferry1 frame " + nonce + " a done 0 0\nhalf":                         ErrFrame,
		"\n#ferry1 frame " + nonce + " a done 0 0\n" + strings.Repeat("x", 5000): ErrFrame,
	} {
		_, _, err := ReadFrame(bufio.NewReader(strings.NewReader(text)), func(string, string) (int, bool) { return 100, true })
		if !errors.Is(err, want) {
			t.Errorf("%.40q: got %v, want %v", text, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	nonce := NewNonce()
	good := Job{ID: "a", Body: "true"}
	for what, r := range map[string]Request{
		"hexadecimal digits": {Nonce: "xyz", Jobs: []Job{good}},
		"1 to 256 jobs":      {Nonce: nonce},
		"used twice":         {Nonce: nonce, Jobs: []Job{good, good}},
		"the id is not":      {Nonce: nonce, Jobs: []Job{{ID: "a b"}}},
		"contain a NUL":      {Nonce: nonce, Jobs: []Job{{ID: "a", Args: []string{"\x00"}}}},
		"longer than":        {Nonce: nonce, Jobs: []Job{{ID: "a", Stdin: make([]byte, MaxText+1)}}},
		"deadline":           {Nonce: nonce, Jobs: []Job{{ID: "a", Deadline: 25 * time.Hour}}},
		"output bound":       {Nonce: nonce, Jobs: []Job{{ID: "a", MaxOutput: 1 << 30}}},
		"unit \"x\"":         {Nonce: nonce, Jobs: []Job{{ID: "a", Guard: &Guard{Unit: "x", Lock: "l", Estate: "e", Engine: "m", Epoch: 1}}}},
		"lock \"../x\"":      {Nonce: nonce, Jobs: []Job{{ID: "a", Guard: &Guard{Unit: "ferry-x", Lock: "../x", Estate: "e", Engine: "m", Epoch: 1}}}},
		"epoch 0":            {Nonce: nonce, Jobs: []Job{{ID: "a", Guard: &Guard{Unit: "ferry-x", Lock: "l", Estate: "e", Engine: "m"}}}},
		"estate \"\"":        {Nonce: nonce, Jobs: []Job{{ID: "a", Guard: &Guard{Unit: "ferry-x", Lock: "l", Engine: "m", Epoch: 1}}}},
		"verb \"dance\"":     {Nonce: nonce, Jobs: []Job{{ID: "a", Verb: "dance"}}},
		"no name of a":       {Nonce: nonce, Jobs: []Job{{ID: "a", Verb: VerbEnd, Args: []string{"sshd"}}}},
		"is alone":           {Nonce: nonce, Jobs: []Job{{ID: "a", Beat: true}, good}},
		"nothing else":       {Nonce: nonce, Jobs: []Job{{ID: "a", Beat: true, Stdin: []byte("x")}}},
	} {
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("want %q, got %v", what, err)
		}
	}
}

func TestParseUnits(t *testing.T) {
	units := []Unit{{"ferry-a", UnitRunning, "", 0}, {"ferry-b", UnitFinished, Done, 3}, {"ferry-c", UnitTurned, Refused, 77}}
	got, err := ParseUnits([]byte(FormatUnits(units)))
	if err != nil || !reflect.DeepEqual(got, units) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"x\n", "sshd running - -\n", "ferry-a odd - -\n", "ferry-a finished done x\n", "ferry-a finished odd 1\n"} {
		if _, err := ParseUnits([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		if os.Getenv("FERRY_REQUIRE_REAL") == "1" {
			t.Fatal("shellcheck is needed and not installed")
		}
		t.Skip("shellcheck is not installed")
	}
	job := Job{ID: "b", Body: "it's\ntwo", Args: []string{"$x"}, Stdin: []byte("y"), Guard: &Guard{Unit: "ferry-x", Lock: "l", Estate: "e", Engine: "m", Epoch: 1}}
	request := "# shellcheck disable=SC2034,SC2030,SC2031,SC2016\n" + Request{Nonce: NewNonce(), Jobs: []Job{{ID: "a", Verb: VerbList}, job}}.Shell()
	for name, text := range map[string]string{"node.sh": nodeLib, "prelude.sh": Prelude(), "request": request} {
		cmd := exec.Command("shellcheck", "-s", "sh", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
