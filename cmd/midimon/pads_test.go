//go:build linux && desktop

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

const typing = `
global_mappings = [
  { trigger = { type = "Note", note = 1 }, action = { type = "Text", text = "Zażółć ß €–漢\n" } },
  { trigger = { type = "Note", note = 2 }, action = { type = "Keystroke", keys = "t", modifiers = ["ctrl", "shift"], hold = true } },
  { trigger = { type = "Note", note = 3 }, action = { type = "MouseMove", x = 500, y = 400, absolute = true } },
  { trigger = { type = "Note", note = 4 }, action = { type = "MouseMove", x = -40, y = 30 } },
  { trigger = { type = "Note", note = 5 }, action = { type = "MouseClick", button = "right" } },
  { trigger = { type = "Note", note = 6 }, action = { type = "MouseClick", x = 520, y = 410, hold = true } },
  { trigger = { type = "EncoderTurn", cc = 20, encoding = "twos-complement" }, action = { type = "Scroll", y = 1 } },
]
`

// pads start the daemon on a desktop, as its user, with pads that the result plays.
func pads(t *testing.T, d *desktoptest.Desktop, mappings, backend string) (play func(midi ...byte)) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := d.Dir + "/pads"
	d.Output("mkfifo", "-m", "600", path)
	file := d.Write("pads.toml", mappings+"[input]\nbackend = \""+backend+"\"\n[[devices]]\nname = \"pads\"\nmatch = \"raw:"+path+"\"\n")
	daemon := d.Start(d.Copy(exe, "midimon"), "--config", file)
	desktoptest.Until(t, "the daemon and its keys", func() bool {
		said := daemon.Said()
		return strings.Contains(said, "ready") && strings.Contains(said, "keys, text, mouse by "+backend)
	})
	return func(midi ...byte) {
		t.Helper()
		var f *os.File
		desktoptest.Until(t, "who reads the pads", func() bool {
			f, err = os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
			return err == nil
		})
		defer f.Close() //nolint:errcheck // written
		if _, err := f.Write(midi); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPadsTypeAndPoint: what pads press, type and do with the mouse is seen by a window, through the whole
// daemon.
func TestPadsTypeAndPoint(t *testing.T) {
	const written = "Zażółć ß €–漢"
	tap := func(note byte) []byte { return []byte{0x90, note, 100, 0x80, note, 64} }
	t.Run("X11", func(t *testing.T) {
		d := desktoptest.X11(t)
		play := pads(t, d, typing, "xtest")
		xev := d.Start("stdbuf", "-oL", "xev", "-event", "keyboard", "-event", "mouse", "-geometry", "600x500+100+100")
		d.Front("Event Tester")
		play(0x90, 2, 100)
		xev.Wait("keysym 0x54, T")
		play(0x80, 2, 0)
		xev.Wait("KeyRelease")
		for _, step := range []struct {
			midi []byte
			see  [][]string
		}{
			{tap(3), [][]string{{"root:(500,400)"}}},
			{tap(4), [][]string{{"root:(460,430)"}}},
			{tap(5), [][]string{{"ButtonPress"}, {"root:(460,430)"}, {"button 3,"}, {"ButtonRelease"}, {"button 3,"}}},
			{[]byte{0x90, 6, 100}, [][]string{{"ButtonPress"}, {"root:(520,410)"}, {"button 1,"}}},
			{[]byte{0x80, 6, 0}, [][]string{{"ButtonRelease"}, {"root:(520,410)"}, {"button 1,"}}},
			{[]byte{0xb0, 20, 1}, [][]string{{"ButtonPress"}, {"button 5,"}, {"ButtonRelease"}, {"button 5,"}}},
			{[]byte{0xb0, 20, 127}, [][]string{{"ButtonPress"}, {"button 4,"}}},
		} {
			play(step.midi...)
			for _, words := range step.see {
				xev.Wait(words...)
			}
		}
		term := d.Terminal("text")
		play(tap(1)...)
		if got := term.Line(); got != written {
			t.Errorf("typed %q, want %q", got, written)
		}
	})
	t.Run("sway", func(t *testing.T) {
		d := desktoptest.Sway(t, "input type:keyboard xkb_layout de")
		play := pads(t, d, typing, "wayland")
		wev := d.Start("stdbuf", "-oL", "wev")
		d.Front("wev")
		play(0x90, 2, 100)
		wev.Wait("sym: T ")
		play(0x80, 2, 0)
		wev.Wait("state: 0 (released)")
		play(tap(3)...)
		wev.Wait("wl_pointer] motion: time")
		for _, step := range []struct {
			midi []byte
			see  []string
		}{
			{tap(4), []string{"wl_pointer] motion: time"}},
			{tap(5), []string{"button: 273 (right), state: 1 (pressed)", "button: 273 (right), state: 0 (released)"}},
			{[]byte{0x90, 6, 100}, []string{"wl_pointer] motion: time", "button: 272 (left), state: 1 (pressed)"}},
			{[]byte{0x80, 6, 0}, []string{"button: 272 (left), state: 0 (released)"}},
			{[]byte{0xb0, 20, 1}, []string{"axis: 0 (vertical), value: 15"}},
			{[]byte{0xb0, 20, 127}, []string{"axis: 0 (vertical), value: -15"}},
		} {
			play(step.midi...)
			for _, words := range step.see {
				wev.Wait(words)
			}
		}
		term := d.Terminal("text")
		play(tap(1)...)
		if got := term.Line(); got != written {
			t.Errorf("typed %q, want %q", got, written)
		}
	})
}
