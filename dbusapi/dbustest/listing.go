package dbustest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
)

// held is what callers hold, by cookie.
type held struct {
	last  uint32
	modes map[uint32]string // caller
	quiet map[uint32]string
	focus string // caller
}

// Held is how many cookies are held.
func (b *Backend) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.held.modes) + len(b.held.quiet)
}

// Focus is who reported the focus.
func (b *Backend) Focus() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held.focus
}

// hold gives a cookie of one kind.
func (b *Backend) hold(which *map[uint32]string, caller string) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if *which == nil {
		*which = map[uint32]string{}
	}
	b.held.last++
	(*which)[b.held.last] = caller
	return b.held.last
}

func (b *Backend) letGo(which map[uint32]string, caller string, cookie uint32) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if owner, ok := which[cookie]; !ok || owner != caller {
		return fmt.Errorf("%w: %d", report.ErrUnknownCookie, cookie)
	}
	delete(which, cookie)
	return nil
}

// HoldMode knows the modes of the status.
func (b *Backend) HoldMode(_ context.Context, caller, mode, reason, _ string) (uint32, error) {
	if err := b.before("HoldMode", reason); err != nil {
		return 0, err
	}
	if !slices.Contains(b.Status().Modes, mode) {
		return 0, fmt.Errorf("%w: %s", report.ErrUnknownMode, mode)
	}
	return b.hold(&b.held.modes, caller), nil
}

// ReleaseMode ends a HoldMode.
func (b *Backend) ReleaseMode(_ context.Context, caller string, cookie uint32) error {
	return b.letGo(b.held.modes, caller, cookie)
}

// LoseHolds ends every hold without its holder's doing.
func (b *Backend) LoseHolds() {
	b.mu.Lock()
	lost := b.held.modes
	b.held.modes = nil
	b.mu.Unlock()
	for cookie, caller := range lost {
		b.Publish(nil, report.Event{Kind: report.ModeHoldReleased, Caller: caller, Cookie: cookie})
	}
}

// Inhibit adds to the status.
func (b *Backend) Inhibit(_ context.Context, caller string, by report.Inhibitor) (uint32, error) {
	if err := b.before("Inhibit", by.Who); err != nil {
		return 0, err
	}
	cookie := b.hold(&b.held.quiet, caller)
	b.Publish(func(s *report.Status) { s.Inhibitors = append(slices.Clone(s.Inhibitors), by) })
	return cookie, nil
}

// Uninhibit takes one off the status.
func (b *Backend) Uninhibit(_ context.Context, caller string, cookie uint32) error {
	if err := b.letGo(b.held.quiet, caller, cookie); err != nil {
		return err
	}
	b.Publish(func(s *report.Status) { s.Inhibitors = s.Inhibitors[1:] })
	return nil
}

// ReportFocus remembers the caller.
func (b *Backend) ReportFocus(_ context.Context, caller, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held.focus = caller
	return nil
}

// Gone ends what a caller holds.
func (b *Backend) Gone(_ context.Context, caller string) error {
	b.mu.Lock()
	for cookie, owner := range b.held.modes {
		if owner == caller {
			delete(b.held.modes, cookie)
		}
	}
	quiet := 0
	for cookie, owner := range b.held.quiet {
		if owner == caller {
			delete(b.held.quiet, cookie)
			quiet++
		}
	}
	if b.held.focus == caller {
		b.held.focus = ""
	}
	b.mu.Unlock()
	if quiet > 0 {
		b.Publish(func(s *report.Status) { s.Inhibitors = s.Inhibitors[quiet:] })
	}
	return nil
}

// Validate takes every text without the word "wrong".
func (b *Backend) Validate(_ context.Context, text string) (bool, []report.Diagnostic, error) {
	if err := b.before("Validate", ""); err != nil {
		return false, nil, err
	}
	if strings.Contains(text, "wrong") {
		return false, []report.Diagnostic{{Severity: report.Error, Code: "syntax", Message: "wrong", Line: 1, Column: 1, Excerpt: text}}, nil
	}
	return true, nil, nil
}

// ArmRevert is armed at once and for ever.
func (b *Backend) ArmRevert(_ context.Context, after time.Duration) (uint64, error) {
	return b.Status().Generation, b.before("ArmRevert", after.String())
}

// Keep knows the generation that runs.
func (b *Backend) Keep(_ context.Context, generation uint64) error {
	if generation != b.Status().Generation {
		return fmt.Errorf("%w: %d", report.ErrUnknownCookie, generation)
	}
	return b.before("Keep", "")
}

// Revert does nothing.
func (b *Backend) Revert(context.Context) error { return b.before("Revert", "") }

// ListModes are those of the status.
func (b *Backend) ListModes() []report.Mode {
	s := b.Status()
	out := make([]report.Mode, len(s.Modes))
	for i, name := range s.Modes {
		out[i] = report.Mode{Name: name, Active: name == s.Mode, Base: name == s.BaseMode, Mappings: i}
	}
	return out
}

// CycleMode goes round the modes of the status.
func (b *Backend) CycleMode(ctx context.Context, step int) (string, error) {
	s := b.Status()
	n := len(s.Modes)
	name := s.Modes[((slices.Index(s.Modes, s.Mode)+step)%n+n)%n]
	return name, b.SetMode(ctx, name)
}

var mappings = []report.Mapping{
	{
		ID: "play", Label: "Play or pause", Mode: "Media", Device: "LPD8", Trigger: "Note", Action: "Media", Enabled: true,
		TriggerText: "C2 (36)", ActionText: "PlayPause",
		TriggerFields: map[string]any{"note": 36, "channel": 9}, ActionFields: map[string]any{"operation": "PlayPause"},
	},
	{
		ID: "global_mappings[0]", Trigger: "CC", Action: "VolumeControl", Enabled: true, TriggerText: "cc 7", ActionText: "Set",
		TriggerFields: map[string]any{"cc": 7}, ActionFields: map[string]any{"operation": "Set", "notes": []int{1}, "by": 1.5},
	},
}

// Mappings knows two and looks at the filter's text only.
func (b *Backend) Mappings(_ context.Context, f report.MappingFilter) ([]report.Mapping, error) {
	var out []report.Mapping
	for _, m := range mappings {
		if strings.Contains(m.ID, f.Text) {
			out = append(out, m)
		}
	}
	return out, b.before("Mappings", f.Text)
}

// Mapping knows two.
func (b *Backend) Mapping(_ context.Context, id string) (report.Mapping, error) {
	for _, m := range mappings {
		if m.ID == id {
			return m, nil
		}
	}
	return report.Mapping{}, fmt.Errorf("%w: %s", report.ErrUnknownMapping, id)
}

// Trigger does nothing.
func (b *Backend) Trigger(ctx context.Context, id string) error {
	if _, err := b.Mapping(ctx, id); err != nil {
		return err
	}
	return b.before("Trigger", id)
}

// SetEnabled does nothing.
func (b *Backend) SetEnabled(ctx context.Context, id string, on bool) error {
	if _, err := b.Mapping(ctx, id); err != nil {
		return err
	}
	return b.before("SetEnabled", fmt.Sprint(id, on))
}

// watcher is somebody who watches.
type watcher struct {
	seen    chan report.Seen
	dropped uint64
}

// Watch reports what See does; 256 may wait.
func (b *Backend) Watch(context.Context) (seen <-chan report.Seen, dropped func() uint64, cancel func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &watcher{seen: make(chan report.Seen, 256)}
	b.watchers[w] = true
	dropped = func() uint64 {
		b.mu.Lock()
		defer b.mu.Unlock()
		n := w.dropped
		w.dropped = 0
		return n
	}
	return w.seen, dropped, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, w)
	}, nil
}

// Watchers is how many watch.
func (b *Backend) Watchers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.watchers)
}

// See lets messages come in.
func (b *Backend) See(all ...report.Seen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watchers {
		for _, x := range all {
			select {
			case w.seen <- x:
			default:
				w.dropped++
			}
		}
	}
}

// Why knows three decisions.
func (b *Backend) Why(_ context.Context, n int) ([]report.Decision, error) {
	all := []report.Decision{
		{Seq: 1, At: time.Second, Kind: "note-on", Device: "LPD8", Channel: 9, Number: 36, Value: 100, Mode: "Media", Candidates: 1, Outcome: "fired", Mapping: "play", Trigger: "Note", Taken: 3 * time.Microsecond, Handed: 5 * time.Microsecond},
		{Seq: 2, At: 2 * time.Second, Kind: "note-on", Outcome: "waits", WaitsFor: []string{"hold"}, Until: 4 * time.Second},
		{Seq: 3, At: 3 * time.Second, Kind: "control-change", Outcome: "no-mapping"},
	}
	return all[max(0, len(all)-n):], b.before("Why", fmt.Sprint(n))
}

// Stats are always the same.
func (b *Backend) Stats(context.Context) (report.Stats, error) {
	return report.Stats{Received: 100, Performed: 40, Failed: 2, Lost: 1, P50: 9 * time.Microsecond, P99: 80 * time.Microsecond}, b.before("Stats", "")
}

// ResetStats does nothing.
func (b *Backend) ResetStats(context.Context) error { return b.before("ResetStats", "") }

// Identify does nothing.
func (b *Backend) Identify(_ context.Context, id string) error { return b.before("Identify", id) }

// Send does nothing.
func (b *Backend) Send(_ context.Context, id string, midi []byte) error {
	return b.before("Send", fmt.Sprintf("%s % x", id, midi))
}
