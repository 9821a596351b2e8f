package ports_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/ports"
)

// driver is a fake in which ports can be plugged and unplugged.
type driver struct {
	name  string
	again chan struct{} // lets Await return

	mu      sync.Mutex
	refuse  error // what Open says
	session *session
	paths   []string
}

func newDriver(name string) *driver { return &driver{name: name, again: make(chan struct{}, 1)} }

func (d *driver) Name() string { return d.name }

func (d *driver) Open(deliver func(engine.Input)) (ports.Session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return nil, d.refuse
	}
	s := &session{
		deliver: deliver, changed: make(chan struct{}, 1), done: make(chan struct{}),
		ids: map[uint32]engine.Port{}, busy: map[uint32]error{},
	}
	if d.session != nil {
		s.ports = d.session.ports
	}
	d.session = s
	return s, nil
}

func (d *driver) Await(ctx context.Context) error {
	select {
	case <-d.again:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *driver) SetPaths(paths []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paths = paths
}

func (d *driver) open() *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session
}

type session struct {
	deliver func(engine.Input)
	changed chan struct{}
	done    chan struct{}

	mu     sync.Mutex
	ports  []report.Port
	ids    map[uint32]engine.Port
	busy   map[uint32]error
	sent   []string
	closed bool
	listed int // how often
}

func (s *session) Ports() ([]report.Port, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed++
	return slices.Clone(s.ports), nil
}

func (s *session) Changed() <-chan struct{} { return s.changed }

func (s *session) Listen(p report.Port, id engine.Port) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.busy[p.Addr]; err != nil {
		return err
	}
	if !slices.Contains(s.ports, p) {
		return report.ErrDeviceAbsent
	}
	for addr, other := range s.ids {
		if other == id || addr == p.Addr {
			return fmt.Errorf("port %d or id %d is in use", addr, other)
		}
	}
	s.ids[p.Addr] = id
	return nil
}

func (s *session) Ignore(id engine.Port) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for addr, other := range s.ids {
		if other == id {
			delete(s.ids, addr)
		}
	}
	return nil
}

func (s *session) Send(p report.Port, midi []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.busy[p.Addr]; err != nil {
		return err
	}
	s.sent = append(s.sent, fmt.Sprintf("%d % X", p.Addr, midi))
	return nil
}

func (s *session) Done() <-chan struct{} { return s.done }
func (s *session) Err() error            { return errors.New("the kernel is tired") }

func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	return nil
}

func (s *session) ping() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *session) plug(all ...report.Port) {
	s.mu.Lock()
	s.ports = append(s.ports, all...)
	s.mu.Unlock()
	s.ping()
}

// unplug takes a port away, as the kernel does: what listens gets its PortLost.
func (s *session) unplug(addr uint32) {
	s.mu.Lock()
	s.ports = slices.DeleteFunc(s.ports, func(p report.Port) bool { return p.Addr == addr })
	id, listened := s.ids[addr]
	delete(s.ids, addr)
	s.mu.Unlock()
	if listened {
		s.deliver(engine.Input{Port: id, Message: engine.Message{Kind: engine.PortLost}})
	}
	s.ping()
}

// play sends a note of a port; false if nobody listens.
func (s *session) play(addr uint32) bool {
	s.mu.Lock()
	id, ok := s.ids[addr]
	s.mu.Unlock()
	if ok {
		s.deliver(engine.Input{Port: id, Message: engine.Message{Kind: engine.NoteOn, Number: 1, Value: 1}})
	}
	return ok
}

// owner is a loop that does everything at once.
type owner struct {
	mu     sync.Mutex
	engine *engine.Engine
	acts   []string
	lost   int
}

func (o *owner) Deliver(in engine.Input) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if in.Kind == engine.PortLost {
		o.lost++
	}
	for _, x := range o.engine.Step(&in, nil) {
		if x.Kind == effect.Act {
			o.acts = append(o.acts, x.Origin.ID)
		}
	}
}

func (o *owner) Do(_ context.Context, change func(*engine.Engine, time.Duration, []effect.Effect) []effect.Effect) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o.engine, 0, nil)
	return nil
}

func (o *owner) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	got := strings.Join(o.acts, ",")
	o.acts = nil
	return got
}

// stage is a running supervisor.
type stage struct {
	*ports.Supervisor
	t     *testing.T
	owner *owner
	mu    sync.Mutex
	seen  *ports.View
}

func compile(t *testing.T, text string) *engine.Program {
	t.Helper()
	p, problems := config.Load("test.toml", []byte(text))
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

func start(t *testing.T, text string, drivers ...*driver) *stage {
	t.Helper()
	p := compile(t, text)
	s := &stage{t: t, owner: &owner{engine: engine.New(p)}}
	c := ports.Config{
		Loop: s.owner, Program: p, Now: func() time.Duration { return 0 }, Log: slog.New(slog.DiscardHandler),
		Publish: func(v *ports.View) { s.mu.Lock(); defer s.mu.Unlock(); s.seen = v },
	}
	for _, d := range drivers {
		c.Drivers = append(c.Drivers, d)
	}
	s.Supervisor = ports.New(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	synctest.Wait()
	return s
}

// devices is how things stand, one word each.
func (s *stage) devices(want string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, d := range s.seen.Devices() {
		out = append(out, fmt.Sprintf("%s=%s", d.ID, d.State))
	}
	if got := strings.Join(out, " "); got != want {
		s.t.Errorf("devices %s\n   want %s", got, want)
	}
}

func (s *stage) problems(want ...string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for _, c := range s.seen.Checks {
		got = append(got, c.Name)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("problems %q, want %q", got, want)
	}
}

// says wants what the first problem says, and what mends it.
func (s *stage) says(message, fix string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.seen.Checks[0]; c.Message != message || c.Fix != fix {
		s.t.Errorf("%q, fix %q; want %q, fix %q", c.Message, c.Fix, message, fix)
	}
}

// fix wants the command that mends the first problem.
func (s *stage) fix(want string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.seen.Checks[0].Fix; got != want {
		s.t.Errorf("fix %q, want %q", got, want)
	}
}

func (s *stage) device(id string) report.Device {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.seen.Devices() {
		if d.ID == id {
			return d
		}
	}
	s.t.Fatalf("no device %s", id)
	return report.Device{}
}

func usb(addr uint32, name, id, serial, path string) report.Port {
	return report.Port{Addr: addr, Client: name, Name: name + " MIDI 1", In: true, Out: true, Hard: true, USB: id, Serial: serial, Path: path}
}

const (
	lpd8 = `
[[devices]]
name = "LPD8"
match = "usb:09e8:0075"
[[global_mappings]]
name = "pad"
trigger = { type = "Note", note = 1, device = "LPD8" }
action = { type = "Keystroke", keys = "a" }
`
	legacy = `
[device]
name = "LPD"
`
)

func TestPlugAndUnplug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		s := start(t, lpd8, d)
		s.devices("LPD8=absent")
		s.problems("device-absent:LPD8")
		d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"), usb(2, "Other", "1:2", "", "1-2"))
		s.devices("LPD8=connected usb:1:2 path:1-2=ignored")
		s.problems()
		if !d.open().play(1) || d.open().play(2) {
			t.Error("the wrong ports are listened to")
		}
		if got := s.owner.take(); got != "pad" {
			t.Errorf("acted: %q", got)
		}
		if dev := s.device("LPD8"); dev.Events != 1 || dev.LastEvent.IsZero() || dev.Serial != "A" || len(dev.Ports) != 1 {
			t.Errorf("%+v", dev)
		}
		d.open().unplug(1)
		s.devices("LPD8=absent usb:1:2 path:1-2=ignored")
		if dev := s.device("LPD8"); dev.USB != "09e8:0075" || dev.Events != 1 {
			t.Errorf("forgotten: %+v", dev)
		}
		d.open().plug(usb(7, "LPD8", "09e8:0075", "A", "1-3"))
		d.open().play(7)
		s.devices("LPD8=connected usb:1:2 path:1-2=ignored")
	})
}

func TestMatching(t *testing.T) {
	two := []report.Port{usb(1, "Pad", "1111:2222", "A", "1-1"), usb(2, "Pad", "1111:2222", "B", "1-2")}
	twins := []report.Port{usb(1, "Pad", "1111:2222", "", "1-1"), usb(2, "Pad", "1111:2222", "", "1-2")}
	soft := report.Port{Addr: 3, Client: "Synth", Name: "a/b out", In: true}
	out := report.Port{Addr: 4, Client: "Lamp", Name: "Lamp", Out: true, Hard: true}
	devices := func(match string) string { return "[[devices]]\nname = \"X\"\nmatch = " + match + "\n" }
	for _, c := range []struct {
		name, text string
		ports      []report.Port
		want       string
	}{
		{"serial", devices(`"serial:B"`), two, "X=connected usb:1111:2222:A=ignored"},
		{"joined", devices(`"usb:1111:2222 path:1-1"`), two, "X=connected usb:1111:2222:B=ignored"},
		{"the first alternative that fits decides", devices(`["serial:Z", "path:1-2", "usb:1111:2222"]`), two, "X=connected usb:1111:2222:A=ignored"},
		{"two fit", devices(`["usb:1111:2222", "path:1-2"]`), two, "X=error usb:1111:2222:A=error usb:1111:2222:B=error"},
		{"two without serial fit", devices(`"name:Pad"`), twins, "X=error usb:1111:2222 path:1-1=error usb:1111:2222 path:1-2=error"},
		{"a glob", devices(`"name:Pa[d] MIDI ?"`), two[:1], "X=connected"},
		{"a glob passes a slash", devices(`"name:a*out"`), []report.Port{soft}, "X=connected"},
		{"case counts", devices(`"name:pad"`), two[:1], "X=absent usb:1111:2222:A=ignored"},
		{"what only receives is not enough", devices(`"name:Lamp"`), []report.Port{out}, "X=absent name:Lamp=ignored"},
		{"what is taken is not there for the next", devices(`"serial:A"`) + strings.ReplaceAll(devices(`"usb:1111:2222"`), "X", "Y"), two, "X=connected Y=connected"},
		{"optional", devices(`"serial:Q"`) + "optional = true\n", nil, "X=absent"},
		{"disabled", devices(`"serial:A"`) + "enabled = false\n", two[:1], "X=ignored usb:1111:2222:A=ignored"},
		{"legacy", legacy, []report.Port{usb(1, "My LPD8", "09e8:0075", "", "1-1")}, "LPD=connected"},
		{"any", "", append(slices.Clone(twins), soft), "any=connected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDriver("seq")
				s := start(t, c.text, d)
				d.open().plug(c.ports...)
				s.devices(c.want)
			})
		})
	}
}

func TestClashNamesTheStanzas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		s := start(t, lpd8, d)
		d.open().plug(usb(1, "LPD8", "09e8:0075", "", "1-1"), usb(2, "LPD8", "09e8:0075", "", "1-2"))
		s.problems("device-error:LPD8")
		s.fix("midimonctl devices --verbose")
		if e := s.device("LPD8").Error; e != `2 instruments fit; write match = "usb:09e8:0075 path:1-1" or match = "usb:09e8:0075 path:1-2"` {
			t.Error(e)
		}
		if e := s.device("usb:09e8:0075 path:1-2").Error; e != `write match = "usb:09e8:0075 path:1-2"` {
			t.Error(e)
		}
		if d.open().play(1) || d.open().play(2) {
			t.Error("one of two was opened")
		}
		d.open().unplug(1)
		s.devices("LPD8=connected")
	})
}

func TestOptionalAndSettledProblems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, lpd8[:strings.Index(lpd8, "[[global")]+"optional = true", newDriver("seq"))
		s.devices("LPD8=absent")
		s.problems()
	})
}

// relent has a driver that refused be there, in synctest.
func (d *driver) relent() {
	d.mu.Lock()
	d.refuse = nil
	d.mu.Unlock()
	d.again <- struct{}{}
	time.Sleep(time.Second)
}

// TestNoControllerAtAll: who names no device, as the configuration to begin with, is told that there is no
// controller, not that one of a name is missing.
func TestNoControllerAtAll(t *testing.T) {
	starter, err := os.ReadFile("../../engine/config/templates/starter.toml")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		d.refuse = &report.Fault{Check: "alsa", Fix: "sudo modprobe snd-seq", Err: errors.New("no sequencer")}
		s := start(t, string(starter), d, newDriver("raw"))
		s.problems("device-absent:any", "alsa")
		s.says("no MIDI controller can be found: no sequencer", "sudo modprobe snd-seq")
		d.relent()
		s.problems("device-absent:any")
		s.says("no MIDI controller is plugged in", "plug in a MIDI controller")
		synth := usb(2, "Synth", "", "", "")
		synth.Hard = false
		d.open().plug(synth) // a program is none
		s.problems("device-absent:any")
		d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"))
		s.problems()
		d.open().unplug(1)
		s.says("no MIDI controller is plugged in", "plug in a MIDI controller")
	})
}

func TestDriverThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, raw := newDriver("seq"), newDriver("raw")
		d.refuse = &report.Fault{Check: "alsa", Fix: "sudo modprobe snd-seq", Err: errors.New("no sequencer")}
		raw.refuse = errors.New("no inotify") // nothing needs it
		s := start(t, lpd8, d, raw)
		s.problems("device-absent:LPD8", "alsa")
		s.says("the device LPD8 cannot be found: no sequencer", "sudo modprobe snd-seq")
		d.relent()
		s.problems("device-absent:LPD8")
		s.says("the device LPD8 is not plugged in", "midimonctl devices")
		d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"))
		s.devices("LPD8=connected")
		_ = d.open().Close() // it dies under us and comes back
		time.Sleep(time.Second)
		s.devices("LPD8=connected")
		if s.owner.mu.Lock(); s.owner.lost != 1 {
			t.Errorf("%d ports lost", s.owner.lost)
		}
		s.owner.mu.Unlock()
		if !d.open().play(1) || s.owner.take() != "pad" {
			t.Error("the new session is not heard")
		}
	})
}

func TestBusyDeviceIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		s := start(t, lpd8, d)
		d.open().busy[1] = report.ErrDeviceBusy
		d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"))
		s.devices("LPD8=busy")
		s.problems("device-busy:LPD8")
		if err := s.Reconnect(t.Context(), "LPD8"); !errors.Is(err, report.ErrDeviceBusy) {
			t.Errorf("reconnecting what is busy: %v", err)
		}
		delete(d.open().busy, 1)
		d.open().ping()
		s.devices("LPD8=connected")
	})
}

// TestFaultyDeviceIsMendedByReconnect has a port that cannot be opened once.
func TestFaultyDeviceIsMendedByReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		s := start(t, lpd8, d)
		d.open().busy[1] = errors.New("no memory")
		d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"))
		s.devices("LPD8=error")
		s.problems("device-error:LPD8")
		s.fix("midimonctl devices --reconnect LPD8")
		delete(d.open().busy, 1)
		if err := s.Reconnect(t.Context(), "LPD8"); err != nil {
			t.Error(err)
		}
		s.devices("LPD8=connected")
		s.problems()
	})
}

func TestSwapKeepsOpenPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, raw := newDriver("seq"), newDriver("raw")
		s := start(t, lpd8, d, raw)
		d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"), usb(2, "Other", "1111:2222", "B", "1-2"))
		s.devices("LPD8=connected usb:1111:2222:B=ignored")
		id := d.open().ids[1]
		next := compile(t, `
[[devices]]
name = "Other"
match = "serial:B"
[[devices]]
name = "Pipe"
match = "raw:/run/pads"
[[devices]]
name = "Pads"
match = "serial:A"
[[global_mappings]]
name = "pads"
trigger = { type = "Note", note = 1, device = "Pads" }
action = { type = "Keystroke", keys = "a" }
[[global_mappings]]
name = "other"
trigger = { type = "Note", note = 1, device = "Other" }
action = { type = "Keystroke", keys = "b" }
`)
		if err := s.Swap(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		s.devices("Other=connected Pipe=absent Pads=connected")
		if d.open().ids[1] != id || s.owner.lost != 0 {
			t.Error("the open port was closed")
		}
		d.open().play(1)
		d.open().play(2)
		if got := s.owner.take(); got != "pads,other" {
			t.Errorf("acted: %s", got)
		}
		if !slices.Equal(raw.paths, []string{"/run/pads"}) {
			t.Errorf("paths %q", raw.paths)
		}
		listed := d.open().listed
		if err := s.Swap(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		s.devices("Other=connected Pipe=absent Pads=connected")
		if n := d.open().listed - listed; n != 0 {
			t.Errorf("a program with the same paths has the ports listed %d times", n)
		}
		if err := s.Swap(t.Context(), compile(t, lpd8)); err != nil {
			t.Fatal(err)
		}
		s.devices("LPD8=connected usb:1111:2222:B=ignored")
		if d.open().play(2) {
			t.Error("a device that is not wanted any more is listened to")
		}
	})
}

// TestAutoReconnectOff leaves a device alone once it was unplugged, until somebody asks for it.
func TestAutoReconnectOff(t *testing.T) {
	const once = "[device]\nname = \"LPD\"\nauto_reconnect = false\n"
	ask := map[string]func(*stage, context.Context) error{
		"reload":    func(s *stage, ctx context.Context) error { return s.Swap(ctx, compile(t, once)) },
		"reconnect": func(s *stage, ctx context.Context) error { return s.Reconnect(ctx, "LPD") },
		"enabled":   func(s *stage, ctx context.Context) error { return s.SetEnabled(ctx, "LPD", true) },
	}
	for name, asks := range ask {
		synctest.Test(t, func(t *testing.T) {
			d := newDriver("seq")
			s := start(t, once, d)
			s.devices("LPD=absent")
			pad := usb(1, "LPD8", "09e8:0075", "A", "1-1")
			d.open().plug(pad)
			s.devices("LPD=connected")
			d.open().unplug(1)
			s.devices("LPD=ignored")
			d.open().plug(pad)
			s.devices("LPD=ignored usb:09e8:0075:A=ignored")
			s.problems()
			if d.open().play(1) || !strings.Contains(s.device("LPD").Error, "midimonctl reload") {
				t.Errorf("%s: it was taken again: %+v", name, s.device("LPD"))
			}
			if err := asks(s, t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			s.devices("LPD=connected")
			if !d.open().play(1) {
				t.Errorf("%s: it is not heard", name)
			}
			if err := s.ReopenAll(t.Context()); err != nil { // a sleep is not unplugging
				t.Error(err)
			}
			s.devices("LPD=connected")
		})
	}
}

func TestSwitchesAndReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		s := start(t, lpd8, d)
		d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"), usb(2, "Other", "1111:2222", "B", "1-2"))
		s.devices("LPD8=connected usb:1111:2222:B=ignored")
		for id, want := range map[string]error{"nobody": report.ErrUnknownDevice, "usb:1111:2222:B": report.ErrNotSupported} {
			if err := s.SetEnabled(t.Context(), id, true); !errors.Is(err, want) {
				t.Errorf("%s: %v", id, err)
			}
			if err := s.Reconnect(t.Context(), id); !errors.Is(err, want) {
				t.Errorf("%s: %v", id, err)
			}
		}
		if err := s.SetEnabled(t.Context(), "LPD8", false); err != nil {
			t.Fatal(err)
		}
		s.devices("LPD8=ignored usb:09e8:0075:A=ignored usb:1111:2222:B=ignored")
		if s.problems(); d.open().play(1) || s.owner.lost != 1 {
			t.Error("it is still open")
		}
		if err := s.SetEnabled(t.Context(), "LPD8", true); err != nil {
			t.Fatal(err)
		}
		s.devices("LPD8=connected usb:1111:2222:B=ignored")
		if err := s.Reconnect(t.Context(), "LPD8"); err != nil {
			t.Fatal(err)
		}
		s.devices("LPD8=connected usb:1111:2222:B=ignored")
		if s.owner.lost != 2 || !d.open().play(1) {
			t.Errorf("not opened anew: %d lost", s.owner.lost)
		}
	})
}

func TestSendTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		s := start(t, lpd8, d)
		mute := usb(4, "Sensor", "1:4", "", "1-4")
		mute.Out = false
		deaf := usb(3, "Synth deaf", "1:3", "", "1-3")
		deaf.Out = false
		synth := report.Port{Addr: 5, Client: "FLUID Synth (1)", Name: "Synth input port", Out: true}
		d.open().plug(usb(1, "Pad", "09e8:0075", "A", "1-1"), usb(2, "LPD8 II", "1:2", "", "1-2"), deaf, mute, synth)
		for _, c := range []struct {
			name, want string
			err        error
		}{
			{"LPD8", "1 90", nil}, // the configured device, whatever its port is called
			{"lpd8 i", "2 90", nil},
			{"fluid", "5 90", nil}, // software too
			{"input port", "5 90", nil},
			{"Synth", "5 90", nil}, // of two the one that hears
			{"Sensor", "", report.ErrNotSupported},
			{"Nobody", "", report.ErrDeviceAbsent},
		} {
			s.devices("LPD8=connected usb:1:2 path:1-2=ignored usb:1:4 path:1-4=ignored usb:1:3 path:1-3=ignored")
			d.open().sent = nil
			err := s.SendTo(t.Context(), c.name, []byte{0x90})
			if !errors.Is(err, c.err) || err != nil && !strings.HasPrefix(err.Error(), fmt.Sprintf("cannot send to %q: ", c.name)) {
				t.Errorf("%s: %v, want %v", c.name, err, c.err)
			}
			if got := strings.Join(d.open().sent, ", "); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		d.open().unplug(1)
		s.devices("LPD8=absent usb:1:2 path:1-2=ignored usb:1:4 path:1-4=ignored usb:1:3 path:1-3=ignored")
		if err := s.SendTo(t.Context(), "LPD8", []byte{0x90}); !errors.Is(err, report.ErrDeviceAbsent) {
			t.Errorf("%v: another port that is called so is no configured device", err)
		}
	})
}

func TestReplugsLeakNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		s := start(t, lpd8, d)
		tenth := 0
		for i := range 1000 {
			addr := uint32(i % 3) // numbers are used again
			d.open().plug(usb(addr, "LPD8", "09e8:0075", "A", "1-1"))
			synctest.Wait()
			if !d.open().play(addr) {
				t.Fatalf("replug %d is not heard", i)
			}
			d.open().unplug(addr)
			synctest.Wait()
			if i == 10 {
				tenth = runtime.NumGoroutine()
			}
		}
		if n := runtime.NumGoroutine(); n > tenth {
			t.Errorf("%d goroutines, then %d", tenth, n)
		}
		if got := s.device("LPD8").Events; got != 1000 {
			t.Errorf("%d events", got)
		}
		if d.open().play(0) {
			t.Error("heard without being there")
		}
	})
}

// A port that goes and comes under its old number before anybody looks is opened again.
func TestQuickReplug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDriver("seq")
		s := start(t, lpd8, d)
		d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"))
		s.devices("LPD8=connected")
		for range 50 {
			d.open().unplug(1)
			d.open().plug(usb(1, "LPD8", "09e8:0075", "A", "1-1"))
		}
		s.devices("LPD8=connected")
		if !d.open().play(1) {
			t.Error("not heard")
		}
	})
}
