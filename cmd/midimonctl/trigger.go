package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newTrigger(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "trigger ID",
		Short: "Do what a mapping does at a press",
		Long: `Do what the mapping does at a press. What would keep the pad from acting (pause, a locked
session) keeps this from acting too. The ids are those of "midimonctl mappings".

With --json {"ok": true}.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: first(a.mappingIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), acts, func(ctx context.Context, c *client.Client) error {
				if err := c.Trigger(ctx, args[0]); err != nil {
					return fmt.Errorf("cannot trigger %s: %w", args[0], err)
				}
				return a.done("triggered " + printable(args[0]))
			})
		},
	}
}
