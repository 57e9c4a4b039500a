package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCmd writes the manual pages for packages; people read them with man.
func (a *cli) manCmd() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:    "man --dir DIR",
		Short:  "Write the manual pages into a directory",
		Hidden: true,
		Long: `Writes a manual page for every command into DIR, which must exist. The date in them
is SOURCE_DATE_EPOCH, else the date of the commit that was built.`,
		Example: "  ferry man --dir /usr/share/man/man1",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usage("", "--dir DIR is missing")
			}
			when, err := a.manDate()
			if err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Section: "1", Source: "ferry " + buildInfo().Program, Manual: "ferry", Date: &when}
			if err := doc.GenManTree(root, header, dir); err != nil {
				return fmt.Errorf("writing the manual pages: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "where to write them")
	return cmd
}

// manDate is the date that manual pages carry: the same for the same source, where
// the build or the packager says it.
func (a *cli) manDate() (time.Time, error) {
	if s := a.getenv("SOURCE_DATE_EPOCH"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return time.Time{}, usage("write seconds since 1970", "SOURCE_DATE_EPOCH is %q", s)
		}
		return time.Unix(n, 0).UTC(), nil
	}
	if d := buildInfo().Date; !d.IsZero() {
		return d.UTC(), nil
	}
	if exe, err := os.Executable(); err == nil {
		if st, err := os.Stat(exe); err == nil {
			return st.ModTime().UTC(), nil
		}
	}
	return a.now().UTC(), nil
}
