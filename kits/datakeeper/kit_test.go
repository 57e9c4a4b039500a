package datakeeper

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// estate is a mirror of three nodes: two in one region, one in another.
func estate(node string) kits.Instance {
	in := kits.Instance{
		Tag: "service/data", Nodes: map[string]kits.Node{}, On: map[string]map[string]string{}, Active: "LK_P_A",
	}
	for n, region := range map[string]string{"LK_P_A": "primary", "LK_P_B": "primary", "LK_S_A": "secondary"} {
		in.Nodes[n] = kits.Node{Name: n, Region: region, Address: "10.0.0.4"}
		in.On[n] = map[string]string{FieldDisk: "/dev/sdb"}
	}
	in.Node, in.Attrs = in.Nodes[node], in.On[node]
	return in
}

const someUUID = "00000000:11111111:22222222:33333333"

// kept is a record in which the near leg is in sync, and the far one is asynchronous.
func keptRecord(change func(*Record)) []byte {
	r := &Record{Gen: 4, UUID: someUUID, Source: "LK_P_A", Created: true, Legs: map[string]Leg{
		"LK_P_B": {State: InSync, Since: noon.Add(-time.Hour), Last: noon.Add(-time.Hour), Mode: modeFreeze, Number: 2, Partial: true},
		"LK_S_A": {State: InSync, Since: noon.Add(-time.Hour), Last: noon.Add(-20 * time.Second), Mode: modeAsynchronous, Number: 2, Partial: true},
	}}
	if change != nil {
		change(r)
	}
	return r.encode()
}

func TestScriptsLint(t *testing.T) {
	for name, body := range map[string]string{
		"pulse": pulseSh, "create": arraySh + "\n" + createSh, "start": arraySh + "\n" + startSh, "stop": stopSh, "serve": serveSh, "dirty": dirtySh,
		"connect": connectSh, "add": addSh, "exclude": excludeSh, "thaw": thawSh, "verify": verifySh, "uncache": uncacheSh, "sums": sumsSh, "located": locatedSh, "settle": settleSh, "eligible": eligibleSh, "disks": disksSh,
	} {
		kittest.Lint(t, name, libSh+"\n"+body)
	}
}

// A setting of the array's queue waits, with the lock held that a leg needs to join, for what is on its way, which a join holds
// back: set while a leg joins, it stands still with everything that writes, until the node is started anew. So it is set before
// another leg can be there, and not even then where it is set already.
func TestQueueIsSetBeforeLegsJoin(t *testing.T) {
	files, _ := filepath.Glob("sh/*.sh")
	set := regexp.MustCompile(`(>|\bput\b.*)\s*"?\$sys/\$md/queue/`)
	places := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if !set.MatchString(line) {
				continue
			}
			places++
			if f != filepath.Join("sh", "array.sh") || !strings.HasPrefix(strings.TrimSpace(line), "stable || ") {
				t.Errorf("%s sets the array's queue: %s", f, line)
			}
		}
	}
	if places != 1 {
		t.Errorf("%d places set the array's queue, want 1", places)
	}
}

// Every word with which a script fails has a text for people, and no text is there for nothing.
func TestEveryFailureHasAText(t *testing.T) {
	files, _ := filepath.Glob("sh/*.sh")
	used := map[string]bool{}
	word := regexp.MustCompile(`\b(?:fail|undo) ([a-z][a-z-]+)\b`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			for _, m := range word.FindAllStringSubmatch(line, -1) {
				used[m[1]] = true
				if failures[m[1]] == "" {
					t.Errorf("%s: %q has no text", f, m[1])
				}
			}
		}
	}
	for code := range failures {
		if !used[code] {
			t.Errorf("no script says %q", code)
		}
	}
}

func TestPromote(t *testing.T) {
	for _, c := range []struct {
		name, node string
		change     func(*Record)
		doubtful   bool
		refused    string
	}{
		{"the source again", "LK_P_A", nil, false, ""},
		{"a leg with freeze", "LK_P_B", nil, false, ""},
		{"an asynchronous leg", "LK_S_A", nil, false, "asynchronous"},
		{"in doubt", "LK_P_B", nil, true, "doubtful"},
		{"the source in doubt", "LK_P_A", nil, true, "doubtful"},
		{"a leg that is out", "LK_P_B", func(r *Record) { r.out("LK_P_B", "it does not answer", noon) }, false, "stale"},
		{"half a copy", "LK_P_B", func(r *Record) { l := r.Legs["LK_P_B"]; l.State = Syncing; r.Legs["LK_P_B"] = l }, false, "half"},
		{"on_partition = continue", "LK_P_B", func(r *Record) { l := r.Legs["LK_P_B"]; l.Mode = modeContinue; r.Legs["LK_P_B"] = l }, false, "continue"},
		{"a failed source", "LK_P_A", func(r *Record) { r.Bad = true }, false, "source-bad"},
		{"a failed source's leg", "LK_P_B", func(r *Record) { r.Bad = true }, false, ""},
		{"a leg that differs", "LK_P_B", func(r *Record) { differ(r, "LK_P_B") }, false, "differs"},
		{"an asynchronous leg that differs", "LK_S_A", func(r *Record) { differ(r, "LK_S_A") }, false, "differs"},
		{"a leg beside one that differs", "LK_P_B", func(r *Record) { differ(r, "LK_S_A") }, false, ""},
		{"a node without a leg", "LK_P_B", func(r *Record) { delete(r.Legs, "LK_P_B") }, false, "never"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := estate(c.node)
			in.Record, in.Doubtful = keptRecord(c.change), c.doubtful
			rec, no := Kit{}.Promote(in, false, noon)
			if c.refused != "" {
				if no == nil || no.Code != "datakeeper."+c.refused || no.Text == "" {
					t.Errorf("got %s, %+v; want a refusal %s", rec, no, c.refused)
				}
				rec, no = Kit{}.Promote(in, true, noon)
			}
			if no != nil {
				t.Fatalf("refused: %+v", no)
			}
			r, err := decode(rec)
			if err != nil {
				t.Fatal(err)
			}
			if r.Source != c.node || r.Gen <= 4 || r.Bad {
				t.Errorf("%s", rec)
			}
			for n, l := range r.Legs {
				if l.State != Out || l.Number <= 2 {
					t.Errorf("the leg of %s is %+v: it has to come back by joining", n, l)
				}
				if c.refused != "" && (l.Partial || l.Merge) {
					t.Errorf("after force the leg of %s is copied in full, not %+v", n, l)
				}
			}
			if old := r.Legs["LK_P_A"]; c.node == "LK_P_B" && c.refused == "" && (!old.Partial || !old.Merge) {
				t.Errorf("the old source %+v has writes of its own to be merged", old)
			}
		})
	}
}

func TestPromoteTheFirstTime(t *testing.T) {
	in := estate("LK_P_A")
	rec, no := Kit{}.Promote(in, false, noon)
	r, err := decode(rec)
	if no != nil || err != nil || r.Gen != 1 || r.Source != "LK_P_A" || r.Created || len(r.Legs) != 2 {
		t.Fatalf("%s %+v %v", rec, no, err)
	}
	in.Doubtful = true
	if _, no := (Kit{}).Promote(in, false, noon); no == nil || no.Code != "datakeeper.doubtful" {
		t.Errorf("a record that may be lost is no first start: %+v", no)
	}
	in.Record = []byte(`{"gen":"x"}`)
	if _, no := (Kit{}).Promote(in, false, noon); no == nil || no.Code != "datakeeper.record" {
		t.Errorf("an unreadable record: %+v", no)
	}
}

// said is a pulse.
func said(lines ...string) kits.Pulse {
	return kits.Pulse{Result: kits.Result{Stdout: "@begin\n@up 1000\n" + strings.Join(lines, "\n") + "\n@end\n"}}
}

const (
	runs     = "@gen 4 uuid=" + someUUID + "\n@disk yes\n@leg dm-0\n@array md127 array_state=active raid_disks=3 degraded=0 sync_action=idle sync_completed=none sync_speed=0 mismatch_cnt=0 size=100 ro=0\n@own state=in_sync bad=no"
	still    = "@still active"
	idle     = "@gen 4 uuid=" + someUUID + "\n@disk yes\n@leg dm-0"
	nearGood = "@far LK_P_B number=2 mode=freeze state=in_sync,write_mostly bad=no path=A connected=yes flights=0 stalled=0"
	farGood  = "@far LK_S_A number=2 mode=asynchronous state=in_sync,write_mostly bad=no path=A connected=yes flights=0 stalled=0"
)

func TestKeep(t *testing.T) {
	stuck := strings.Replace(nearGood, "flights=0 stalled=0", "flights=2 stalled=500", 1)
	waits := strings.Replace(nearGood, "flights=0 stalled=0", "flights=2 stalled=100", 1)
	for _, c := range []struct {
		name  string
		near  State
		first string // first task
		proof bool
		lines []string
	}{
		{"all is well", InSync, "", true, []string{runs, nearGood, farGood, still}},
		{"a moment without an answer", InSync, "", true, []string{runs, waits, farGood, still}},
		{"no answer for too long", Out, "exclude LK_P_A", true, []string{runs, stuck, farGood, still}},
		{"a path that failed", Out, "exclude LK_P_A", true, []string{runs, strings.Replace(stuck, "path=A", "path=F", 1), farGood, still}},
		{"the array gave it up", Out, "exclude LK_P_A", true, []string{runs, strings.Replace(nearGood, "in_sync,write_mostly", "faulty", 1), farGood, still}},
		{"blocks that were not written", Out, "exclude LK_P_A", true, []string{runs, strings.Replace(nearGood, "bad=no", "bad=yes", 1), farGood, still}},
		{"not connected at all", Out, "join LK_P_B", true, []string{runs, farGood, still}},
		{"stopped while it was looked at", InSync, "", false, []string{runs, farGood, "@still -"}},
		{"another generation", InSync, "", false, []string{strings.Replace(runs, "@gen 4", "@gen 3", 1), nearGood, farGood, still}},
		{"out of service", InSync, "", false, []string{idle}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := estate("LK_P_A")
			in.Record = keptRecord(nil)
			kept := Kit{}.Keep(in, map[string]kits.Pulse{"LK_P_A": said(c.lines...), "LK_P_B": said(idle), "LK_S_A": {Err: errors.New("no answer")}}, noon)
			r, err := decode(kept.Record)
			if err != nil {
				t.Fatal(err)
			}
			if r.Legs["LK_P_B"].State != c.near || kept.Proven != c.proof {
				t.Errorf("the leg is %+v, proven %t", r.Legs["LK_P_B"], kept.Proven)
			}
			first := ""
			if len(kept.Tasks) > 0 {
				first = kept.Tasks[0].Name + " " + kept.Tasks[0].Node
			}
			if first != c.first || len(kept.Tasks) > 1 {
				t.Errorf("tasks %+v, want %q", kept.Tasks, c.first)
			}
			if c.near == Out && c.first != "join LK_P_B" && (!kept.Tasks[0].Urgent || r.Legs["LK_P_B"].Number != 3) {
				t.Errorf("%+v %+v", kept.Tasks[0], r.Legs["LK_P_B"])
			}
			if (c.near == InSync) != (kept.Impaired.Code == "" || c.name == "a moment without an answer") {
				t.Errorf("impaired %+v", kept.Impaired)
			}
			if len(kept.Live) != 3 {
				t.Errorf("live %v", kept.Live)
			}
		})
	}
}

// A late exclusion does not touch a newer membership, and an old connection cannot bring a leg back.
func TestKeepOldConnection(t *testing.T) {
	in := estate("LK_P_A")
	in.Record = keptRecord(func(r *Record) { r.out("LK_P_B", "it does not answer", noon) })
	kept := Kit{}.Keep(in, map[string]kits.Pulse{"LK_P_A": said(runs, nearGood, farGood, still), "LK_P_B": said(idle)}, noon)
	r, _ := decode(kept.Record)
	if r.Legs["LK_P_B"].State != Out || len(kept.Tasks) != 1 || kept.Tasks[0].Name != taskExclude {
		t.Errorf("%s %+v", kept.Record, kept.Tasks)
	}
}

func TestKeepStray(t *testing.T) {
	in := estate("LK_P_B")
	in.Record = keptRecord(func(r *Record) {
		r.Gen, r.Source = 5, "LK_P_B"
		r.Legs["LK_P_A"] = Leg{State: Out, Number: 3}
		delete(r.Legs, "LK_P_B")
	})
	kept := Kit{}.Keep(in, map[string]kits.Pulse{"LK_P_A": said(runs, nearGood, still), "LK_P_B": said(idle)}, noon)
	if len(kept.Tasks) != 1 || kept.Tasks[0].Name != taskThaw || kept.Tasks[0].Node != "LK_P_A" || !kept.Tasks[0].Urgent {
		t.Errorf("%+v", kept.Tasks)
	}
}

func TestKeepMadOutput(t *testing.T) {
	in := estate("LK_P_A")
	in.Record = keptRecord(nil)
	for _, out := range []string{"", "@", "@begin\n@end\n", "@begin\n@up 1\n@gen x\n@disk yes\n@leg none\n@end\n", "\x00\xff", "@begin\n@own state=in_sync\n@end\n"} {
		kept := Kit{}.Keep(in, map[string]kits.Pulse{"LK_P_A": {Result: kits.Result{Stdout: out}}}, noon)
		if string(kept.Record) != string(in.Record) || kept.Proven || len(kept.Tasks) > 0 {
			t.Errorf("%q moves %+v", out, kept)
		}
	}
}

// What is wrong by the record stays wrong while the source's word is missing or cannot be read.
func TestKeepWithoutTheSourcesWord(t *testing.T) {
	in := estate("LK_P_A")
	for name, change := range map[string]func(*Record){
		"":                       nil,
		"datakeeper.leg-out":     func(r *Record) { r.out("LK_P_B", "it does not answer", noon) },
		"datakeeper.leg-syncing": func(r *Record) { l := r.Legs["LK_P_B"]; l.State = Syncing; r.Legs["LK_P_B"] = l },
	} {
		in.Record = keptRecord(change)
		for what, p := range map[string]kits.Pulse{"no answer": {Err: errors.New("no answer")}, "not to be read": {Result: kits.Result{Stdout: "@begin\n@up x\n@end\n"}}} {
			kept := Kit{}.Keep(in, map[string]kits.Pulse{"LK_P_A": p}, noon)
			if kept.Impaired.Code != name || string(kept.Record) != string(in.Record) {
				t.Errorf("%s: %+v, want %q and the same record", what, kept.Impaired, name)
			}
		}
	}
}

// A person's pause takes the leg out, and it stays out.
func TestKeepPaused(t *testing.T) {
	in := estate("LK_P_A")
	in.Record = keptRecord(nil)
	in.On["LK_P_B"] = maps.Clone(in.On["LK_P_B"])
	in.On["LK_P_B"][FieldPaused] = "true"
	heard := map[string]kits.Pulse{"LK_P_A": said(runs, nearGood, farGood, still), "LK_P_B": said(idle)}
	kept := Kit{}.Keep(in, heard, noon)
	if len(kept.Tasks) != 1 || kept.Tasks[0].Name != taskExclude || kept.Live["LK_P_B"]["state"] != "Target, paused" {
		t.Fatalf("%+v", kept)
	}
	in.Record = kept.Record
	heard["LK_P_A"] = said(runs, farGood, still)
	if kept = (Kit{}).Keep(in, heard, noon.Add(time.Hour)); len(kept.Tasks) != 0 {
		t.Errorf("%+v", kept.Tasks)
	}
	in.On["LK_P_B"][FieldPaused] = "false"
	if kept = (Kit{}).Keep(in, heard, noon.Add(time.Hour)); len(kept.Tasks) != 1 || kept.Tasks[0].Name != taskJoin {
		t.Errorf("%+v", kept.Tasks)
	}
}

func TestValidate(t *testing.T) {
	good := estate("LK_P_A")
	if p := (Kit{}).Validate(good); len(p) != 0 {
		t.Errorf("%+v", p)
	}
	for field, value := range map[string]string{
		FieldDisk: "sdb", FieldHierarchy: "old", FieldMode: "fast", FieldPartition: "pray", FieldAddress: "127.0.0.1",
		FieldPort: "80", FieldDevice: "/dev/sda", FieldMetadata: "/dev/sdc", FieldPaused: "perhaps", FieldFSType: "btrfs",
	} {
		in := estate("LK_P_A")
		in.Attrs = maps.Clone(in.Attrs)
		in.Attrs[field] = value
		p := (Kit{}).Validate(in)
		if len(p) != 1 || p[0].Field != field || p[0].Fix == "" {
			t.Errorf("%s = %q: %+v", field, value, p)
		}
	}
}

func TestRanges(t *testing.T) {
	a, err := parse(kits.Result{Stdout: "@begin\n@chunk 65536\n@chunks 10\n|1\n|3-5\n|9\n@end\n"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ranges(a); err != nil || got != "1 3-5 9" {
		t.Errorf("%q %v", got, err)
	}
	for _, bad := range []string{"|10", "|5-3", "|x", "|1;rm", "|-1"} {
		a, _ := parse(kits.Result{Stdout: "@begin\n@chunks 10\n" + bad + "\n@end\n"})
		if got, err := ranges(a); err == nil {
			t.Errorf("%s gives %q", bad, got)
		}
	}
}
