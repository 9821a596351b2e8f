package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how midimon fares",
		Long: `Show state, mode, devices, what is wrong and how to mend it, and the configuration.

With --json one object:
  state           "running", "degraded", "paused", "starting", "reloading" or "stopping"
  mode, base_mode, modes
  problems        names of failed checks
  health          [{check, status, message, fix}], what is not ok
  inhibitors      [{who, why}], who asked for quiet
  connected_devices, devices (see "midimonctl devices --help")
  config_path, config_status ("ok", "kept-previous", "defaults"), config_generation
  last_reload     {time_usec, ok, trigger, duration_us, modes, mappings, warnings, grade, error,
                  detect_us, read_us, parse_us, compile_us, swap_us, and what it changed: changes
                  [{kind, id, label, mode, trigger, action}], more_changes, other_changes}, or null
  version, features, pid, started_usec
*_usec is time since 1970. Unknown words may come; keys may be added.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), looks, func(ctx context.Context, c *client.Client) error {
				s, err := c.Status(ctx)
				if err != nil {
					return fmt.Errorf("cannot read the status: %w", err)
				}
				if a.json {
					return a.printJSON(s)
				}
				return a.showStatus(s)
			})
		},
	}
}

func (a *app) showStatus(s *client.Status) error {
	p := a.printer()
	p.printf("%s %s is %s\n", p.styled(bold, "midimon"), printable(s.Version), p.state(s.State))
	mode := printable(s.Mode)
	if s.BaseMode != s.Mode {
		mode += " over " + printable(s.BaseMode)
	}
	p.printf("    mode  %s  %s\n", p.styled(bold, mode), p.styled(dim, "of "+count(len(s.Modes), "mode")))
	for _, h := range s.Inhibitors {
		p.printf("   quiet  %s: %s\n", p.styled(yellow, printable(h.Who)), printable(h.Why))
	}
	p.table(" devices  ", "          ", a.deviceRows(s.Devices))
	for i, c := range s.Health {
		lead := "          "
		if i == 0 {
			lead = "problems  "
		}
		p.printf("%s%s: %s\n", lead, p.styled(stateStyles[c.Status], printable(c.Check)), printable(c.Message))
		if c.Fix != "" {
			p.printf("            fix: %s\n", p.styled(bold, printable(c.Fix)))
		}
	}
	p.printf("  config  %s\n", printable(s.ConfigPath))
	p.printf("          generation %d, %s\n", s.ConfigGeneration, p.state(s.ConfigStatus))
	if r := s.LastReload; r != nil {
		took := time.Duration(r.DurationUS) * time.Microsecond
		if r.OK {
			p.printf("          read %s in %v: %s, %s, %s\n", ago(r.TimeUSec), took,
				count(r.Modes, "mode"), count(r.Mappings, "mapping"), count(r.Warnings, "warning"))
		} else {
			p.printf("          %s %s: %s\n", p.styled(red, "refused"), ago(r.TimeUSec), printable(r.Error))
		}
	}
	p.printf(" process  %d, up %s\n", s.Pid, span(time.Since(time.UnixMicro(int64(s.StartedUSec)))))
	return p.err
}
