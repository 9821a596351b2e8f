package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// lifeTimeout is how long midimon may take to begin or end; systemd's own patience is longer.
const lifeTimeout = time.Minute

// A life begins and ends midimon, as the platform does it. Each method tells what it did and
// what may still start midimon.
type life interface {
	Start(context.Context) (did, mayStart []string, err error)
	Stop(context.Context) (did, mayStart []string, err error)
	Restart(context.Context) (did, mayStart []string, err error)
	Install(context.Context) (did, mayStart []string, err error)
	Uninstall(context.Context) (did, mayStart []string, err error)
}

// lives makes a verb of one of its methods.
func (a *app) lives(cmd *cobra.Command, do func(life, context.Context) (did, mayStart []string, err error)) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.Long += `

With --json {ok, did: [TEXT], may_start: [TEXT]}; the texts are for people.`
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), lifeTimeout)
		defer cancel()
		did, mayStart, err := do(a.life(), ctx)
		if err != nil {
			err = fmt.Errorf("cannot %s midimon: %w", cmd.Name(), err)
		}
		if a.json {
			return joined(a.printJSON(map[string]any{"ok": err == nil, "did": list(did), "may_start": list(mayStart)}), err)
		}
		p := a.printer()
		for _, line := range did {
			p.printf("%s\n", printable(line))
		}
		for _, line := range mayStart {
			p.printf("%s %s\n", p.styled(dim, "what may still start it:"), printable(line))
		}
		return joined(p.err, err)
	}
	return cmd
}
