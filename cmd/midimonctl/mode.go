package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newMode(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "mode [NAME]",
		Short: "Show the mode that acts, or make another one the base mode",
		Long: `Without NAME show the mode that acts; with it make that mode the base mode.

With --json {mode, base_mode, modes}, afterwards.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: first(a.modeNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), len(args) == 1, func(ctx context.Context, c *client.Client) error {
				if len(args) == 1 {
					if err := c.SetMode(ctx, args[0]); err != nil {
						return fmt.Errorf("cannot change the mode: %w", err)
					}
				}
				m, err := c.Modes(ctx)
				if err != nil {
					return fmt.Errorf("cannot read the mode: %w", err)
				}
				if a.json {
					return a.printJSON(m)
				}
				_, err = fmt.Fprintln(a.out, printable(m.Mode))
				return err
			})
		},
	}
}
