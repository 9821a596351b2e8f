package service

import (
	"context"
	"fmt"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// SetEnabled switches a mapping on or off until the next reload. Error:
// report.ErrUnknownMapping.
func (d *Daemon) SetEnabled(ctx context.Context, id string, on bool) error {
	_, err := d.withMapping(ctx, id, func(e *engine.Engine, i int, _ time.Duration, out []effect.Effect) []effect.Effect {
		e.SetEnabled(i, on)
		return out
	})
	return err
}

// Trigger does what a mapping does at a press, through the gates that a press meets. Errors:
// report.ErrUnknownMapping, ErrMappingDisabled, ErrPaused (a gate is closed), ErrBusy (too many
// a second), ErrActionFailed (nothing is there that could perform it).
func (d *Daemon) Trigger(ctx context.Context, id string) error {
	var refused error
	failed, err := d.withMapping(ctx, id, func(e *engine.Engine, i int, now time.Duration, out []effect.Effect) []effect.Effect {
		if !e.Enabled(i) {
			refused = fmt.Errorf("%w: %s", report.ErrMappingDisabled, id)
			return out
		}
		m := &e.Program().Mappings[i]
		before := len(out)
		out = e.Trigger(i, now, out)
		for _, x := range out[before:] {
			if x.Kind == effect.Refused && x.Origin == &m.Origin && x.Action == m.Action {
				refused = refusal(x.Cause)
			}
		}
		return out
	})
	for _, e := range failed {
		if e.Mapping == id && refused == nil {
			refused = fmt.Errorf("%w: %s %s", report.ErrActionFailed, e.Error, e.Detail)
		}
	}
	if err != nil {
		return err
	}
	return refused
}

func refusal(c effect.Cause) error {
	if c == effect.TooFast {
		return fmt.Errorf("%w: %s", report.ErrBusy, c)
	}
	return fmt.Errorf("%w: %s", report.ErrPaused, c)
}

// withMapping makes a change with a mapping, and tells what of it could not be performed. The
// mapping is sought here, not by the loop: there may be very many.
func (d *Daemon) withMapping(ctx context.Context, id string, c func(e *engine.Engine, mapping int, now time.Duration, out []effect.Effect) []effect.Effect) ([]report.Event, error) {
	for {
		p, current := d.loop.Modes().Program, false
		i := mappingIndex(p, id)
		if i < 0 {
			return nil, fmt.Errorf("%w: %s", report.ErrUnknownMapping, id)
		}
		failed, err := d.loop.Try(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
			if current = e.Program() == p; !current { // reloaded meanwhile
				return out
			}
			return c(e, i, now, out)
		})
		if err != nil || current {
			return failed, d.shown(err)
		}
	}
}

func mappingIndex(p *engine.Program, id string) int {
	for i := range p.Mappings {
		if p.Mappings[i].ID == id {
			return i
		}
	}
	return -1
}
