package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newStats(a *app) *cobra.Command {
	reset := false
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show what was counted, and how fast it was",
		Long: `Show the counters since midimon started, or since --reset, and how long it took from the
arrival of a message until what came of it was handed on: half of the messages within the
first time, 99 of a hundred within the second.

With --json {
  events_received, events_dropped (lost by the kernel), actions_run, actions_failed, reloads, reloads_failed,
  dispatch_p50_us, dispatch_p99_us, reload_last_us, reload_fastest_us, reload_slowest_us, reload_average_us
}; times are microseconds.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), looks, func(ctx context.Context, c *client.Client) error {
				s, err := c.Stats(ctx)
				if err == nil && reset {
					err = c.ResetStats(ctx)
				}
				if err != nil {
					return fmt.Errorf("cannot read the statistics: %w", err)
				}
				if a.json {
					return a.printJSON(s)
				}
				return a.showStats(s)
			})
		},
	}
	cmd.Flags().BoolVar(&reset, "reset", false, "show them and begin to count anew")
	return cmd
}

func (a *app) showStats(s *client.Stats) error {
	p := a.printer()
	bad := func(n uint64, what string) string {
		text := fmt.Sprintf("%d %s", n, what)
		if n > 0 {
			return p.styled(red, text)
		}
		return text
	}
	p.printf(" events  %d received, %s\n", s.Received, bad(s.Dropped, "lost by the kernel"))
	p.printf("actions  %d run, %s\n", s.Run, bad(s.Failed, "failed"))
	p.printf("latency  p50 %s, p99 %s, from arrival to action\n", p.styled(bold, us(s.P50US)), p.styled(bold, us(s.P99US)))
	p.printf("reloads  %d, %s\n", s.Reloads, bad(s.ReloadsFailed, "failed"))
	if s.Reloads > 0 {
		p.printf("         last %s, fastest %s, slowest %s, average %s\n",
			us(s.ReloadLast), us(s.ReloadFastest), us(s.ReloadSlowest), us(s.ReloadAverage))
	}
	return p.err
}

// us is a duration in its own unit.
func us(n uint64) string { return (time.Duration(n) * time.Microsecond).String() }
