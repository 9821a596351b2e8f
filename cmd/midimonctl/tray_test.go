//go:build linux

package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/amiable-dev/midimon/dbusapi/client"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/tray"
)

// lonely is an icon where there is neither a bus nor a daemon.
func lonely(t *testing.T, out io.Writer) *indicator {
	nothing := func(string) string { return "" }
	a := &app{getenv: nothing, out: out, err: out}
	session := bus.Session(nothing)
	t.Cleanup(session.Close)
	return &indicator{app: a, ctx: t.Context(), bus: session, log: slog.New(slog.NewTextHandler(out, nil)), quit: func() {}, busy: make(chan struct{}, 1)}
}

// menu is a menu as people see it: what cannot be chosen in brackets, what is chosen with a star.
func menu(entries []tray.Entry, indent string) string {
	var b strings.Builder
	for _, e := range entries {
		title := e.Title
		if e.Disabled {
			title = "(" + title + ")"
		}
		if e.Checked {
			title += " *"
		}
		b.WriteString(indent + title + "\n" + menu(e.Menu, indent+"  "))
	}
	return b.String()
}

func TestTrayMenu(t *testing.T) {
	end := "\nReload\nOpen configuration\nDoctor\n\nStop midimon\nQuit this icon\n"
	for _, c := range []struct {
		name, tooltip, menu string
		client.Moment
	}{
		{"stopped", "midimon: stopped", "Start\n", client.Moment{State: client.Stopped}},
		{
			"running", "midimon: running, mode Media, LPD8, Fader connected",
			"(midimon: running)\n\nMode: Media\n  Desk\n  Media *\nControllers\n  (LPD8)\n  (Fader)\n\nPaused" + end,
			client.Moment{State: "running", Mode: "Media", Modes: []string{"Desk", "Media"}, ConnectedDevices: []string{"LPD8", "Fader"}},
		},
		{
			"paused", "midimon: paused, mode Desk, nothing connected",
			"(midimon: paused)\n\nMode: Desk\n  Desk *\nControllers\n  (none is connected)\n\nPaused *" + end,
			client.Moment{State: "paused", Mode: "Desk", Modes: []string{"Desk"}},
		},
		{
			"long words of what is wrong", "midimon: degraded, mode Desk, nothing connected",
			"(midimon: degraded)\n(config: " + strings.Repeat("x", 51) + "…)\n\nMode: Desk\n  Desk *\nControllers\n  (none is connected)\n\nPaused" + end,
			client.Moment{State: "degraded", Mode: "Desk", Modes: []string{"Desk"}, Health: []client.Check{{Check: "config", Message: strings.Repeat("x", 70) + "\nline two"}}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := lonely(t, io.Discard).face(&c.Moment)
			if got := menu(f.Menu, ""); got != c.menu {
				t.Errorf("the menu is\n%s\nwant\n%s", got, c.menu)
			}
			if f.State != c.State || f.Tooltip != c.tooltip {
				t.Errorf("state %q, tooltip %q, want %q and %q", f.State, f.Tooltip, c.State, c.tooltip)
			}
		})
	}
}

// What an entry could not do is said in the log, as is that nobody could show it.
func TestTrayEntryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		i := lonely(t, &log)
		for _, e := range i.face(&client.Moment{State: "running"}).Menu {
			if e.Key == "pause" {
				e.Do()
			}
		}
		synctest.Wait()
		for _, want := range []string{`msg="cannot pause or resume"`, "midimon is not running", `msg="cannot show a notification"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no %s in the log:\n%s", want, &log)
			}
		}
	})
}
