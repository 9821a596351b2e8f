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

func health(in []report.Check) []Check {
	out := make([]Check, len(in))
	for i, c := range in {
		out[i] = Check{clean(c.Name), clean(c.Status), clean(c.Message), clean(c.Fix)}
	}
	return out
}

func inhibitors(in []report.Inhibitor) []Inhibitor {
	out := make([]Inhibitor, len(in))
	for i, by := range in {
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
			"State":       of(func(t target) report.State { return t.status.State }, func(s report.State) string { return string(s) }),
			"Problems":    listOf(func(t target) []string { return t.status.Problems() }, cleanAll),
			"Health":      listOf(func(t target) []report.Check { return t.status.Health }, health),
			"Mode": of(func(t target) string { return t.status.Mode }, clean).
				writable(func(ctx context.Context, _ target, v any) error { return b.SetMode(ctx, v.(string)) }, false),
			"BaseMode":         of(func(t target) string { return t.status.BaseMode }, clean),
			"Modes":            listOf(func(t target) []string { return t.status.Modes }, cleanAll),
			"ConnectedDevices": listOf(func(t target) []string { return t.status.ConnectedDevices() }, cleanAll),
			"Inhibitors":       listOf(func(t target) []report.Inhibitor { return t.status.Inhibitors }, inhibitors),
			"ConfigPath":       {get: func(t target) any { return clean(t.status.ConfigPath) }},
			"ConfigGeneration": of(func(t target) uint64 { return t.status.Generation }, func(n uint64) uint64 { return n }),
			"ConfigStatus":     of(func(t target) string { return t.status.ConfigStatus }, clean),
			"LastReload":       deepOf(func(t target) *report.Reload { return &t.status.LastReload }, lastReload),
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
