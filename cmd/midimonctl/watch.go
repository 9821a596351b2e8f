package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
	"github.com/amiable-dev/midimon/service/lock"
)

func newWatch(a *app) *cobra.Command {
	format := "plain"
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Print a line for each change",
		Long: `Print a line for each change of state, mode, devices or problems, and for each reload, action
that failed and value emitted. It goes on while midimon stops and starts, and starts nothing.
It ends with who reads it.

With --json, or --format json, an object a line; each has the whole state, so a reader needs
no memory:
  time_usec, change ("state", "mode", "devices", "health", "inhibitors", "config", "reload",
  "action-failed", "emitted"; the first that fits, the state's for the first line),
  state ("stopped" when midimon does not run), mode, base_mode, modes, connected_devices,
  health [{check, status, message, fix}], inhibitors [{who, why}], config_status, config_generation,
  and with the last three changes ok, mapping, error, detail, name, value, where they say something.

--format waybar prints what a custom module of waybar reads: {text, alt, tooltip, class}; text
is the mode, alt and class the state.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.json && !cmd.Flags().Changed("format") {
				format = "json"
			}
			t := &teller{app: a}
			tell, ok := map[string]func(*client.Moment, *client.Incident) error{
				"plain": t.plain, "json": t.objects, "waybar": t.waybar,
			}[format]
			if !ok {
				return &usageError{fmt.Errorf("watch: no format %q; there are plain, json and waybar", format)}
			}
			w := &client.Watch{Address: a.address, Getenv: a.getenv, Runs: func(dir string) (int, bool, error) {
				o, held, err := lock.Holder(dir)
				return o.Pid, held, err
			}}
			ctx, cancel := a.whileRead(cmd.Context())
			defer cancel()
			if err := w.Run(ctx, tell); err != nil {
				return fmt.Errorf("cannot watch: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "one of plain, json and waybar")
	completes(cmd, "format", these([]string{"plain", "json", "waybar"}))
	return cmd
}

// A teller says what changed since it last said something.
type teller struct {
	*app
	last *client.Moment
	bar  string // the last line for waybar
}

// plain prints for people.
func (t *teller) plain(m *client.Moment, i *client.Incident) error {
	p := t.printer()
	line := func(style, format string, args ...any) {
		p.printf("%s  %s\n", p.styled(dim, time.Now().Format("15:04:05")), p.styled(style, printable(fmt.Sprintf(format, args...))))
	}
	was := t.last
	t.last = m
	switch {
	case i != nil:
		incident(line, i)
		return p.err
	case was == nil || was.State == client.Stopped || m.State == client.Stopped:
		if m.State == client.Stopped {
			line(red, "midimon does not run")
			return p.err
		}
		line(stateStyles[m.State], "%s: mode %s, %s connected", m.State, m.Mode, names(m.ConnectedDevices))
		was = &client.Moment{State: m.State, Mode: m.Mode, ConnectedDevices: m.ConnectedDevices, ConfigStatus: m.ConfigStatus}
	}
	if m.State != was.State {
		line(stateStyles[m.State], "%s", m.State)
	}
	if m.Mode != was.Mode {
		line(bold, "mode %s", m.Mode)
	}
	for _, d := range m.ConnectedDevices {
		if !slices.Contains(was.ConnectedDevices, d) {
			line(green, "%s is connected", d)
		}
	}
	for _, d := range was.ConnectedDevices {
		if !slices.Contains(m.ConnectedDevices, d) {
			line(red, "%s is gone", d)
		}
	}
	for _, c := range m.Health {
		if !slices.Contains(was.Health, c) {
			line(stateStyles[c.Status], "%s: %s", c.Check, c.Message)
		}
	}
	for _, c := range was.Health {
		if !slices.ContainsFunc(m.Health, func(now client.Check) bool { return now.Check == c.Check }) {
			line(green, "%s is all right", c.Check)
		}
	}
	for _, h := range m.Inhibitors {
		if !slices.Contains(was.Inhibitors, h) {
			line(yellow, "%s asks for quiet: %s", h.Who, h.Why)
		}
	}
	if m.ConfigStatus != was.ConfigStatus {
		line(stateStyles[m.ConfigStatus], "configuration %s", m.ConfigStatus)
	}
	return p.err
}

func incident(line func(style, format string, args ...any), i *client.Incident) {
	switch {
	case i.Kind == "reload" && i.OK:
		line(green, "configuration read")
	case i.Kind == "reload":
		line(red, "configuration refused: %s", i.Error)
	case i.Kind == "action-failed":
		line(red, "%s failed: %s%s", i.Mapping, i.Error, because(i.Detail))
	default:
		line(plain, "emitted %s %v", i.Name, i.Value)
	}
}

// An object is a line of JSON.
type object struct {
	TimeUSec int64  `json:"time_usec"`
	Change   string `json:"change"`
	*client.Moment
	OK      *bool  `json:"ok,omitempty"`
	Mapping string `json:"mapping,omitempty"`
	Error   string `json:"error,omitempty"`
	Detail  string `json:"detail,omitempty"`
	Name    string `json:"name,omitempty"`
	Value   any    `json:"value,omitempty"`
}

func (t *teller) objects(m *client.Moment, i *client.Incident) error {
	whole := *m
	whole.Modes, whole.ConnectedDevices = list(m.Modes), list(m.ConnectedDevices)
	whole.Health, whole.Inhibitors = list(m.Health), list(m.Inhibitors)
	o := object{TimeUSec: time.Now().UnixMicro(), Change: changed(t.last, m), Moment: &whole}
	t.last = m
	if i != nil {
		o.Change, o.Mapping, o.Error, o.Detail, o.Name, o.Value = i.Kind, i.Mapping, i.Error, i.Detail, i.Name, i.Value
		if i.Kind == "reload" {
			o.OK = &i.OK
		}
	}
	return t.line(o)
}

// changed is the first thing that did.
func changed(was, is *client.Moment) string {
	switch {
	case was == nil || was.State != is.State:
		return "state"
	case was.Mode != is.Mode || was.BaseMode != is.BaseMode:
		return "mode"
	case !slices.Equal(was.ConnectedDevices, is.ConnectedDevices):
		return "devices"
	case !slices.Equal(was.Health, is.Health):
		return "health"
	case !slices.Equal(was.Inhibitors, is.Inhibitors):
		return "inhibitors"
	}
	return "config"
}

// waybar prints what a custom module shows, when that changes.
func (t *teller) waybar(m *client.Moment, _ *client.Incident) error {
	text, tooltip := m.Mode, []string{"midimon: " + m.State}
	if m.State == client.Stopped {
		text = ""
	} else {
		tooltip = append(tooltip, names(m.ConnectedDevices)+" connected")
	}
	for _, c := range m.Health {
		tooltip = append(tooltip, c.Message)
	}
	for _, h := range m.Inhibitors {
		tooltip = append(tooltip, "quiet for "+h.Who)
	}
	line := fmt.Sprint(text, m.State, tooltip)
	if line == t.bar {
		return nil
	}
	t.bar = line
	return t.line(map[string]string{
		"text": markup(text), "alt": m.State, "tooltip": markup(strings.Join(tooltip, "\n")), "class": m.State,
	})
}

// markup keeps names from being read as Pango's markup, which waybar does.
func markup(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

func (t *teller) line(v any) error {
	enc := json.NewEncoder(t.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// names is a list for people.
func names(all []string) string {
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, ", ")
}
