package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/dryrun"
)

// ListModes are the modes in the order of the configuration.
func (d *Daemon) ListModes() []report.Mode {
	m := d.loop.Modes()
	out := make([]report.Mode, len(m.Program.Modes))
	for i := range out {
		of := &m.Program.Modes[i]
		out[i] = report.Mode{Name: of.Name, Color: of.Color, Apps: of.Apps, Active: of.Name == m.Mode, Base: of.Name == m.BaseMode}
	}
	for i := range m.Program.Mappings {
		if mode := m.Program.Mappings[i].Mode; mode != engine.Global {
			out[mode].Mappings++
		}
	}
	return out
}

// Mappings are those that the filter wants, in the order of the configuration. Errors:
// report.ErrUnknownMode, ErrUnknownDevice, of the filter.
func (d *Daemon) Mappings(ctx context.Context, f report.MappingFilter) ([]report.Mapping, error) {
	p, on, err := d.switches(ctx)
	if err != nil {
		return nil, err
	}
	if f.Mode != nil && *f.Mode != "" && !slices.ContainsFunc(p.Modes, func(m engine.Mode) bool { return m.Name == *f.Mode }) {
		return nil, fmt.Errorf("%w: %s", report.ErrUnknownMode, *f.Mode)
	}
	if f.Device != nil && *f.Device != "" && !slices.ContainsFunc(p.Devices, func(d engine.Device) bool { return d.Name == *f.Device }) {
		return nil, fmt.Errorf("%w: %s", report.ErrUnknownDevice, *f.Device)
	}
	var out []report.Mapping
	for i := range p.Mappings {
		if m := describe(p, i, on[i]); wanted(&f, &m) {
			out = append(out, m)
		}
	}
	return out, nil
}

// Mapping is the one with that id. Error: report.ErrUnknownMapping.
func (d *Daemon) Mapping(ctx context.Context, id string) (report.Mapping, error) {
	p, on, err := d.switches(ctx)
	if err != nil {
		return report.Mapping{}, err
	}
	i := mappingIndex(p, id)
	if i < 0 {
		return report.Mapping{}, fmt.Errorf("%w: %s", report.ErrUnknownMapping, id)
	}
	return describe(p, i, on[i]), nil
}

// switches are the program and which of its mappings are switched on.
func (d *Daemon) switches(ctx context.Context) (p *engine.Program, on []bool, err error) {
	err = d.look(ctx, func(e *engine.Engine) {
		p = e.Program()
		on = make([]bool, len(p.Mappings))
		for i := range on {
			on[i] = e.Enabled(i)
		}
	})
	return p, on, err
}

func wanted(f *report.MappingFilter, m *report.Mapping) bool {
	is := func(want *string, got string) bool { return want == nil || *want == got }
	if !is(f.Mode, m.Mode) || !is(f.Device, m.Device) || !is(f.Trigger, m.Trigger) || !is(f.Action, m.Action) ||
		f.Enabled != nil && *f.Enabled != m.Enabled {
		return false
	}
	text := strings.ToLower(f.Text)
	for _, s := range []string{m.ID, m.Label, m.Trigger, m.TriggerText, m.Action, m.ActionText} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}

// describe is a mapping without what may be nobody's business.
func describe(p *engine.Program, i int, enabled bool) report.Mapping {
	m := &p.Mappings[i]
	out := report.Mapping{
		ID: m.ID, Label: m.Label, Trigger: m.Trigger.Type.String(), Action: m.Action.Type(), Enabled: enabled,
		Eager: m.Eager, WhenLocked: m.WhenLocked, Conditional: m.When != nil, MaxRate: m.MaxRate,
		TriggerFields: triggerFields(&m.Trigger), TriggerText: triggerText(&m.Trigger),
		ActionFields: dryrun.Fields(m.Action), ActionText: actionText(m.Action),
	}
	if m.Mode != engine.Global {
		out.Mode = p.Modes[m.Mode].Name
	}
	if m.Trigger.Device != engine.Any {
		out.Device = p.Devices[m.Trigger.Device].Name
	}
	return out
}
