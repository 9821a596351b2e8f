//go:build linux && vm

package vm

import (
	"testing"
	"time"
)

const chord = "+LEFTCTRL +LEFTSHIFT +T -T -LEFTSHIFT -LEFTCTRL"

func TestPadPressesItsKeys(t *testing.T) {
	b, c, k := ready(t)

	c.play(t, noteOn(36, 100)...)
	k.expect(t, chord)
	c.play(t, noteOff(36)...)
	c.tap(t, 36, 20)
	k.expect(t, "+S -S")

	t.Run("long press fires while held", func(t *testing.T) {
		c.play(t, noteOn(37, 100)...)
		k.expect(t, "+L -L") // no note off was sent
		c.play(t, noteOff(37)...)
	})
	t.Run("controller", func(t *testing.T) {
		c.play(t, control(20, 10)...)
		c.play(t, control(20, 120)...)
		c.play(t, control(20, 127)...) // still in the range: fired once
		k.expect(t, "+C -C")
	})
	t.Run("relative encoder", func(t *testing.T) {
		c.play(t, control(21, 1)...)
		k.expect(t, "+RIGHT -RIGHT")
		c.play(t, control(21, 127)...)
		k.expect(t, "+LEFT -LEFT")
	})
	t.Run("mode change by pad", func(t *testing.T) {
		c.tap(t, 39, 100)
		k.expect(t, "+1 -1")
		c.tap(t, 38, 100)
		b.await(t, "Mode", 20*time.Second, equals("Second"))
		c.tap(t, 39, 100)
		k.expect(t, "+2 -2")
		c.tap(t, 38, 100)
		b.await(t, "Mode", 20*time.Second, equals("Default"))
	})
	k.quiet(t)
}

func TestHeldKeyIsReleasedByItsPad(t *testing.T) {
	_, c, k := ready(t)
	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")
	c.play(t, noteOff(40)...)
	k.expect(t, "-H")
	k.quiet(t)
}

func TestClientShowsWhatIs(t *testing.T) {
	b, _, _ := ready(t)
	out := must(t, "midimonctl", "status")
	for _, want := range []string{"running", "LPD8", "Default"} {
		has(t, out, want)
	}
	has(t, must(t, "midimonctl", "devices"), "LPD8")
	must(t, "midimonctl", "mode", "Second")
	if got, err := b.get("Mode"); err != nil || got != "Second" {
		t.Errorf("Mode is %v, %v", got, err)
	}
	configure(t, configuration+"\n[[modes]]\nname = \"Third\"\n")
	must(t, "systemctl", "--user", "reload", "midimon")
	b.await(t, "Modes", 30*time.Second, contains("Third"))
	has(t, must(t, "midimonctl", "status", "--json"), `"Third"`)
}
