//go:build linux && desktop

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/audio"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/buscall"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/mpris"
	"github.com/amiable-dev/midimon/linux/notify"
	"github.com/amiable-dev/midimon/service"
	"github.com/amiable-dev/midimon/service/loop"
)

const desk = `
global_mappings = [
  { name = "key", trigger = { type = "Note", note = 1 }, action = { type = "Keystroke", keys = "a" } },
  { name = "fader", trigger = { type = "CC", cc = 7 }, action = { type = "VolumeControl", operation = "Set" } },
  { name = "mute", trigger = { type = "Note", note = 2 }, action = { type = "VolumeControl", operation = "Toggle" } },
  { name = "play", trigger = { type = "Note", note = 3 }, action = { type = "Media", operation = "PlayPause" } },
  { name = "note", trigger = { type = "Note", note = 4 }, action = { type = "Notify", summary = "hello", body = "from a pad", slot = "pad", timeout_ms = 600000 } },
  { name = "call", trigger = { type = "Note", note = 5 }, action = { type = "DBusCall", destination = "org.example.Hung", path = "/", interface = "org.example.Hung", method = "Go" } },
]
`

// typist is a keyboard that tells when keys go down.
type typist struct{ down chan time.Time }

func (*typist) Name() string                { return "keys" }
func (*typist) Open(context.Context) error  { return nil }
func (*typist) Await(context.Context) error { return nil }
func (*typist) Close() error                { return nil }

func (k *typist) Do(x *effect.Effect) error {
	if x.Kind == effect.KeyDown {
		k.down <- time.Now()
	}
	return nil
}

// silent takes a name on the bus and answers nobody.
func silent(t *testing.T, d *desktoptest.Desktop, name string) {
	t.Helper()
	conn := d.Dial()
	t.Cleanup(func() { conn.Eavesdrop(nil) }) // before it is closed: the library closes its channel, and may yet send on it
	if _, err := conn.RequestName(name, 0); err != nil {
		t.Fatal(err)
	}
	conn.Eavesdrop(make(chan *dbus.Message, 10000)) // where nobody reads
}

// TestNobodyWhoHangsDelaysAKey: the sound server, a player, the notification daemon and whom we
// call have all stopped, and a fader, media keys, notifications and calls go on.
func TestNobodyWhoHangsDelaysAKey(t *testing.T) {
	d := desktoptest.X11(t)
	sound := desktoptest.PulseAudio(d)
	dunst := d.Dunst()
	player := d.Mpv()
	silent(t, d, "org.example.Hung")
	session := bus.Session(d.Getenv)
	t.Cleanup(session.Close)

	p, problems := config.Load("desk.toml", []byte(desk))
	if p == nil {
		t.Fatal(problems)
	}
	keys, seen := &typist{down: make(chan time.Time, 10000)}, &witness{failed: map[string]int{}, ready: map[string]bool{}}
	clock := service.Monotonic()
	l := loop.New(loop.Config{
		Engine: engine.New(p), Now: clock, Observer: seen, Log: slog.New(slog.DiscardHandler),
		Backends: []loop.Backend{keys, audio.New(d.Getenv), mpris.New(session), notify.New(session), buscall.New(session, bus.New(""))},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	if err := l.Do(ctx, func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		e.Attach(0, engine.Any)
		return out
	}); err != nil {
		t.Fatal(err)
	}
	desktoptest.Until(t, "all backends", func() bool { return seen.allReady(5) })

	play := func(m engine.Message) { l.Deliver(engine.Input{At: clock(), Message: m}) }
	tap := func(note uint8) {
		play(engine.Message{Kind: engine.NoteOn, Number: note, Value: 100})
		play(engine.Message{Kind: engine.NoteOff, Number: note})
	}
	measure := func(name string, length time.Duration) (took []time.Duration) {
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for i, began := 0, time.Now(); time.Since(began) < length; i++ {
			<-pace.C
			play(engine.Message{Kind: engine.ControlChange, Number: 7, Value: uint16(i % 128)})
			if i%100 == 50 {
				for note := uint8(2); note <= 5; note++ {
					tap(note)
				}
			}
			if i%20 == 0 {
				from := time.Now()
				tap(1)
				select {
				case at := <-keys.down:
					took = append(took, at.Sub(from))
				case <-time.After(desktoptest.Limit):
					t.Fatal("the key does not come")
				}
			}
		}
		slices.Sort(took)
		t.Logf("%-16s %d keys: p50 %v, p99 %v, worst %v", name, len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
		return took
	}
	measure("all well", 2*time.Second)
	for _, program := range []*desktoptest.Program{sound.Server(), dunst, player} {
		program.Signal(syscall.SIGSTOP)
	}
	hung := measure("all hang", 4*time.Second)
	if half := hung[len(hung)/2]; half > 900*time.Millisecond { // each of them takes a second and more; a busy machine delays some
		t.Errorf("half of the keys took %v and more", half)
	}
	seen.mu.Lock()
	t.Logf("failed meanwhile: %v", seen.failed)
	for _, mapping := range []string{"fader", "play", "note"} { // who is called may take longer than that
		if seen.failed[mapping] == 0 {
			t.Errorf("%s did not fail: nothing hung", mapping)
		}
	}
	seen.mu.Unlock()
	for _, program := range []*desktoptest.Program{sound.Server(), dunst, player} {
		program.Signal(syscall.SIGCONT)
	}
	// And all of it works again.
	desktoptest.Until(t, "the sound server", func() bool {
		play(engine.Message{Kind: engine.ControlChange, Number: 7, Value: 127})
		play(engine.Message{Kind: engine.ControlChange, Number: 7, Value: 0})
		return strings.Contains(d.Output("pactl", "get-sink-volume", "one"), " 0%")
	})
}

// TestPadsPerform: what a pad does reaches the desktop, through the whole daemon.
func TestPadsPerform(t *testing.T) {
	d := desktoptest.X11(t)
	sound := desktoptest.PulseAudio(d)
	d.Dunst()
	player := d.Mpv()
	calls := make(chan *dbus.Message, 100)
	conn := d.Dial()
	t.Cleanup(func() { conn.Eavesdrop(nil) }) // before it is closed: the library closes its channel, and may yet send on it
	if _, err := conn.RequestName("org.example.Hung", 0); err != nil {
		t.Fatal(err)
	}
	conn.Eavesdrop(calls)
	pads := d.Dir + "/pads"
	if err := syscall.Mkfifo(pads, 0o600); err != nil {
		t.Fatal(err)
	}
	file := d.Write("desk.toml", desk+"[[devices]]\nname = \"pads\"\nmatch = \"raw:"+pads+"\"\n")
	daemon := d.Start("midimon", "--config", file)
	daemon.Wait("ready")
	play := func(midi ...byte) {
		t.Helper()
		f, err := os.OpenFile(pads, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close() //nolint:errcheck // written
		if _, err := f.Write(midi); err != nil {
			t.Fatal(err)
		}
	}
	tap := func(note byte) { t.Helper(); play(0x90, note, 100, 0x80, note, 64) }
	desktoptest.Until(t, "a volume", func() bool {
		play(0xb0, 7, 0)
		play(0xb0, 7, 64)
		return sound.Volume(t, "sink", "one") == "50% 50%"
	})
	tap(2)
	desktoptest.Until(t, "silence", func() bool { return strings.Contains(d.Output("pactl", "get-sink-mute", "one"), "yes") })
	tap(3)
	desktoptest.Until(t, "a pause", func() bool { return strings.Contains(d.Output("playerctl", "status"), "Paused") })
	tap(4)
	desktoptest.Until(t, "a notification", func() bool { return strings.TrimSpace(d.Output("dunstctl", "count", "displayed")) == "1" })
	tap(5)
	for {
		select {
		case m := <-calls:
			member := fmt.Sprint(m.Headers[dbus.FieldMember].Value())
			if m.Type == dbus.TypeMethodCall && member == "Introspect" { // who does not describe itself
				_ = conn.Send(&dbus.Message{Type: dbus.TypeError, Headers: map[dbus.HeaderField]dbus.Variant{
					dbus.FieldReplySerial: dbus.MakeVariant(m.Serial()), dbus.FieldDestination: m.Headers[dbus.FieldSender],
					dbus.FieldErrorName: dbus.MakeVariant("org.freedesktop.DBus.Error.UnknownMethod"),
				}}, nil)
			}
			if member == "Go" {
				player.Kill()
				return
			}
		case <-time.After(desktoptest.Limit):
			t.Fatal("no call comes")
		}
	}
}
