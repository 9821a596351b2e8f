package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/health"
	"github.com/amiable-dev/midimon/service/lock"
	"github.com/amiable-dev/midimon/service/reload"
)

// doctorTimeout is how long all checks may take.
const doctorTimeout = 10 * time.Second

func newDoctor(a *app) *cobra.Command {
	follow := false
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check everything midimon needs, and name what mends it",
		Long: `Check what midimon needs: those things that can be looked at without it, and, where it runs,
what it says of itself. Each check that is not ok has the one command that mends it, or says what to
do where there is none. It starts no midimon. The exit code is 1 if any check failed; a warning is
no failure.

With --json {ok, checks: [{check, status ("ok", "warning", "failed"), message, fix}]}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !follow {
				return a.examine(cmd.Context())
			}
			w := &client.Watch{Address: a.address, Getenv: a.getenv, Runs: func(dir string) (int, bool, error) {
				o, held, err := lock.Holder(dir)
				return o.Pid, held, err
			}}
			var last *client.Moment
			ctx, cancel := a.whileRead(cmd.Context())
			defer cancel()
			return w.Run(ctx, func(m *client.Moment, i *client.Incident) error {
				if i != nil || last != nil && last.State == m.State && slices.Equal(last.Health, m.Health) {
					return nil
				}
				last = m
				if err := a.examine(ctx); !errors.Is(err, errSick) {
					return err
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "check again whenever midimon's own health changes")
	return cmd
}

// errSick says that a check failed. What it was has been printed.
var errSick = errors.New("something is wrong")

// examine makes all checks and prints them.
func (a *app) examine(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	rows := a.checks(ctx)
	var err error
	if n := failed(rows); n > 0 {
		err = fmt.Errorf("%w: %s failed", errSick, count(n, "check"))
	}
	if a.json {
		return joined(a.printJSON(map[string]any{"ok": err == nil, "checks": checkRows(rows)}), err)
	}
	p := a.printer()
	var table [][]cell
	for _, c := range rows {
		table = append(table, []cell{{c.Status, stateStyles[c.Status]}, {printable(c.Name), bold}, {printable(c.Message), plain}})
		if c.Fix != "" && c.Status != report.OK {
			table = append(table, []cell{{"", plain}, {"", plain}, {"fix: " + printable(c.Fix), bold}})
		}
	}
	p.table("", "", table)
	return joined(p.err, err)
}

func failed(rows []report.Check) (n int) {
	for _, c := range rows {
		if c.Status == report.Failed {
			n++
		}
	}
	return n
}

func checkRows(rows []report.Check) []client.Check {
	out := make([]client.Check, len(rows))
	for i, c := range rows {
		out[i] = client.Check{Check: c.Name, Status: c.Status, Message: c.Message, Fix: c.Fix}
	}
	return out
}

// checks are all of them. What midimon says of itself takes the place of what was seen from
// outside.
func (a *app) checks(ctx context.Context) []report.Check {
	rows := append(a.machineChecks(ctx), a.checkConfig())
	daemon := report.Check{Name: "daemon", Status: report.OK}
	var s *client.Status
	err := a.with(ctx, looks, func(ctx context.Context, c *client.Client) (err error) {
		s, err = c.Status(ctx)
		return err
	})
	switch {
	case errors.Is(err, client.ErrNotRunning):
		daemon.Status, daemon.Message, daemon.Fix = report.Warning, err.Error(), starting(rows)
	case err != nil:
		daemon.Status, daemon.Message, daemon.Fix = report.Failed, err.Error(), "midimonctl restart"
	default:
		daemon.Message = fmt.Sprintf("process %d, version %s, %s", s.Pid, s.Version, s.State)
		if own := version(); own != s.Version {
			daemon.Status, daemon.Fix = report.Warning, "midimonctl restart"
			daemon.Message += ", which is not this program's " + own
		}
		for i := range rows { // it would say so itself if it missed them
			if c := &rows[i]; c.Status == report.Failed && slices.Contains([]string{"alsa", "keys"}, c.Name) {
				c.Status, c.Message = report.Warning, c.Message+"; midimon does not need it now"
			}
		}
		for _, c := range s.Health {
			rows = put(rows, report.Check{Name: c.Check, Status: c.Status, Message: c.Message, Fix: c.Fix})
		}
		for _, d := range s.Devices {
			if d.State == "connected" {
				rows = append(rows, report.Check{Name: "device:" + d.Name, Status: report.OK, Message: "connected: " + portList(d.Ports)})
			}
		}
	}
	return slices.Insert(rows, 0, daemon)
}

// starting is the command that starts midimon here, where those rows hold of the machine.
func starting(rows []report.Check) string {
	fix := "midimonctl start"
	for _, c := range rows {
		switch {
		case c.Name == "units": // there is no systemd: the bus may do it
			for _, bus := range rows {
				if bus.Name == "bus" && bus.Status != report.OK {
					return bus.Fix // that brings the bus, midimon with it, or both
				}
			}
		case strings.HasPrefix(c.Name, "units:") && c.Fix == "midimonctl install":
			return c.Fix // and starts it
		}
	}
	return fix
}

// put adds a row, or replaces the one of its name.
func put(rows []report.Check, c report.Check) []report.Check {
	for i := range rows {
		if rows[i].Name == c.Name {
			rows[i] = c
			return rows
		}
	}
	return append(rows, c)
}

// row is a check of its own error.
func row(name, good string, err error) report.Check {
	c := report.Check{Name: name, Status: report.OK, Message: good}
	if err == nil {
		return c
	}
	return health.Of(name, err)
}

// checkConfig reads the configuration as "midimonctl validate" does.
func (a *app) checkConfig() report.Check {
	c := report.Check{Name: "config", Status: report.OK}
	file, program, found, err := a.loadConfig(nil)
	if errors.Is(err, os.ErrNotExist) {
		c.Status, c.Message, c.Fix = report.Warning, file+" is not there: nothing is mapped", reload.Command("midimonctl template starter --output ", file)
		return c
	}
	if err != nil {
		return health.Of(c.Name, err)
	}
	wrong := 0
	for _, d := range found {
		if d.Severity == report.Error {
			wrong++
		}
	}
	switch {
	case program == nil:
		c.Status, c.Message, c.Fix = report.Failed, fmt.Sprintf("%s: %s", file, count(wrong, "error")), "midimonctl validate"
	case len(found) > 0:
		c.Status, c.Message, c.Fix = report.Warning, fmt.Sprintf("%s: %s", file, count(len(found), "warning")), "midimonctl validate"
	default:
		c.Message = fmt.Sprintf("%s: %s, %s", file, count(len(program.Modes), "mode"), count(len(program.Mappings), "mapping"))
	}
	return c
}
