//go:build linux && desktop

package buscall_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// A player takes a 64-bit number, and the value of a property as the property has it, and says
// what is wrong.
func TestPlayerIsCalled(t *testing.T) {
	s := newStage(t)
	s.Mpv()
	player := func(iface, member string, level float64, args ...any) {
		t.Helper()
		if err := s.Do(&effect.Effect{Level: level, Action: &effect.DBusCall{
			Destination: "org.mpris.MediaPlayer2.mpv", Path: "/org/mpris/MediaPlayer2", Interface: iface, Member: member, Args: args,
		}}); err != nil {
			t.Fatal(err)
		}
	}
	const mine = "org.mpris.MediaPlayer2.Player"
	at := func() float64 { // seconds; less than none: nobody knows
		at, err := strconv.ParseFloat(strings.TrimSpace(s.Output("playerctl", "position")), 64)
		if err != nil {
			return -1
		}
		return at
	}
	desktoptest.Until(t, "the first second", func() bool { return at() > 0.1 }) // before that it may not seek
	player(mine, "Pause", 0)
	desktoptest.Until(t, "a pause", func() bool { return strings.TrimSpace(s.Output("playerctl", "status")) == "Paused" })
	player(mine, "Seek", 0, int64(20_000_000))
	desktoptest.Until(t, "20 seconds on", func() bool { return at() >= 15 }) // the file may not let it be exact
	player("org.freedesktop.DBus.Properties", "Set", 0.25, mine, "Volume", &effect.Value{Max: 1})
	desktoptest.Until(t, "its volume at a quarter", func() bool { return strings.HasPrefix(s.Output("playerctl", "volume"), "0.25") })
	player(mine, "Seek", 0, "far")
	s.fails("argument 1: must be a number (type x), not a text")
	player(mine, "Fly", 0)
	s.fails("has no method Fly")
}
