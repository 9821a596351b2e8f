package service_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// events are those of one kind that came since it was last called.
func (s *stage) events(drain func() ([]report.Event, uint64), kind report.EventKind) []report.Event {
	s.t.Helper()
	must(s.t, s.SetRunning(s.t.Context(), nil)) // what was posted before is there
	all, _ := drain()
	return slices.DeleteFunc(all, func(e report.Event) bool { return e.Kind != kind })
}

// A mode that is held no longer, though nobody let go, is its holder's to know.
func TestLostHolds(t *testing.T) {
	s, ctx := ask(t), t.Context()
	_, drain, cancel := s.Subscribe()
	defer cancel()
	hold := func(caller, mode string) uint32 {
		cookie, err := s.HoldMode(ctx, caller, mode, "", "")
		must(t, err)
		return cookie
	}
	a, b := hold("a", "Two"), hold("b", "One") // that is the base mode: nothing is seen of it
	must(t, s.Panic(ctx))
	lost := s.events(drain, report.ModeHoldReleased)
	if len(lost) != 2 || lost[0].Caller != "a" || lost[0].Cookie != a || lost[1].Caller != "b" || lost[1].Cookie != b {
		t.Errorf("%+v", lost)
	}
	if err := s.ReleaseMode(ctx, "a", a); !errors.Is(err, report.ErrUnknownCookie) {
		t.Error(err)
	}
	s.mode("One")

	a, b = hold("a", "Two"), hold("a", "Three")
	s.write(strings.ReplaceAll(asked, `name = "Two"`, `name = "Zwei"`))
	if _, err := s.Reload(ctx, "call"); err != nil {
		t.Fatal(err)
	}
	if lost := s.events(drain, report.ModeHoldReleased); len(lost) != 1 || lost[0].Cookie != a {
		t.Errorf("%+v", lost)
	}
	s.mode("Three")
	must(t, s.ReleaseMode(ctx, "a", b))
	if lost := s.events(drain, report.ModeHoldReleased); len(lost) != 0 {
		t.Errorf("%+v", lost)
	}
}

func TestCallersEnd(t *testing.T) {
	s, ctx := ask(t), t.Context()
	for _, caller := range []string{"a", "b"} {
		_, err := s.HoldMode(ctx, caller, map[string]string{"a": "Two", "b": "Three"}[caller], "", "")
		must(t, err)
		_, err = s.Inhibit(ctx, caller, report.Inhibitor{Who: caller, Why: "a film"})
		must(t, err)
	}
	s.mode("Three")
	if got := s.Status().Inhibitors; len(got) != 2 || got[1] != (report.Inhibitor{Who: "b", Why: "a film"}) {
		t.Errorf("%+v", got)
	}
	must(t, s.Gone(ctx, "b"))
	s.mode("Two")
	if err := s.Trigger(ctx, "on"); !errors.Is(err, report.ErrPaused) {
		t.Errorf("a still asks for quiet: %v", err)
	}
	must(t, s.Gone(ctx, "a"))
	s.mode("One")
	must(t, s.Trigger(ctx, "on"))
	if got := s.Status().Inhibitors; len(got) != 0 {
		t.Errorf("%+v", got)
	}
	must(t, s.Gone(ctx, "nobody"))
}

// Whoever asks for quiet lets go of what is held, once, and the last to speak opens the gate.
func TestInhibit(t *testing.T) {
	s := prepare(t, nil).run()
	s.await("running", running)
	ctx, id := t.Context(), <-s.pad.id
	s.press(id)
	first, err := s.Inhibit(ctx, "a", report.Inhibitor{Who: "player"})
	must(t, err)
	if k := <-s.keys.did; k != effect.KeyUp {
		t.Errorf("did %d", k)
	}
	second, err := s.Inhibit(ctx, "a", report.Inhibitor{Who: "player"})
	must(t, err)
	must(t, s.Uninhibit(ctx, "a", first))
	s.play(id, 1)
	if why, err := s.Why(ctx, 1); err != nil || why[0].Reason != "inhibited" {
		t.Errorf("%+v, %v", why, err)
	}
	for caller, cookie := range map[string]uint32{"a": first, "b": second} {
		if err := s.Uninhibit(ctx, caller, cookie); !errors.Is(err, report.ErrUnknownCookie) {
			t.Errorf("%s, %d: %v", caller, cookie, err)
		}
	}
	must(t, s.Uninhibit(ctx, "a", second))
	s.pad.deliver(engine.Input{At: s.options.Clock(), Port: id, Message: engine.Message{Kind: engine.NoteOff, Number: 1}})
	s.press(id)
}

func TestCookiesAreBounded(t *testing.T) {
	s, ctx := ask(t), t.Context()
	take := func(caller string, i int) error {
		if i%2 == 0 {
			_, err := s.HoldMode(ctx, caller, "Two", "", "")
			return err
		}
		_, err := s.Inhibit(ctx, caller, report.Inhibitor{})
		return err
	}
	for i := range 33 {
		if err := take("a", i); (err != nil) != (i == 32) || err != nil && !errors.Is(err, report.ErrTooMany) {
			t.Fatalf("cookie %d: %v", i+1, err)
		}
	}
	for i := 32; i < 1025; i++ {
		if err := take(fmt.Sprint(i/32), i); (err != nil) != (i == 1024) || err != nil && !errors.Is(err, report.ErrTooMany) {
			t.Fatalf("cookie %d: %v", i+1, err)
		}
	}
}

func TestReportedFocus(t *testing.T) {
	s, ctx := ask(t), t.Context()
	must(t, s.ReportFocus(ctx, "shell", "GIMP"))
	s.mode("Three")
	must(t, s.Gone(ctx, "other"))
	s.mode("Three")
	must(t, s.Gone(ctx, "shell"))
	s.mode("One")
	must(t, s.SetFocus(ctx, "", true)) // who can see for himself is not told
	must(t, s.ReportFocus(ctx, "shell", "gimp"))
	s.mode("One")
	must(t, s.SetFocus(ctx, "", false))
	s.mode("Three")
}

func TestWatch(t *testing.T) {
	s, ctx := ask(t), t.Context()
	id := <-s.pad.id
	seen, dropped, cancel, err := s.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(m engine.Message) {
		s.pad.deliver(engine.Input{At: s.options.Clock(), Port: id, Message: m})
	}
	deliver(engine.Message{Kind: engine.NoteOn, Channel: 9, Number: 1, Value: 100})
	deliver(engine.Message{Kind: engine.PitchBend, Channel: 2, Value: 16383})
	deliver(engine.Message{Kind: engine.Continue})
	for _, want := range []report.Seen{
		{Device: "any", Status: 0x99, Data1: 1, Value: 100, Mapping: "on"}, {Device: "any", Status: 0xE2, Value: 16383}, {Device: "any", Status: 0xFB},
	} {
		got := <-seen
		if age := time.Since(got.Time); age < 0 || age > time.Minute {
			t.Errorf("it came %v ago", age)
		}
		if got.At, got.Time = 0, (time.Time{}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	const flood = 3000
	for range flood {
		deliver(engine.Message{Kind: engine.ControlChange, Number: 1})
	}
	stats, err := s.Stats(ctx) // it is stepped before
	if n := dropped(); err != nil || stats.Received != flood+3 || n+uint64(len(seen)) != flood || n == 0 {
		t.Errorf("%d received, %d dropped, %d wait, %v", stats.Received, n, len(seen), err)
	}
	cancel()
	deliver(engine.Message{Kind: engine.Stop})
	must(t, s.ResetStats(ctx))
	if stats, err := s.Stats(ctx); err != nil || stats != (report.Stats{}) || dropped() != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestListing(t *testing.T) {
	s, ctx := ask(t), t.Context()
	modes := s.ListModes()
	if len(modes) != 3 || !modes[0].Active || !modes[0].Base || modes[1].Active || modes[2].Apps[0] != "gimp" {
		t.Errorf("%+v", modes)
	}
	ids := func(f report.MappingFilter) string {
		t.Helper()
		all, err := s.Mappings(ctx, f)
		must(t, err)
		var out []string
		for _, m := range all {
			out = append(out, m.ID)
		}
		return strings.Join(out, " ")
	}
	word := func(s string) *string { return &s }
	yes, no := true, false
	for want, f := range map[string]report.MappingFilter{
		"on off toggle seldom world": {},
		"off":                        {Enabled: &no},
		"toggle seldom world":        {Enabled: &yes, Text: "L"},
		"seldom":                     {Action: word("Shell"), Mode: word("")},
		"":                           {Mode: word("One")},
		"world":                      {Trigger: word("Note"), Text: "F-1"},
	} {
		if got := ids(f); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	for _, x := range []struct {
		f    report.MappingFilter
		want error
	}{{report.MappingFilter{Mode: word("Four")}, report.ErrUnknownMode}, {report.MappingFilter{Device: word("X")}, report.ErrUnknownDevice}} {
		if _, err := s.Mappings(ctx, x.f); !errors.Is(err, x.want) {
			t.Error(err)
		}
	}
	if _, err := s.Mapping(ctx, "none"); !errors.Is(err, report.ErrUnknownMapping) {
		t.Error(err)
	}
	must(t, s.SetEnabled(ctx, "off", true))
	m, err := s.Mapping(ctx, "off")
	if err != nil || !m.Enabled || m.Trigger != "Note" || m.TriggerFields["note"] != 2 || m.ActionFields["name"] != "off" {
		t.Errorf("%+v, %v", m, err)
	}
}

// What a mapping types and runs is nobody's business, whoever asks.
func TestListingTellsNoSecrets(t *testing.T) {
	const secret = "hunter2"
	s := prepare(t, nil)
	s.write(`
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Text", text = "hunter2" }
[[global_mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "Shell", command = "curl -u hunter2 https://example.org" }
[[global_mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "Launch", app = "/opt/hunter2/program", args = ["hunter2"] }
[[global_mappings]]
trigger = { type = "Note", note = 4 }
action = { type = "Open", target = "https://me:hunter2@example.org/a?hunter2" }
[[global_mappings]]
trigger = { type = "Note", note = 5 }
action = { type = "Sequence", actions = [ { type = "Text", text = "hunter2" } ] }
`)
	s.run()
	s.await("running", running)
	all, err := s.Mappings(t.Context(), report.MappingFilter{})
	if text := fmt.Sprintf("%+v", all); err != nil || len(all) != 5 || strings.Contains(text, secret) {
		t.Errorf("%s, %v", text, err)
	}
	for i, want := range []string{"7 characters", "curl", "program", "https://example.org/a", "1 steps"} {
		if got := all[i].ActionText; !strings.Contains(got, want) {
			t.Errorf("%s: %q", all[i].Action, got)
		}
	}
}

func TestSend(t *testing.T) {
	s := prepare(t, func(s *stage) {
		s.write(`
[[devices]]
name = "Pad"
match = "name:Pad"
[[devices]]
name = "Gone"
match = "name:Gone"
[[global_mappings]]
trigger = { type = "Note", note = 36, channel = 9, device = "Pad" }
action = { type = "Emit", name = "x", value = 1 }
`)
	}).run()
	s.await("connected", func(st *report.Status) bool { return len(st.ConnectedDevices()) == 1 })
	ctx := t.Context()
	<-s.pad.id
	must(t, s.Send(ctx, "Pad", []byte{0x90, 36, 127, 0xF8}))
	if got := fmt.Sprintf("% x", <-s.pad.sent); got != "90 24 7f f8" {
		t.Error(got)
	}
	must(t, s.Identify(ctx, "Pad"))
	for range 3 {
		if got := fmt.Sprintf("% x, % x", <-s.pad.sent, <-s.pad.sent); got != "99 24 7f, 89 24 00" {
			t.Error(got)
		}
	}
	for _, x := range []struct {
		id   string
		midi []byte
		want error
	}{
		{"Gone", []byte{0xFA}, report.ErrDeviceAbsent},
		{"None", []byte{0xFA}, report.ErrUnknownDevice},
		{"Pad", nil, report.ErrInvalid},
		{"Pad", []byte{0x90, 1}, report.ErrInvalid},
		{"Pad", []byte{1, 2}, report.ErrInvalid},
		{"Pad", []byte{0x90, 1, 0x80}, report.ErrInvalid},
		{"Pad", []byte{0xF0, 1, 2}, report.ErrInvalid},
		{"Pad", []byte{0xF0, 1, 0xF8, 0xF7}, report.ErrInvalid},
		{"Pad", []byte{0xF7}, report.ErrInvalid},
		{"Pad", []byte{0xF4}, report.ErrInvalid},
		{"Pad", make([]byte, 1025), report.ErrTooMany},
	} {
		if err := s.Send(ctx, x.id, x.midi); !errors.Is(err, x.want) {
			t.Errorf("%s % x: %v, want %v", x.id, x.midi, err, x.want)
		}
	}
	for _, midi := range [][]byte{{0xF0, 0xF7}, {0xC0, 1, 0xD0, 2, 0xE0, 0, 64}, {0xF2, 1, 1, 0xF3, 1, 0xF6}, append(append([]byte{0xF0}, make([]byte, 1022)...), 0xF7)} {
		must(t, s.Send(ctx, "Pad", midi))
	}
	for id, want := range map[string]error{"Gone": report.ErrNotSupported, "None": report.ErrUnknownDevice} {
		if err := s.Identify(ctx, id); !errors.Is(err, want) { // no note is mapped on it
			t.Errorf("%s: %v", id, err)
		}
	}
	for id, want := range map[string]error{"Gone": report.ErrDeviceAbsent, "None": report.ErrUnknownDevice, "Pad": nil} {
		if err := s.Reconnect(ctx, id); !errors.Is(err, want) {
			t.Errorf("%s: %v", id, err)
		}
	}
	must(t, s.SetDeviceEnabled(ctx, "Pad", false))
	if err := s.Reconnect(ctx, "Pad"); !errors.Is(err, report.ErrNotSupported) {
		t.Error(err)
	}
}

// Trigger says so when nothing is there that could perform it.
func TestTriggerWithoutBackend(t *testing.T) {
	s := prepare(t, func(s *stage) { s.options.Backends = nil }).run()
	s.await("started", func(st *report.Status) bool { return st.State != report.Starting })
	if err := s.Trigger(t.Context(), "held"); !errors.Is(err, report.ErrActionFailed) || !strings.Contains(err.Error(), "keys-unavailable") {
		t.Error(err)
	}
}

// A text that a caller sends opens no file, whatever it includes.
func TestValidateFollowsNoInclude(t *testing.T) {
	s := ask(t)
	ok, found, err := s.Validate(t.Context(), "include = [\"/etc/shadow\"]\n")
	if err != nil || !ok || len(found) != 1 || found[0].Code != "include-not-followed" || found[0].Severity != report.Warn {
		t.Errorf("%v, %+v, %v", ok, found, err)
	}
}
