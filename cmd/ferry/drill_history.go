package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/drill"
	"github.com/spf13/cobra"
)

// DrillDocument is printed by drill and drill show.
type DrillDocument struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	*drill.Report
}

// DrillHistoryDocument is printed by drill history, the oldest report first.
type DrillHistoryDocument struct {
	Version string         `json:"version"`
	Kind    string         `json:"kind"`
	Reports []drill.Report `json:"reports"`
	Trends  []drill.Trend  `json:"trends"`
}

// drillStore is the directory in which reports are kept: one JSON and one Markdown file
// each. It lies beside the state directory and not in it, since an adoption sets that aside.
type drillStore struct{ dir string }

func (a *cli) drillStore(d drilling) (drillStore, error) {
	dir := d.reports
	if dir == "" {
		dir = filepath.Join(filepath.Dir(filepath.Clean(a.statePlace().Path)), "ferry-drills")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return drillStore{}, fmt.Errorf("finding the directory for reports: %w", err)
	}
	return drillStore{dir}, nil
}

// writable makes the directory and tries it, before anything moves.
func (s drillStore) writable() error {
	err := os.MkdirAll(s.dir, 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(s.dir, ".try-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fail(api.KindUnavailable, "--reports DIR keeps them elsewhere", "reports cannot be kept: %s; nothing was moved", err)
	}
	return nil
}

func (s drillStore) keep(r *drill.Report) error {
	data, err := api.MarshalIndent(r)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	base := filepath.Join(s.dir, r.ID)
	return errors.Join(writeFile(base+".json", append(data, '\n')), writeFile(base+".md", drill.Markdown(r)))
}

// writeFile writes a file whole or not at all.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// maxReport bounds what is read of one report, in bytes.
const maxReport = 4 << 20

func (s drillStore) read(id string) (*drill.Report, error) {
	if id != filepath.Base(id) {
		return nil, fail(api.KindNoSuch, "ferry drill history lists them", "no drill %q", id)
	}
	path := filepath.Join(s.dir, id+".json")
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fail(api.KindNoSuch, "ferry drill history lists them", "no drill %q in %s", id, s.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	r := new(drill.Report)
	if st.Size() > maxReport {
		return nil, fmt.Errorf("reading %s: it is larger than any report", path)
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, r)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}

// all reads every report, the oldest first; what cannot be read is an error of its own.
func (s drillStore) all() (reports []drill.Report, problems []error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		return nil, []error{err}
	}
	slices.Sort(files)
	for _, f := range files {
		r, err := s.read(strings.TrimSuffix(filepath.Base(f), ".json"))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		reports = append(reports, *r)
	}
	return reports, problems
}

func (a *cli) drillHistoryCmd(d *drilling) *cobra.Command {
	return &cobra.Command{
		Use:   "history [TAG]",
		Short: "List past drills, and tell whether recovery gets slower",
		Long: `Lists the reports that are kept here, the oldest first, and compares those that
passed: the first, the last, and the median. With three or more of one kind it says when
the last took clearly longer than those before.`,
		Example: "  ferry drill history\n  ferry drill history app-www -o json",
		Args:    args(0, 1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := a.drillStore(*d)
			if err != nil {
				return err
			}
			reports, problems := store.all()
			for _, p := range problems {
				a.say("notice: %s", p)
			}
			if tag := first(args); tag != "" {
				reports = slices.DeleteFunc(reports, func(r drill.Report) bool { return r.Tag != tag && !strings.HasSuffix(r.Tag, "/"+tag) })
			}
			doc := DrillHistoryDocument{api.Version, "DrillHistory", reports, drill.Trends(reports)}
			return a.print(doc, func() string { return historyText(doc, store.dir) })
		},
	}
}

func (a *cli) drillShowCmd(d *drilling) *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show the report of a past drill",
		Example: "  ferry drill show 20260301T031415Z --markdown",
		Args:    args(1, 1, "the ID of a drill"),
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := a.drillStore(*d)
			if err != nil {
				return err
			}
			r, err := store.read(args[0])
			if err != nil {
				return err
			}
			return a.print(DrillDocument{api.Version, "Drill", r}, func() string {
				if markdown {
					return string(drill.Markdown(r))
				}
				return drillText(r)
			})
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "as Markdown")
	return cmd
}

// checksText lists checks for a terminal.
func checksText(checks []drill.Check) string {
	var b strings.Builder
	for _, c := range checks {
		word := "ok    "
		if !c.OK {
			word = "NOT OK"
		}
		fmt.Fprintf(&b, "%s  %-10s  %s\n", word, c.Name, term.Clean(c.Text))
	}
	return b.String()
}

// drillText is a report for a terminal.
func drillText(r *drill.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "drill %s of %s: %s\n", term.Clean(r.ID), term.Clean(r.Tag), r.Result)
	for i := range r.Moves {
		m := &r.Moves[i]
		fmt.Fprintf(&b, "\n%-6s %s to %s, %s as %s: operation %s, outage %s\n", m.Name, term.Clean(m.From), term.Clean(m.To), m.Op, m.Outcome, drill.Span(m.Took), m.OutageText())
		if m.Verified > 0 {
			fmt.Fprintf(&b, "       seen in service and answering steadily %s after its end\n", drill.Span(m.Verified))
		}
		for _, s := range m.Steps {
			fmt.Fprintf(&b, "  %-9s %-34s %-12s %8s", s.Kind, term.Clean(strings.TrimSpace(s.Tag+" "+s.Node)), s.Status, drill.Span(s.Took))
			if s.Outage > 0 {
				fmt.Fprintf(&b, "  outage %s", drill.Span(s.Outage))
			}
			b.WriteByte('\n')
		}
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem: %s\n", term.Clean(p))
	}
	if r.Now != "" {
		fmt.Fprintf(&b, "in service now on %s\n", term.Clean(r.Now))
	}
	return b.String()
}

func historyText(doc DrillHistoryDocument, dir string) string {
	if len(doc.Reports) == 0 {
		return "no drill is kept in " + dir + "\n"
	}
	var b strings.Builder
	for i := range doc.Reports {
		r := &doc.Reports[i]
		took := "-"
		if d, ok := r.Recovery(); ok {
			took = drill.Span(d)
		}
		fmt.Fprintf(&b, "%-17s  %-24s  %-10s  %-8s  %s to %s  %s\n", term.Clean(r.ID), term.Clean(r.Tag), r.Test, r.Result, term.Clean(r.From), term.Clean(r.To), took)
	}
	for _, t := range doc.Trends {
		what := "outage"
		if !t.Probed {
			what = "operation"
		}
		fmt.Fprintf(&b, "\n%s, %s from %s to %s, %d passed: %s first %s, last %s, median %s\n", term.Clean(t.Tag), t.Test, term.Clean(t.From), term.Clean(t.To), t.Count, what, drill.Span(t.First), drill.Span(t.Last), drill.Span(t.Median))
		if t.Slower {
			fmt.Fprintf(&b, "  SLOWER: the last one took clearly longer than those before\n")
		}
	}
	return b.String()
}
