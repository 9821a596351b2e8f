package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newPanic(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "panic",
		Short: "Let go of everything",
		Long: `End every sequence and let go of everything held. The mode stays.

With --json {"ok": true}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), acts, func(ctx context.Context, c *client.Client) error {
				if err := c.Panic(ctx); err != nil {
					return fmt.Errorf("cannot panic: %w", err)
				}
				return a.done("let go of everything")
			})
		},
	}
}
