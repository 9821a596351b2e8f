package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
	"github.com/amiable-dev/midimon/engine/config"
)

// maxConfirm is how long a configuration may be tried.
const maxConfirm = time.Hour

func newReload(a *app) *cobra.Command {
	confirm := time.Duration(0)
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Make midimon read its configuration again",
		Long: `Make midimon read its configuration again and wait until it has. A file with errors
changes nothing: what ran before goes on.

With --confirm show what is not as it was and ask whether to keep it: unless "y" is answered
in time, midimon goes back to the configuration before, even when this program is gone. The
file is not changed. It need not be this command that read it: midimon reads a changed file
by itself, and keeps the configuration before.

With --json {ok, generation, error, diagnostics (see "midimonctl validate --help")}, and with
--confirm "kept" too.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("confirm") && (confirm < time.Second || confirm > maxConfirm) {
				return &usageError{fmt.Errorf("reload: --confirm is 1s to 1h, not %v", confirm)}
			}
			find, cancel := context.WithTimeout(cmd.Context(), callTimeout)
			defer cancel()
			c, err := a.dial(cmd.Context(), acts)
			if err != nil {
				return err
			}
			defer c.Close() //nolint:errcheck // the replies are in
			generation, found, err := c.Reload(find)
			if errors.Is(err, client.ErrConfigInvalid) {
				if more, failed := c.Diagnostics(find); failed == nil {
					found = more
				}
			}
			kept := true
			p := a.printer()
			if !a.json {
				for _, d := range found {
					p.printf("%s\n", config.Format(d, false))
				}
				if err == nil {
					p.printf("reloaded: generation %d, %s\n", generation, count(len(found), "warning"))
				}
			}
			switch {
			case err != nil:
				err = fmt.Errorf("cannot reload: %w", err)
			case confirm > 0:
				if kept, err = a.tryOut(cmd.Context(), c, confirm); err != nil {
					err = fmt.Errorf("reloaded, and then: %w", err)
				}
			}
			failed := ""
			if err != nil {
				failed = err.Error()
			}
			if !a.json {
				return joined(p.err, err)
			}
			out := map[string]any{"ok": err == nil, "generation": generation, "error": failed, "diagnostics": rows(found)}
			if confirm > 0 {
				out["kept"] = kept && err == nil
			}
			return joined(a.printJSON(out), err)
		},
	}
	cmd.Flags().DurationVar(&confirm, "confirm", 0, "go back to the configuration before, unless confirmed within `TIME` (20s)")
	return cmd
}

// What became of a configuration that was not confirmed, or too late.
var (
	errReverted  = errors.New("not confirmed: the configuration before acts again")
	errOvertaken = errors.New("a newer configuration came meanwhile, and acts")
)

// tryOut asks whether the configuration just read is to stay. Midimon itself keeps the time.
func (a *app) tryOut(ctx context.Context, c *client.Client, within time.Duration) (kept bool, err error) {
	generation, err := c.ArmRevert(ctx, within)
	if err != nil {
		return false, err
	}
	r, err := c.LastReload(ctx)
	if err != nil {
		return false, err
	}
	(&printer{out: a.err, color: a.color()}).changes(r)
	_, _ = fmt.Fprintf(a.err, "keep it? [y/N] midimon goes back in %v: ", within)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.in).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	over := time.NewTimer(within)
	defer over.Stop()
	select {
	case word := <-answer:
		if word == "y" || word == "yes" {
			if err := c.Keep(ctx, generation); !errors.Is(err, client.ErrUnknownCookie) {
				return err == nil, err
			}
			return false, outcome(ctx, c, generation)
		}
		if err := outcome(ctx, c, generation); !errors.Is(err, errReverted) { // what came meanwhile is not ours to take back
			return false, err
		}
		if err := c.Revert(ctx); err != nil {
			return false, err
		}
		return false, errReverted
	case <-over.C:
		_, _ = fmt.Fprintln(a.err)
		return false, outcome(ctx, c, generation)
	case <-ctx.Done():
		return false, ctx.Err() // midimon keeps the time
	}
}

// outcome is what became of the configuration of that generation, which nobody keeps: it goes
// back, unless a newer one was accepted before.
func outcome(ctx context.Context, c *client.Client, generation uint64) error {
	now, err := c.Generation(ctx)
	if err != nil || now == generation {
		return joined(errReverted, err)
	}
	r, err := c.LastReload(ctx)
	if err != nil {
		return err
	}
	if r != nil && r.Trigger == "revert" {
		return errReverted
	}
	return errOvertaken
}

// The signs of what was done to a mapping, and their styles.
var (
	changeSigns  = map[string]string{"added": "+", "removed": "-", "changed": "~"}
	changeStyles = map[string]string{"added": green, "removed": red, "changed": yellow}
)

// changes prints what a reload changed.
func (p *printer) changes(r *client.Reload) {
	if r == nil {
		return
	}
	var rows [][]cell
	for _, c := range r.Changes {
		style, mode := changeStyles[c.Kind], c.Mode
		if mode == "" {
			mode = "everywhere"
		}
		rows = append(rows, []cell{
			{changeSigns[c.Kind], style},
			{printable(c.ID), style},
			{printable(mode), plain},
			{printable(c.Trigger + ": " + c.Action), plain},
			{printable(c.Label), dim},
		})
	}
	p.table("  ", "  ", rows)
	if r.More > 0 {
		p.printf("  and %s more\n", count(r.More, "mapping"))
	}
	if len(r.Other) > 0 {
		p.printf("  other than before: %s\n", printable(strings.Join(r.Other, ", ")))
	}
	if len(rows) == 0 && len(r.Other) == 0 {
		p.printf("  it does what the one before does\n")
	}
}
