//go:build linux && desktop

package desktoptest_test

import (
	"testing"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// Both displays, told by tools that everybody uses: if one of these fails, nothing else that
// needs a desktop says anything.

func TestX11(t *testing.T) {
	d := desktoptest.X11(t)
	term := d.Terminal("one")
	d.Output("xdotool", "type", "hello X11\n")
	if got := term.Line(); got != "hello X11" {
		t.Errorf("xterm got %q", got)
	}
	xev := d.Start("stdbuf", "-oL", "xev", "-event", "keyboard")
	d.Front("Event Tester")
	d.Output("xdotool", "key", "ctrl+shift+t")
	xev.Wait("KeyPress event")
	xev.Wait("keysym 0x54, T")
}

func TestSway(t *testing.T) {
	d := desktoptest.Sway(t, "input type:keyboard xkb_layout de")
	term := d.Terminal("one")
	d.Output("wtype", "-s", "500", "hello Wayland\n") // the seat has no keyboard before
	if got := term.Line(); got != "hello Wayland" {
		t.Errorf("foot got %q", got)
	}
	wev := d.Start("stdbuf", "-oL", "wev", "-f", "wl_keyboard")
	d.Front("wev")
	d.Output("wtype", "-s", "500", "-M", "ctrl", "t")
	wev.Wait("sym: t")
}
