package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

// maxWhy is how many decisions midimon remembers.
const maxWhy = 256

func newWhy(a *app) *cobra.Command {
	device, mapping := "", ""
	cmd := &cobra.Command{
		Use:   "why [N]",
		Short: "Show what midimon made of the last events, and why",
		Long: `Show what midimon made of the last N events (10), the newest last: what came, which mapping
acted or why none did, what was waited for, and how long each stage took. C4 is note 60.

With --json {"decisions": [{
  seq, at_us (monotonic), kind ("note-on"), device, channel (0-15), number, value,
  timed (time made it act, not a message), mode, candidates,
  outcome  "fired", "failed", "waits", "refused", "no-match" or "no-mapping"
  mapping, trigger, hit ("soft", "medium", "hard"), reason, waits_for ["hold", "taps", "chord"], until_us,
  taken_us, handed_us (from the arrival until it was taken, and until what came of it was handed on)
}]}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n := 10
			if len(args) == 1 {
				var err error
				if n, err = strconv.Atoi(args[0]); err != nil || n < 1 || n > maxWhy {
					return &usageError{fmt.Errorf("why: %q is not a number of 1 to %d", args[0], maxWhy)}
				}
			}
			return a.with(cmd.Context(), looks, func(ctx context.Context, c *client.Client) error {
				ask := n
				if device != "" || mapping != "" {
					ask = maxWhy // and then the newest n of those that are wanted
				}
				all, err := c.Why(ctx, ask)
				if err != nil {
					return fmt.Errorf("cannot tell why: %w", err)
				}
				wanted := []client.Decision{}
				for _, d := range all {
					if (device == "" || d.Device == device) && (mapping == "" || d.Mapping == mapping) {
						wanted = append(wanted, d)
					}
				}
				wanted = wanted[max(0, len(wanted)-n):]
				if a.json {
					return a.printJSON(map[string]any{"decisions": wanted})
				}
				if len(wanted) == 0 {
					_, err := fmt.Fprintln(a.out, nothing(len(all) > 0))
					return err
				}
				return a.showWhy(wanted, a.monotonic())
			})
		},
	}
	cmd.Flags().StringVar(&device, "device", "", "what `DEVICE` sent")
	cmd.Flags().StringVar(&mapping, "mapping", "", "what mapping `ID` had to do with")
	completes(cmd, "device", a.deviceNames)
	completes(cmd, "mapping", a.mappingIDs)
	return cmd
}

func nothing(others bool) string {
	if others {
		return fmt.Sprintf("nothing of that among the last %d", maxWhy)
	}
	return "nothing came in yet"
}

func (a *app) showWhy(all []client.Decision, now time.Duration) error {
	p := a.printer()
	for i := range all {
		d := &all[i]
		at := time.Duration(d.AtUS) * time.Microsecond
		mode := ""
		if d.Mode != "" {
			mode = "  " + p.styled(dim, "in mode "+printable(d.Mode))
		}
		p.printf("%s  %s%s\n", p.styled(dim, fmt.Sprintf("%9s ago", brief(now-at))), p.styled(bold, cameIn(d)), mode)
		p.printf("               %s\n", p.styled(outcomeStyles[d.Outcome], printable(cameOf(d, at))))
		if d.TakenUS > 0 || d.HandedUS > 0 {
			stages := "taken after " + us(d.TakenUS)
			if d.HandedUS > 0 {
				stages += ", handed on after " + us(d.HandedUS)
			}
			p.printf("               %s\n", p.styled(dim, stages))
		}
	}
	return p.err
}

var outcomeStyles = map[string]string{"fired": green, "failed": red, "waits": yellow, "refused": red}

// cameIn is what came.
func cameIn(d *client.Decision) string {
	if d.Timed && d.Kind == "" {
		return nobodys
	}
	text := message(d.Device, d.Kind, uint8(d.Channel), uint8(d.Number), uint16(d.Value))
	if d.Timed {
		text = "time, after " + text
	}
	return text
}

// cameOf is what was made of it.
func cameOf(d *client.Decision, at time.Duration) string {
	mapping := d.Mapping
	if d.Trigger != "" {
		mapping += " (" + d.Trigger + ")"
	}
	switch d.Outcome {
	case "fired":
		text := "fired " + mapping
		if d.Hit != "" {
			text += ", hit " + d.Hit
		}
		return text
	case "waits":
		text := "waits to tell what it becomes: " + strings.Join(d.WaitsFor, " or ")
		if d.UntilUS > 0 {
			text += fmt.Sprintf(", at most %v", time.Duration(d.UntilUS)*time.Microsecond-at)
		}
		return text
	case "refused":
		return "refused " + mapping + because(d.Reason)
	case "failed":
		return "fired " + mapping + ", which failed" + because(d.Reason)
	case "no-match":
		return fmt.Sprintf("none of %s fits%s", count(d.Candidates, "mapping"), because(d.Reason))
	case "no-mapping":
		return "nothing is mapped to it here"
	}
	return d.Outcome + " " + mapping + because(d.Reason)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
