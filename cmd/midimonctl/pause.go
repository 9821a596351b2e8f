package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newPause(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "pause",
		Short: "Refuse every action until resume",
		Long: `Let go of everything held and refuse every action until "midimonctl resume".

With --json {"ok": true}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), acts, func(ctx context.Context, c *client.Client) error {
				if err := c.Pause(ctx); err != nil {
					return fmt.Errorf("cannot pause: %w", err)
				}
				return a.done("paused")
			})
		},
	}
}
