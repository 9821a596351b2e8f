package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
	"github.com/amiable-dev/midimon/engine/config"
)

func newReload(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Make midimon read its configuration again",
		Long: `Make midimon read its configuration again and wait until it has. A file with errors
changes nothing: what ran before goes on.

With --json {ok, generation, error, diagnostics (see "midimonctl validate --help")}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), acts, func(ctx context.Context, c *client.Client) error {
				generation, found, err := c.Reload(ctx)
				if errors.Is(err, client.ErrConfigInvalid) {
					if more, failed := c.Diagnostics(ctx); failed == nil {
						found = more
					}
				}
				failed := ""
				if err != nil {
					err = fmt.Errorf("cannot reload: %w", err)
					failed = err.Error()
				}
				if a.json {
					return errors.Join(a.printJSON(map[string]any{
						"ok": err == nil, "generation": generation, "error": failed, "diagnostics": rows(found),
					}), err)
				}
				p := a.printer()
				for _, d := range found {
					p.printf("%s\n", config.Format(d, false))
				}
				if err == nil {
					p.printf("reloaded: generation %d, %s\n", generation, count(len(found), "warning"))
				}
				return errors.Join(p.err, err)
			})
		},
	}
}
