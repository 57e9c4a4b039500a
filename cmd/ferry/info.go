package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/spf13/cobra"
)

func (a *cli) infoCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "info",
		Short:   "Show where everything lies: socket, state, logs, versions, kits",
		Example: "  ferry info",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc := a.info(cmd.Context())
			return a.print(doc, func() string { return infoText(doc) })
		},
	}
}

// info looks, and opens no store.
func (a *cli) info(ctx context.Context) InfoDocument {
	doc := InfoDocument{Version: api.Version, Kind: "Info", Program: buildInfo(),
		Socket: a.socketPlace(), StateDir: a.statePlace(),
		Logs: "stderr of ferry engine; under systemd: journalctl -u ferry",
		Kits: a.deps.registry().Names()}
	svc, err := a.dial(ctx, doc.Socket.Path)
	if err != nil {
		doc.Socket.State = "nobody answers"
		if !nobodyListens(err) {
			doc.Socket.State = dialError(err, doc.Socket.Path).Error()
		}
		return doc
	}
	defer svc.Close()
	doc.Socket.State = "an engine answers"
	s, err := bounded{svc}.Snapshot(ctx)
	if err != nil {
		doc.Socket.State = err.Error()
		return doc
	}
	doc.Engine = s.Engine.Who
	if s.Engine.Version != "" {
		doc.Engine += ", version " + s.Engine.Version
	}
	return doc
}

func infoText(d InfoDocument) string {
	var b strings.Builder
	row := func(k, v string) { fmt.Fprintf(&b, "%-9s %s\n", k, v) }
	row("version", versionLine(d.Program))
	row("socket", fmt.Sprintf("%s (%s; %s)", d.Socket.Path, d.Socket.From, d.Socket.State))
	if d.Engine != "" {
		row("engine", d.Engine)
	}
	row("state", fmt.Sprintf("%s (%s; %s)", d.StateDir.Path, d.StateDir.From, d.StateDir.State))
	row("config", "in the state: ferry export prints it")
	row("logs", d.Logs)
	row("kits", strings.Join(d.Kits, ", "))
	return b.String()
}

func (a *cli) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit and date",
		Example: "  ferry version -o json",
		Args:    args(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			v := buildInfo()
			return a.print(VersionDocument{api.Version, "Version", v}, func() string { return "ferry " + versionLine(v) + "\n" })
		},
	}
}

func versionLine(v VersionInfo) string {
	line := v.Program
	if v.Commit != "" {
		line += ", commit " + v.Commit[:min(len(v.Commit), 12)]
		if v.Modified {
			line += " (modified)"
		}
	}
	if !v.Date.IsZero() {
		line += ", " + v.Date.Format(time.DateOnly)
	}
	return line + ", " + v.Go + " " + v.Platform
}

// buildInfo reads what the Go toolchain stamped into the program.
func buildInfo() VersionInfo {
	v := VersionInfo{Program: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if bi.Main.Version != "" && bi.Main.Version != "(devel)" {
		v.Program = bi.Main.Version
	}
	for _, s := range bi.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		case "vcs.time":
			v.Date, _ = time.Parse(time.RFC3339, s.Value)
		}
	}
	return v
}
