package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newModes(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "modes",
		Short: "List the modes",
		Long: `List the modes in the order of the configuration; a star marks the one that acts.

With --json {mode, base_mode, modes}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), looks, func(ctx context.Context, c *client.Client) error {
				m, err := c.Modes(ctx)
				if err != nil {
					return fmt.Errorf("cannot list the modes: %w", err)
				}
				if a.json {
					return a.printJSON(m)
				}
				p := a.printer()
				for _, name := range m.Modes {
					if name == m.Mode {
						p.printf("* %s\n", p.styled(bold, printable(name)))
					} else {
						p.printf("  %s\n", printable(name))
					}
				}
				return p.err
			})
		},
	}
}
