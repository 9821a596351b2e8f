package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newPing(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "ping",
		Short: "Ask whether midimon answers",
		Long: `Ask whether midimon answers, and how fast.

With --json {"round_trip_us": N}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), looks, func(ctx context.Context, c *client.Client) error {
				took, err := c.Ping(ctx)
				if err != nil {
					return fmt.Errorf("cannot ping: %w", err)
				}
				if a.json {
					return a.printJSON(map[string]int64{"round_trip_us": took.Microseconds()})
				}
				_, err = fmt.Fprintf(a.out, "midimon answers in %v\n", took.Round(10*time.Microsecond))
				return err
			})
		},
	}
}
