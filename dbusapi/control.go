package dbusapi

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

// maxText is how long a text Validate takes, in bytes.
const maxText = 1 << 20

// A Mode is a row of ListModes.
type Mode struct {
	ID, Label string
	Active    bool
	Extra     map[string]dbus.Variant // base: b, color: s, apps: as, mappings: u
}

func (s *Server) rootMethods() map[string]any {
	b := s.backend
	return map[string]any{
		"Reload": func(ctx context.Context, _ *call) (uint64, []Diagnostic, error) {
			r, err := b.Reload(ctx, "call")
			return r.Generation, diagnostics(r.Diagnostics), err
		},
		"GetDiagnostics": func(context.Context, *call) ([]Diagnostic, error) {
			return diagnostics(b.Status().Diagnostics), nil
		},
		"Validate": func(ctx context.Context, _ *call, text string) (bool, []Diagnostic, error) {
			if len(text) > maxText {
				return false, nil, fmt.Errorf("%w: %d bytes are more than %d", report.ErrTooMany, len(text), maxText)
			}
			ok, all, err := b.Validate(ctx, text)
			return ok, diagnostics(all), err
		},
		"ArmRevert": func(ctx context.Context, _ *call, ms uint32) (uint64, error) {
			return b.ArmRevert(ctx, time.Duration(ms)*time.Millisecond)
		},
		"Keep":   func(ctx context.Context, _ *call, generation uint64) error { return b.Keep(ctx, generation) },
		"Revert": func(ctx context.Context, _ *call) error { return b.Revert(ctx) },

		"ListModes": func(context.Context, *call) ([]Mode, error) { return modes(b.ListModes()), nil },
		"CycleMode": func(ctx context.Context, _ *call, step int32) (string, error) {
			mode, err := b.CycleMode(ctx, int(step))
			return clean(mode), err
		},
		"HoldMode": func(ctx context.Context, c *call, mode, reason, app string) (uint32, error) {
			cookie, err := b.HoldMode(ctx, c.holder(), mode, reason, app)
			return cookie, c.holds(err)
		},
		"ReleaseMode": func(ctx context.Context, c *call, cookie uint32) error {
			return b.ReleaseMode(ctx, c.holder(), cookie)
		},
		"Inhibit": func(ctx context.Context, c *call, who, why string) (uint32, error) {
			cookie, err := b.Inhibit(ctx, c.holder(), report.Inhibitor{Who: who, Why: why})
			return cookie, c.holds(err)
		},
		"Uninhibit": func(ctx context.Context, c *call, cookie uint32) error {
			return b.Uninhibit(ctx, c.holder(), cookie)
		},
		"ReportFocus": func(ctx context.Context, c *call, app, _ string) error {
			return c.holds(b.ReportFocus(ctx, c.holder(), app))
		},

		"Pause":  func(ctx context.Context, _ *call) error { return b.Pause(ctx, true) },
		"Resume": func(ctx context.Context, _ *call) error { return b.Pause(ctx, false) },
		"Panic":  func(ctx context.Context, _ *call) error { return b.Panic(ctx) },
	}
}

func modes(in []report.Mode) []Mode {
	out := make([]Mode, len(in))
	for i, m := range in {
		name := clean(m.Name)
		out[i] = Mode{name, name, m.Active, values{
			"base": dbus.MakeVariant(m.Base), "color": dbus.MakeVariant(clean(m.Color)),
			"apps": dbus.MakeVariant(cleanAll(m.Apps)), "mappings": dbus.MakeVariant(uint32(m.Mappings)),
		}}
	}
	return out
}
