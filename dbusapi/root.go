package dbusapi

import (
	"context"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

// What everything on the bus is called.
const (
	BusName             = "com.amiable.Midimon1"
	RootPath            = dbus.ObjectPath("/com/amiable/Midimon1")
	DeviceInterface     = BusName + ".Device"
	MappingsInterface   = BusName + ".Mappings"
	MonitorInterface    = BusName + ".Monitor"
	StatisticsInterface = BusName + ".Statistics"
)

// A Check is a row of the property Health.
type Check struct{ Name, Status, Message, Fix string }

// An Inhibitor is a row of the property Inhibitors.
type Inhibitor struct{ Who, Why string }

// A Diagnostic is a diagnostic as the bus carries it. There is no excerpt: callers may be
// kept from reading the file.
type Diagnostic struct {
	Severity, Code, Message, File string
	Line, Column                  uint32
	Extra                         map[string]dbus.Variant // path, hint: s; latency_ms: u
}

// A Change is one of "changes" in the property LastReload.
type Change struct{ Kind, ID, Label, Mode, Trigger, Action string }

func diagnostics(in []report.Diagnostic) []Diagnostic {
	out := make([]Diagnostic, len(in))
	for i, d := range in {
		extra := map[string]dbus.Variant{}
		if d.Path != "" {
			extra["path"] = dbus.MakeVariant(clean(d.Path))
		}
		if d.Hint != "" {
			extra["hint"] = dbus.MakeVariant(clean(d.Hint))
		}
		if d.Waits > 0 {
			extra["latency_ms"] = dbus.MakeVariant(uint32(d.Waits.Milliseconds()))
		}
		out[i] = Diagnostic{
			clean(d.Severity), clean(d.Code), clean(d.Message), clean(d.File),
			uint32(max(d.Line, 0)), uint32(max(d.Column, 0)), extra,
		}
	}
	return out
}

func health(s *report.Status) []Check {
	out := make([]Check, len(s.Health))
	for i, c := range s.Health {
		out[i] = Check{clean(c.Name), clean(c.Status), clean(c.Message), clean(c.Fix)}
	}
	return out
}

func inhibitors(s *report.Status) []Inhibitor {
	out := make([]Inhibitor, len(s.Inhibitors))
	for i, by := range s.Inhibitors {
		out[i] = Inhibitor{clean(by.Who), clean(by.Why)}
	}
	return out
}

func lastReload(r *report.Reload) map[string]dbus.Variant {
	out := map[string]dbus.Variant{}
	if r.Time.IsZero() {
		return out
	}
	warnings := uint32(0)
	for _, d := range r.Diagnostics {
		if d.Severity == report.Warn {
			warnings++
		}
	}
	for key, value := range map[string]any{
		"time": uint64(r.Time.UnixMicro()), "ok": r.OK, "trigger": clean(r.Trigger),
		"duration_us": uint64(r.Took.Microseconds()), "modes": uint32(r.Modes),
		"mappings": uint32(r.Mappings), "warnings": warnings, "grade": r.Grade, "error": clean(r.Err),
		"detect_us": uint64(r.Phases.Detect.Microseconds()), "read_us": uint64(r.Phases.Read.Microseconds()),
		"parse_us": uint64(r.Phases.Parse.Microseconds()), "compile_us": uint64(r.Phases.Compile.Microseconds()),
		"swap_us": uint64(r.Phases.Swap.Microseconds()),
	} {
		out[key] = dbus.MakeVariant(value)
	}
	if d := &r.Diff; len(d.Changes) > 0 || len(d.Other) > 0 {
		changes := make([]Change, len(d.Changes))
		for i, c := range d.Changes {
			changes[i] = Change{clean(c.Kind), clean(c.ID), clean(c.Label), clean(c.Mode), clean(c.Trigger), clean(c.Action)}
		}
		out["changes"], out["more_changes"] = dbus.MakeVariant(changes), dbus.MakeVariant(uint32(d.More))
		out["other_changes"] = dbus.MakeVariant(cleanAll(d.Other))
	}
	return out
}

func (s *Server) root() *iface {
	b := s.backend
	features := []string{
		"modes", "hold-mode", "mappings", "devices", "reload", "revert", "validate", "pause", "inhibit", "panic",
		"monitor", "statistics", "private-socket",
	}
	if s.level != nil {
		features = append(features, "log-control")
	}
	return &iface{
		methods: s.rootMethods(),
		slow:    []string{"Reload", "Validate", "ArmRevert", "Keep", "Revert"},
		props: map[string]property{
			"Version":     {get: func(t target) any { return clean(t.status.Version) }},
			"Features":    {get: func(target) any { return features }},
			"Pid":         {get: func(t target) any { return uint32(t.status.Pid) }},
			"StartedUSec": {get: func(t target) any { return uint64(t.status.Started.UnixMicro()) }},
			"State":       {get: func(t target) any { return string(t.status.State) }},
			"Problems":    {get: func(t target) any { return cleanAll(t.status.Problems()) }},
			"Health":      {get: func(t target) any { return health(t.status) }},
			"Mode": {
				get: func(t target) any { return clean(t.status.Mode) },
				set: func(ctx context.Context, _ target, v any) error { return b.SetMode(ctx, v.(string)) },
			},
			"BaseMode":         {get: func(t target) any { return clean(t.status.BaseMode) }},
			"Modes":            {get: func(t target) any { return cleanAll(t.status.Modes) }},
			"ConnectedDevices": {get: func(t target) any { return cleanAll(t.status.ConnectedDevices()) }},
			"Inhibitors":       {get: func(t target) any { return inhibitors(t.status) }},
			"ConfigPath":       {get: func(t target) any { return clean(t.status.ConfigPath) }},
			"ConfigGeneration": {get: func(t target) any { return t.status.Generation }},
			"ConfigStatus":     {get: func(t target) any { return clean(t.status.ConfigStatus) }},
			"LastReload":       {get: func(t target) any { return lastReload(&t.status.LastReload) }},
		},
		signals: map[string]signal{
			"ModeChanged": func(e report.Event) []any {
				return []any{clean(e.Old), clean(e.New), clean(e.Cause)}
			},
			"ModeHoldReleased": func(e report.Event) []any { return []any{e.Cookie} },
			"ReloadFinished": func(e report.Event) []any {
				r := e.Reload
				return []any{r.OK, r.Generation, clean(r.Trigger), clean(r.Err), diagnostics(r.Diagnostics)}
			},
			"ActionFailed": func(e report.Event) []any {
				return []any{clean(e.Mapping), clean(e.Mode), clean(e.Error), clean(e.Detail)}
			},
			"Emitted": func(e report.Event) []any {
				if e.Text != "" {
					return []any{clean(e.Name), dbus.MakeVariant(clean(e.Text))}
				}
				return []any{clean(e.Name), dbus.MakeVariant(e.Number)}
			},
		},
	}
}
