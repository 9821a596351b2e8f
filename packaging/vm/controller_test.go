//go:build linux && vm

package vm

import (
	"os"
	"strings"
	"testing"
)

// controller is a USB MIDI controller, seen from its own side.
type controller struct{ name string }

// plug makes the controller appear; it is unplugged and forgotten when the test ends. The
// machine's gadget keeps its identity for the whole boot, so all tests use the same one.
func plug(t *testing.T) *controller {
	t.Helper()
	if _, err := os.Stat("/sys/kernel/config/usb_gadget/midi0"); err != nil {
		root(t, "usb-midi", "plug", "LPD8", "09e8:0075", "A1")
	} else {
		root(t, "usb-midi", "replug")
	}
	c := &controller{"LPD8"}
	t.Cleanup(func() {
		if udc, _ := os.ReadFile("/sys/kernel/config/usb_gadget/midi0/UDC"); strings.TrimSpace(string(udc)) != "" {
			c.unplug(t)
		}
	})
	return c
}

func (c *controller) unplug(t *testing.T) {
	t.Helper()
	root(t, "usb-midi", "unplug")
}

func (c *controller) replug(t *testing.T) {
	t.Helper()
	root(t, "usb-midi", "replug")
}

// play sends bytes as the controller's hardware would.
func (c *controller) play(t *testing.T, midi ...byte) {
	t.Helper()
	f, err := os.OpenFile(rawmidi(t, "gad0"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // waits until all is sent
	if _, err := f.Write(midi); err != nil {
		t.Fatal(err)
	}
}

// rawmidi is the byte device of a sound card: "gad0", "VirMIDI".
func rawmidi(t *testing.T, card string) string {
	t.Helper()
	link := "/proc/asound/" + card
	number, err := os.Readlink(link)
	if err != nil {
		t.Fatal(err)
	}
	path := "/dev/snd/midiC" + strings.TrimPrefix(number, "card") + "D0"
	waitFor(t, "/dev/snd", path, func() bool { _, err := os.Stat(path); return err == nil })
	return path
}

// What a controller sends (MIDI 1.0, table 1), on channel 0.
func noteOn(note, velocity byte) []byte { return []byte{0x90, note, velocity} }
func noteOff(note byte) []byte          { return []byte{0x80, note, 64} }
func control(number, value byte) []byte { return []byte{0xb0, number, value} }
func (c *controller) tap(t *testing.T, note, velocity byte) {
	t.Helper()
	c.play(t, append(noteOn(note, velocity), noteOff(note)...)...)
}
