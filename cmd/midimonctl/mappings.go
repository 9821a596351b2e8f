package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newMappings(a *app) *cobra.Command {
	var mode, device, text string
	disabled := false
	cmd := &cobra.Command{
		Use:   "mappings",
		Short: "List what the configuration maps",
		Long: `List the mappings in the order of the configuration: what each is called, in which mode it
acts, what fires it and what it does. C4 is note 60.

With --json {"mappings": [{
  id, label, mode (empty: global), trigger, action (types), enabled, device (empty: any),
  trigger_text, action_text (for people), trigger_fields, action_fields (as in the file),
  eager, when_locked, conditional, max_rate (a second; 0: the action's own)
}]}. Channels are 0-15.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := client.MappingFilter{
				Mode: given(cmd, "mode", &mode), Device: given(cmd, "device", &device), Text: given(cmd, "text", &text),
			}
			if disabled {
				f.Enabled = new(bool)
			}
			return a.with(cmd.Context(), looks, func(ctx context.Context, c *client.Client) error {
				all, err := c.Mappings(ctx, f)
				if err != nil {
					return fmt.Errorf("cannot list the mappings: %w", err)
				}
				if a.json {
					return a.printJSON(map[string]any{"mappings": all})
				}
				p := a.printer()
				p.table("", "", a.mappingRows(all))
				return p.err
			})
		},
	}
	cmd.Flags().StringVar(&mode, "mode", "", "of this `MODE` only; empty: the global ones")
	cmd.Flags().StringVar(&device, "device", "", "of this `DEVICE` only")
	cmd.Flags().StringVar(&text, "text", "", "with `TEXT` in the id, the label or what is shown")
	cmd.Flags().BoolVar(&disabled, "disabled", false, "that do not act")
	completes(cmd, "mode", a.modeNames)
	completes(cmd, "device", a.deviceNames)
	return cmd
}

// given is the value of a flag that is on the command line, else nil.
func given(cmd *cobra.Command, flag string, value *string) *string {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return value
}

func (a *app) mappingRows(all []client.Mapping) [][]cell {
	if len(all) == 0 {
		return [][]cell{{{"none", dim}}}
	}
	rows := [][]cell{{{"ID", dim}, {"MODE", dim}, {"TRIGGER", dim}, {"", dim}, {"ACTION", dim}, {"", dim}, {"", dim}}}
	for _, m := range all {
		mode := cell{printable(m.Mode), plain}
		if m.Mode == "" {
			mode = cell{"any", dim}
		}
		id, note := cell{printable(m.ID), bold}, printable(m.Label)
		if !m.Enabled {
			id.style, note = dim, "disabled"
		}
		on := printable(m.TriggerText)
		if m.Device != "" {
			on += " on " + printable(m.Device)
		}
		rows = append(rows, []cell{
			id, mode, {m.Trigger, plain}, {on, plain}, {m.Action, plain}, {printable(m.ActionText), plain}, {note, dim},
		})
	}
	return rows
}
