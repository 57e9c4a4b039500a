package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

// DoctorDocument is printed by doctor. Findings that passed are left out unless --all.
type DoctorDocument struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	// Counts are how many findings there are of each verdict, passes included.
	Counts map[doctor.Verdict]int `json:"counts"`
	*api.Diagnosis
	// Mended are the ids of the findings that --fix has put right.
	Mended []string `json:"mended,omitempty"`
}

// CheckListDocument is printed by doctor --list.
type CheckListDocument struct {
	Version string         `json:"version"`
	Kind    string         `json:"kind"`
	Checks  []doctor.Check `json:"checks"`
}

// doctoring are the flags of doctor.
type doctoring struct {
	api.Examination
	fix, yes, list, all bool
}

func (a *cli) doctorCmd() *cobra.Command {
	var f doctoring
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether the estate stands on firm ground, and mend what is safe to mend",
		Long: `Asks every node once, and AWS, whether all is there that a failover needs, and says
what is not, why that matters and how to put it right. Nothing is changed without
--fix. A check is named whole or by the part before its dot: aws.routes, node.

--fix carries out fixes that change only what they say and interrupt nothing. Each is
shown first (what, where, the very command) and asked about; --yes does not ask. It is
looked at again afterwards. It needs the role administrator.

Ends with 0 when nothing is wrong (warnings included), 1 when something is, and 190
when something could not be found out. Every check stands in docs/doctor.md.`,
		Example: `  ferry doctor
  ferry doctor --node VPN_P_A --fix
  ferry doctor --check aws -o json
  ferry doctor --except node.selinux`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.list {
				return a.listChecks(f.Checks)
			}
			return a.doctor(cmd.Context(), f)
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.Checks, "check", nil, "only these checks; may be repeated")
	fl.StringSliceVar(&f.Nodes, "node", nil, "only what concerns this server; may be repeated")
	fl.StringSliceVar(&f.Except, "except", nil, "leave these checks out")
	fl.BoolVar(&f.fix, "fix", false, "mend what is safe to mend")
	fl.BoolVarP(&f.yes, "yes", "y", false, "do not ask before each fix")
	fl.BoolVar(&f.list, "list", false, "list the checks and do nothing")
	fl.BoolVar(&f.all, "all", false, "show what passed, too")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeServer)
	cmd.AddCommand(a.iamPolicyCmd(), a.sudoersCmd())
	return cmd
}

func (a *cli) listChecks(args []string) error {
	doc := CheckListDocument{Version: api.Version, Kind: "CheckList"}
	for _, c := range doctor.Checks() {
		if len(args) == 0 || slices.ContainsFunc(args, func(w string) bool { return c.ID == w || strings.HasPrefix(c.ID, w+".") }) {
			doc.Checks = append(doc.Checks, c)
		}
	}
	if len(doc.Checks) == 0 {
		return fail(api.KindNoSuch, "ferry doctor --list names them all", "no check %q", strings.Join(args, " "))
	}
	return a.print(doc, func() string {
		var b strings.Builder
		for _, c := range doc.Checks {
			mark := ""
			if c.Fixable {
				mark = " (--fix)"
			}
			fmt.Fprintf(&b, "%s%s\n", a.outStyle.Paint(term.Name, c.ID), mark)
			for _, l := range term.Wrap(c.About, max(a.outStyle.Columns()-4, 40)) {
				fmt.Fprintf(&b, "    %s\n", l)
			}
		}
		return b.String()
	})
}

// Examine gives the call its deadline.
func (b bounded) Examine(ctx context.Context, e api.Examination) (*api.Diagnosis, error) {
	d, err := api.AsDoctor(b.Service)
	if err != nil {
		return nil, err
	}
	return within(ctx, previewTimeout, "examining the estate", func(ctx context.Context) (*api.Diagnosis, error) { return d.Examine(ctx, e) })
}

// Mend gives the call its deadline.
func (b bounded) Mend(ctx context.Context, m api.Mending) (*api.Mended, error) {
	d, err := api.AsDoctor(b.Service)
	if err != nil {
		return nil, err
	}
	return within(ctx, previewTimeout, "mending "+m.Finding, func(ctx context.Context) (*api.Mended, error) { return d.Mend(ctx, m) })
}

func (a *cli) doctor(ctx context.Context, f doctoring) error {
	return a.with(ctx, false, func(c *conn) error {
		d, err := api.AsDoctor(c.Service)
		if err != nil {
			return err
		}
		if _, err := c.looked(ctx); err != nil {
			return err
		}
		diag, err := d.Examine(ctx, f.Examination)
		if err != nil {
			return err
		}
		var mended []string
		if f.fix {
			if mended, err = a.mend(ctx, d, diag, f.yes); err != nil {
				return err
			}
			if len(mended) > 0 {
				if diag, err = d.Examine(ctx, f.Examination); err != nil {
					return err
				}
			}
		}
		return a.printDiagnosis(diag, mended, f)
	})
}

// mend shows every safe fix, asks, carries it out, and says what came of it.
func (a *cli) mend(ctx context.Context, d api.Doctor, diag *api.Diagnosis, yes bool) (mended []string, err error) {
	if !yes && !a.interactive() && slices.ContainsFunc(diag.Findings, func(f doctor.Finding) bool { return f.Fix.Safe }) {
		return nil, usage("add --yes to carry the fixes out without a question", "nobody is there to be asked before each fix")
	}
	for _, f := range diag.Findings {
		if f.Verdict == doctor.Pass || !f.Fix.Safe {
			continue
		}
		a.say("%s", strings.TrimRight(a.findingText(f), "\n"))
		if !yes {
			answer, err := a.ask(ctx, "Do that? [y/N]")
			if err != nil {
				return mended, err
			}
			if w := strings.ToLower(answer); w != "y" && w != "yes" {
				a.say("left as it is")
				continue
			}
		}
		m, err := d.Mend(ctx, api.Mending{Finding: f.ID(), Command: f.Fix.Command, Nodes: f.Nodes})
		switch {
		case err != nil:
			return mended, err
		case m.Gone:
			a.say("%s %s is put right", a.errStyle.Mark(term.Active), f.ID())
			mended = append(mended, f.ID())
		default:
			a.say("%s is still there: %s", f.ID(), term.Clean(m.Output))
		}
	}
	return mended, nil
}

func (a *cli) printDiagnosis(d *api.Diagnosis, mended []string, f doctoring) error {
	doc := DoctorDocument{Version: api.Version, Kind: "Doctor", Counts: map[doctor.Verdict]int{}, Diagnosis: d, Mended: mended}
	for _, f := range d.Findings {
		doc.Counts[f.Verdict]++
	}
	if !f.all {
		d.Findings = slices.DeleteFunc(d.Findings, func(f doctor.Finding) bool { return f.Verdict == doctor.Pass })
	}
	if err := a.print(doc, func() string { return a.diagnosisText(&doc) }); err != nil {
		return err
	}
	switch {
	case doc.Counts[doctor.Fail] > 0:
		return fail(api.KindFailed, "", "%d of %d checks failed", doc.Counts[doctor.Fail], total(doc.Counts))
	case doc.Counts[doctor.Unknown] > 0:
		return fail(api.KindDegraded, "", "%d of %d checks could not be made", doc.Counts[doctor.Unknown], total(doc.Counts))
	}
	return nil
}

func total(counts map[doctor.Verdict]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

func (a *cli) diagnosisText(doc *DoctorDocument) string {
	var b strings.Builder
	for _, f := range doc.Findings {
		b.WriteString(a.findingText(f))
	}
	n := total(doc.Counts)
	if n == doc.Counts[doctor.Pass] {
		fmt.Fprintf(&b, "%s All %d checks passed.\n", a.outStyle.Mark(term.Active), n)
		return b.String()
	}
	fmt.Fprintf(&b, "%d checks: %d failed, %d unknown, %d warnings, %d passed.\n", n,
		doc.Counts[doctor.Fail], doc.Counts[doctor.Unknown], doc.Counts[doctor.Warn], doc.Counts[doctor.Pass])
	if slices.ContainsFunc(doc.Findings, func(f doctor.Finding) bool { return f.Fix.Safe }) {
		b.WriteString("ferry doctor --fix mends what has \"--fix\" beside it.\n")
	}
	return b.String()
}

// findingText is one finding: what, where, why, and how to put it right.
func (a *cli) findingText(f doctor.Finding) string { return a.findingOn(a.outStyle, f) }

// findingOn is findingText for one of the two outputs.
func (a *cli) findingOn(st term.Style, f doctor.Finding) string {
	tone := map[doctor.Verdict]term.Tone{doctor.Fail: term.Bad, doctor.Unknown: term.Warn, doctor.Warn: term.Warn, doctor.Pass: term.Good}[f.Verdict]
	width := max(st.Columns()-4, 40)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s\n", st.Paint(tone, term.Pad(string(f.Verdict), 7)), st.Paint(term.Name, f.Check), term.Clean(f.Where))
	part := func(head, text string) {
		if text == "" {
			return
		}
		for i, l := range term.Wrap(head+term.Clean(text), width) {
			if i > 0 && head != "" {
				l = strings.Repeat(" ", 5) + l
			}
			fmt.Fprintf(&b, "    %s\n", l)
		}
	}
	part("", f.Reason.Text)
	part("fix: ", f.Fix.Text)
	if f.Fix.Command != "" {
		where := "run"
		if f.Fix.Node != "" {
			where = "on " + f.Fix.Node
		}
		if f.Fix.Safe {
			where = "--fix, " + where
		}
		fmt.Fprintf(&b, "    %s: %s\n", where, term.Clean(f.Fix.Command)) // whole: it is to be copied
	}
	return b.String()
}

func (a *cli) iamPolicyCmd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "iam-policy",
		Short: "Print the least policy that the engine needs in AWS for this estate",
		Long: `Prints a policy for the role or user of the engine, as JSON: the actions that the estate
really uses, bound to its regions and, where the definition names them, to its things.`,
		Example: `  ferry doctor iam-policy > ferry-policy.json
  ferry doctor iam-policy -f estate.toml`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onDefinition(cmd.Context(), file, func(x *hierarchy.Index) error {
				b, err := doctor.IAMPolicy(x)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(a.out, string(b))
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "a definition that is not in force yet (- is the standard input)")
	return cmd
}

func (a *cli) sudoersCmd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "sudoers",
		Short: "Print the sudo rule that the servers need for ferry's login",
		Long: `Prints a file for /etc/sudoers.d on every server, for each user as whom ferry logs in.
Where that is root there is nothing to print.`,
		Example: `  ferry doctor sudoers -f estate.toml | ssh NODE sudo tee /etc/sudoers.d/ferry`,
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onDefinition(cmd.Context(), file, func(x *hierarchy.Index) error {
				users := doctor.Logins(x)
				if len(users) == 0 {
					a.say("the servers are reached as root, or as the definition does not say whom: no rule is needed")
				}
				for _, u := range users {
					if _, err := fmt.Fprint(a.out, doctor.Sudoers(u)); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "a definition that is not in force yet (- is the standard input)")
	return cmd
}

// onDefinition runs f on the definition in a file, or on the one in force.
func (a *cli) onDefinition(ctx context.Context, file string, f func(*hierarchy.Index) error) error {
	if file != "" {
		e, err := a.loadEstate(file)
		if err != nil {
			return err
		}
		return f(hierarchy.NewIndexFor(e, a.deps.registry()))
	}
	return a.defined(ctx, func(s *api.Snapshot) error {
		return f(hierarchy.NewIndexFor(s.Estate, a.deps.registry()))
	})
}
