package dbustest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
)

// A Backend is a daemon that only keeps its status. It answers as dbusapi.Backend says.
type Backend struct {
	mu     sync.Mutex
	onCall func(method, arg string) error
	status *report.Status
	subs   map[*subscriber]bool

	watchers map[*watcher]bool
	held     held
}

type subscriber struct {
	wake    chan struct{}
	events  []report.Event
	dropped uint64
}

// NewBackend is a daemon that runs: two modes, one controller that is there, one that is not.
func NewBackend() *Backend {
	return &Backend{subs: map[*subscriber]bool{}, watchers: map[*watcher]bool{}, status: &report.Status{
		Version: "1.2.3", Pid: 4711, Started: time.UnixMicro(1_700_000_000_000_001),
		State: report.Degraded,
		Health: []report.Check{{
			Name: "device-absent:Fader", Status: report.Failed, Message: "the device Fader is not plugged in", Fix: "midimonctl devices",
		}},
		Mode: "Default", BaseMode: "Default", Modes: []string{"Default", "Media"},
		Devices: []report.Device{
			{
				ID: "LPD8", Name: "LPD8", Kind: "seq", USB: "09e8:0075", Serial: "A1", State: report.Connected, Enabled: true,
				Configured: true, Ports: []report.Port{{Name: "LPD8 MIDI 1", In: true, Out: true}},
				Events: 7, LastEvent: time.UnixMicro(1_700_000_001_000_000),
			},
			{ID: "Fader", Name: "Fader", Kind: "seq", State: report.Absent, Enabled: true, Configured: true},
		},
		Mappings:   2,
		ConfigPath: "/home/u/.config/midimon/config.toml", ConfigStatus: "ok", Generation: 1,
		LastReload: report.Reload{
			Time: time.UnixMicro(1_700_000_000_500_000), OK: true, Trigger: "start",
			Took: 3 * time.Millisecond, Generation: 1, Modes: 2, Mappings: 12,
		},
	}}
}

// Publish changes a copy of the status, publishes it and lets events happen.
func (b *Backend) Publish(change func(*report.Status), events ...report.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := *b.status
	next.Devices = append([]report.Device(nil), next.Devices...)
	if change != nil {
		change(&next)
	}
	b.status = &next
	for s := range b.subs {
		for _, e := range events {
			if len(s.events) == 256 {
				s.dropped++
			} else {
				s.events = append(s.events, e)
			}
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Subscribers is how many there are.
func (b *Backend) Subscribers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.subs)
}

// Status is what was last published.
func (b *Backend) Status() *report.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// Subscribe reports what Publish does.
func (b *Backend) Subscribe() (wake <-chan struct{}, drain func() ([]report.Event, uint64), cancel func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &subscriber{wake: make(chan struct{}, 1)}
	b.subs[s] = true
	drain = func() ([]report.Event, uint64) {
		b.mu.Lock()
		defer b.mu.Unlock()
		events, dropped := s.events, s.dropped
		s.events, s.dropped = nil, 0
		return events, dropped
	}
	return s.wake, drain, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, s)
	}
}

// OnCall makes f hear of each call, by method and argument, before it is performed. Its error
// is the method's.
func (b *Backend) OnCall(f func(method, arg string) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onCall = f
}

func (b *Backend) before(method, arg string) error {
	b.mu.Lock()
	f := b.onCall
	b.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(method, arg)
}

// Reload accepts the configuration, which brings a mapping.
func (b *Backend) Reload(_ context.Context, trigger string) (report.Reload, error) {
	r := report.Reload{Time: time.Now(), OK: true, Trigger: trigger, Generation: b.Status().Generation, Modes: 2}
	if err := b.before("Reload", trigger); err != nil {
		r.OK, r.Err = false, err.Error()
		b.Publish(func(s *report.Status) { s.ConfigStatus, s.LastReload = "kept-previous", r },
			report.Event{Kind: report.ReloadFinished, Reload: &r})
		return r, err
	}
	r.Generation++
	r.Phases = report.Phases{Read: time.Millisecond, Swap: 2 * time.Millisecond}
	r.Diff = report.Diff{
		Changes: []report.Change{
			{Kind: report.Changed, ID: "play", Label: "Play or pause", Mode: "Media", Trigger: "Note", Action: "Media"},
			{Kind: report.Added, ID: "global_mappings[1]", Trigger: "CC", Action: "VolumeControl"},
		},
		More: 3, Other: []string{"timing"},
	}
	b.Publish(func(s *report.Status) { s.Generation, s.ConfigStatus, s.LastReload = r.Generation, "ok", r },
		report.Event{Kind: report.ReloadFinished, Reload: &r})
	return r, nil
}

// SetMode knows the modes of the status.
func (b *Backend) SetMode(_ context.Context, name string) error {
	if err := b.before("SetMode", name); err != nil {
		return err
	}
	old := b.Status()
	for _, m := range old.Modes {
		if m == name {
			b.Publish(func(s *report.Status) { s.Mode, s.BaseMode = name, name },
				report.Event{Kind: report.ModeChanged, Old: old.Mode, New: name, Cause: "caller"})
			return nil
		}
	}
	return fmt.Errorf("%w: %s", report.ErrUnknownMode, name)
}

// Pause changes the state.
func (b *Backend) Pause(_ context.Context, paused bool) error {
	if err := b.before("Pause", fmt.Sprint(paused)); err != nil {
		return err
	}
	b.Publish(func(s *report.Status) {
		s.State = report.Running
		if paused {
			s.State = report.Paused
		}
	})
	return nil
}

// Panic does nothing.
func (b *Backend) Panic(context.Context) error { return b.before("Panic", "") }

// SetDeviceEnabled changes the device.
func (b *Backend) SetDeviceEnabled(_ context.Context, id string, enabled bool) error {
	if err := b.before("SetDeviceEnabled", id); err != nil {
		return err
	}
	b.Publish(func(s *report.Status) {
		for i := range s.Devices {
			if s.Devices[i].ID == id {
				s.Devices[i].Enabled = enabled
			}
		}
	})
	return nil
}

// Reconnect does nothing.
func (b *Backend) Reconnect(_ context.Context, id string) error { return b.before("Reconnect", id) }
