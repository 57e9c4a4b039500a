package main

import (
	"log/slog"

	"github.com/ferry-ha/ferry/engine/metrics"
	"github.com/spf13/cobra"
)

func (a *cli) engineCmd() *cobra.Command {
	var observe bool
	var level, format, show string
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Run the engine in the foreground: watch, recover, fail over",
		Long: `Runs the engine that watches the estate and acts by itself, in the foreground, for
systemd. Other ferry commands find it at its socket. It ends in order on SIGTERM;
what was running is finished or undone by the next one.

People are told what happens as the definition says ([notify.NAME], docs/watching.md).
--metrics shows metrics for Prometheus and the engine's health at /metrics, /healthz
and /readyz, without a password: leave it on the machine itself, or behind something
that asks for one.

Logs go to stderr.`,
		Example: `  ferry engine --state-dir /var/lib/ferry-engine
  ferry engine --state-dir /var/lib/ferry-engine --metrics`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := a.logger(level, format)
			if err != nil {
				return err
			}
			o := a.engineOptions(true)
			o.Automation, o.Log = !observe, log
			if o.Metrics, err = a.metricsPlace(show); err != nil {
				return err
			}
			return a.deps.runEngine(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&observe, "observe", false, "only watch and obey people: no automatic recovery or failover")
	cmd.Flags().StringVar(&show, "metrics", "", "show metrics and health at this address (FERRY_METRICS; default: off)")
	cmd.Flags().Lookup("metrics").NoOptDefVal = metrics.DefaultListen
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&format, "log-format", "text", "text or json")
	return cmd
}

func (a *cli) logger(level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usage("write debug, info, warn or error", "unknown log level %q", level)
	}
	o := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(a.err, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(a.err, o)), nil
	}
	return nil, usage("write text or json", "unknown log format %q", format)
}
