package ports

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// Swap makes p the program of the engine and of the ports. In the instant in which the engine
// changes, every open port belongs to its device of p; then others are opened and closed. What
// was unplugged for good is taken again.
func (s *Supervisor) Swap(ctx context.Context, p *engine.Program) error {
	return s.do(ctx, func() error {
		old, left := s.program, s.left
		s.program, s.left = p, map[string]bool{}
		verdicts, _ := match(p.Devices, s.wanted, s.allPorts())
		index := map[engine.Port]int{}
		for _, l := range s.open {
			index[l.id] = engine.Any
		}
		for i, v := range verdicts {
			for _, q := range v.ports {
				if l := s.open[q.key()]; l != nil {
					index[l.id] = i
					l.route.counter.Store(&s.remember(&p.Devices[i], q).counter)
				}
			}
		}
		if err := s.loop.Do(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
			out = e.Swap(p, now, out)
			for _, l := range s.open {
				e.Attach(l.id, index[l.id])
			}
			return out
		}); err != nil {
			s.program, s.left = old, left
			return err
		}
		if s.setPaths() {
			s.look(context.WithoutCancel(ctx))
		} else { // drivers say when their ports change, and to list them takes longer than all else here
			s.reconcile(context.WithoutCancel(ctx))
		}
		return nil
	})
}

// SetEnabled switches the configured device with that ID on or off until midimon ends.
func (s *Supervisor) SetEnabled(ctx context.Context, id string, enabled bool) error {
	return s.do(ctx, func() error {
		i, err := s.index(id)
		if err != nil {
			return err
		}
		if enabled && !s.program.Devices[i].Enabled {
			return fmt.Errorf("%w: the configuration switches %s off", report.ErrNotSupported, id)
		}
		s.off[id] = !enabled
		delete(s.left, id)
		s.setPaths()
		s.look(context.WithoutCancel(ctx))
		return nil
	})
}

// Reconnect closes the ports of the configured device with that ID and opens them again.
// Errors: report.ErrUnknownDevice, ErrNotSupported (not configured, or switched off),
// ErrDeviceAbsent, ErrDeviceBusy, others.
func (s *Supervisor) Reconnect(ctx context.Context, id string) error {
	return s.do(ctx, func() error {
		i, err := s.index(id)
		if err != nil {
			return err
		}
		if delete(s.left, id); !s.wanted(i) {
			return fmt.Errorf("%w: %s is switched off", report.ErrNotSupported, id)
		}
		counter := &s.memory(&s.program.Devices[i]).counter
		for k, l := range s.open {
			if l.route.counter.Load() == counter {
				s.shut(k)
			}
		}
		s.look(context.WithoutCancel(ctx))
		for _, p := range s.portsOf(i) {
			if err := s.failures[p.key()]; err != nil {
				return err
			}
			if s.open[p.key()] != nil {
				return nil
			}
		}
		return fmt.Errorf("%w: %s", report.ErrDeviceAbsent, id)
	})
}

// ReopenAll closes every port and opens it again, as after a sleep, in which controllers lose
// power and messages are lost.
func (s *Supervisor) ReopenAll(ctx context.Context) error {
	return s.do(ctx, func() error {
		for k := range s.open {
			s.shut(k)
		}
		s.look(context.WithoutCancel(ctx))
		return nil
	})
}

// Send writes whole MIDI messages to the first port of the configured device with that ID
// that can be sent to. Errors: report.ErrUnknownDevice, ErrNotSupported (not configured, or it
// has no such port), ErrDeviceAbsent, ErrDeviceBusy.
func (s *Supervisor) Send(ctx context.Context, id string, midi []byte) error {
	return s.do(ctx, func() error {
		i, err := s.index(id)
		if err != nil {
			return err
		}
		found := s.portsOf(i)
		if len(found) == 0 {
			return fmt.Errorf("%w: %s", report.ErrDeviceAbsent, id)
		}
		for _, p := range found {
			if p.Out {
				return p.driver.session.Send(p.Port, midi)
			}
		}
		return fmt.Errorf("%w: %s cannot be sent to", report.ErrNotSupported, id)
	})
}

// SendTo writes whole MIDI messages to a port: of the configured device of that name, else to
// the first whose name has that in it, letter case aside. Errors name the port, and are
// report.ErrDeviceAbsent, ErrDeviceBusy, ErrNotSupported.
func (s *Supervisor) SendTo(ctx context.Context, name string, midi []byte) error {
	return s.do(ctx, func() error {
		p, err := s.outlet(name)
		if err == nil {
			err = p.driver.session.Send(p.Port, midi)
		}
		if err != nil {
			return fmt.Errorf("cannot send to %q: %w", name, err)
		}
		return nil
	})
}

// outlet is the port that a name means to somebody who sends.
func (s *Supervisor) outlet(name string) (*port, error) {
	found := s.allPorts()
	device := slices.IndexFunc(s.program.Devices, func(d engine.Device) bool { return d.Name == name })
	fits := func(p *port) bool {
		return strings.Contains(strings.ToLower(p.Client+" "+p.Name), strings.ToLower(name))
	}
	if device >= 0 {
		found, fits = s.portsOf(device), func(*port) bool { return true }
	}
	mute := false
	for _, p := range found {
		if !fits(p) {
			continue
		}
		if p.Out {
			return p, nil
		}
		mute = true
	}
	if mute {
		return nil, fmt.Errorf("%w: it only sends", report.ErrNotSupported)
	}
	return nil, report.ErrDeviceAbsent
}

// Known returns nil for a configured device. Errors: as SetEnabled.
func (s *Supervisor) Known(ctx context.Context, id string) error {
	return s.do(ctx, func() error {
		_, err := s.index(id)
		return err
	})
}

// portsOf are the ports that are there of the program's device.
func (s *Supervisor) portsOf(device int) []*port {
	verdicts, _ := match(s.program.Devices, s.wanted, s.allPorts())
	return verdicts[device].ports
}

// index is a configured device's. Others are known and can only be looked at.
func (s *Supervisor) index(id string) (int, error) {
	if i := slices.IndexFunc(s.program.Devices, func(d engine.Device) bool { return d.Name == id }); i >= 0 {
		return i, nil
	}
	for _, p := range s.allPorts() {
		if p.id() == id || p.instrument() == id {
			return 0, fmt.Errorf("%w: %s is not configured", report.ErrNotSupported, id)
		}
	}
	return 0, unknown(id)
}
