package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newResume(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "End pause",
		Long: `Perform actions again after "midimonctl pause".

With --json {"ok": true}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), acts, func(ctx context.Context, c *client.Client) error {
				if err := c.Resume(ctx); err != nil {
					return fmt.Errorf("cannot resume: %w", err)
				}
				return a.done("resumed")
			})
		},
	}
}
