package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newDevices(a *app) *cobra.Command {
	reconnect := ""
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "List the MIDI controllers",
		Long: `List the configured devices, absent ones too, and those that are there and not configured.

With --reconnect close the ports of one and open them again: after an error, or when another
program has let go of it.

With --json {"devices": [{
  id, name, kind ("seq", "raw"), usb_id, serial,
  state  "connected", "absent", "busy", "error" or "ignored"
  error, enabled, ports [{name, in, out}], event_count, last_event_usec (0: none yet)
}]}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("reconnect") {
				return a.with(cmd.Context(), acts, func(ctx context.Context, c *client.Client) error {
					if err := c.Reconnect(ctx, reconnect); err != nil {
						return fmt.Errorf("cannot reconnect %s: %w", printable(reconnect), err)
					}
					return a.done(printable(reconnect) + " is connected")
				})
			}
			return a.with(cmd.Context(), looks, func(ctx context.Context, c *client.Client) error {
				devices, err := c.Devices(ctx)
				if err != nil {
					return fmt.Errorf("cannot list the devices: %w", err)
				}
				if a.json {
					return a.printJSON(map[string]any{"devices": devices})
				}
				p := a.printer()
				p.table("", "", a.deviceRows(devices))
				return p.err
			})
		},
	}
	cmd.Flags().StringVar(&reconnect, "reconnect", "", "close the ports of the device `NAME` and open them again")
	completes(cmd, "reconnect", a.deviceNames)
	return cmd
}

// deviceRows are the devices for people.
func (a *app) deviceRows(devices []client.Device) [][]cell {
	if len(devices) == 0 {
		return [][]cell{{{"none", dim}}}
	}
	var rows [][]cell
	for _, d := range devices {
		events := "no events yet"
		if d.EventCount > 0 {
			events = count(d.EventCount, "event") + ", last " + ago(d.LastEventUSec)
		}
		switch {
		case d.Error != "":
			events = printable(d.Error)
		case d.State != "connected":
			events = ""
		}
		state := cell{d.State, stateStyles[d.State]}
		if !d.Enabled {
			state = cell{"disabled", dim}
		}
		row := []cell{{printable(d.Name), bold}, state, {d.USB, plain}}
		if a.verbose {
			row = append(row, cell{d.Kind, plain}, cell{printable(d.Serial), plain}, cell{portList(d.Ports), plain})
		}
		rows = append(rows, append(row, cell{events, plain}))
	}
	return rows
}

func portList(ports []client.Port) string {
	var names []string
	for _, p := range ports {
		way := map[[2]bool]string{{true, false}: " (in)", {false, true}: " (out)"}[[2]bool{p.In, p.Out}]
		names = append(names, printable(p.Name)+way)
	}
	return strings.Join(names, ", ")
}
