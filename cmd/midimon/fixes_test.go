//go:build linux

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/engine/report"
)

// On a machine that has little of what a configuration wants, each row of Health names its fix.
func TestWhatIsMissingHasAFix(t *testing.T) {
	p := spawn(t, `
[[devices]]
name = "Absent"
match = "name:there is no such controller"
[[devices]]
name = "Wrong"
match = "raw:$DIR/config.toml"
[[modes]]
name = "Desk"
apps = ["gimp"]
[[modes.mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Keystroke", keys = "a" }
[[modes.mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "VolumeControl", operation = "Up" }
[[modes.mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "Media", operation = "Next" }
[[modes.mappings]]
trigger = { type = "Note", note = 4 }
action = { type = "Notify", summary = "a" }
[[modes.mappings]]
name = "wrong"
trigger = { type = "Note", note = 5 }
action = { type = "DBusCall", destination = "org.freedesktop.DBus", path = "/org/freedesktop/DBus", interface = "org.freedesktop.DBus", method = "NoSuchMethod" }
[[modes.mappings]]
trigger = { type = "Note", note = 6 }
action = { type = "Shell", command = "true" }
`)
	c := p.dial()
	told := func() (rows []dbusapi.Check) {
		if v, err := c.Object(dbusapi.BusName, dbusapi.RootPath).GetProperty(dbusapi.BusName + ".Health"); err != nil || v.Store(&rows) != nil {
			return nil
		}
		return rows
	}
	health := map[string]dbusapi.Check{}
	// What this machine or its desktop may have is not always missed.
	wanted := []string{"device-absent:Absent", "dbus-call:wrong", "process-limits"}
	p.eventually("every row that must come", func() bool {
		for _, r := range told() {
			health[r.Name] = r
		}
		for _, name := range wanted {
			if _, ok := health[name]; !ok {
				return false
			}
		}
		return true
	})
	for name, r := range health {
		if strings.TrimSpace(r.Fix) == "" {
			t.Errorf("%s, %s: %s has no fix", name, r.Status, r.Message)
		}
		t.Logf("%s: %s", name, r.Fix)
	}
	if fix := health["dbus-call:wrong"].Fix; fix != "busctl --user introspect org.freedesktop.DBus /org/freedesktop/DBus" {
		t.Errorf("a call of what there is not: %q", fix)
	}
	// The bus went: that is a row too, and then none any more.
	p.bus.Kill()
	p.eventually("the lost bus has a fix", func() bool {
		for _, r := range told() {
			if r.Name == busCheck {
				return r.Fix != ""
			}
		}
		return false
	})
}

func TestBusRow(t *testing.T) {
	for _, c := range []struct {
		state dbusapi.BusState
		err   error
		want  report.Check
	}{
		{dbusapi.BusConnected, nil, report.Check{Name: "bus", Status: report.OK}},
		{dbusapi.BusLost, nil, report.Check{Name: "bus", Status: report.Failed, Message: "the session bus is lost", Fix: bringBus()}},
		{dbusapi.BusAbsent, errors.New("why"), report.Check{Name: "bus", Status: report.Failed, Message: "why", Fix: bringBus()}},
		{dbusapi.BusNameTaken, &dbusapi.NameTaken{Owner: ":1.7", Pid: 42, Comm: "sh"}, report.Check{
			Name: "bus", Status: report.Failed, Message: "the bus name com.amiable.Midimon1 belongs to process 42 (sh)", Fix: "kill 42",
		}},
		{dbusapi.BusNameTaken, &dbusapi.NameTaken{Owner: ":1.7"}, report.Check{
			Name: "bus", Status: report.Failed, Message: "the bus name com.amiable.Midimon1 belongs to :1.7",
			Fix: "busctl --user status com.amiable.Midimon1",
		}},
	} {
		if got := busRow(c.state, c.err); got != c.want {
			t.Errorf("%s, %v: %+v, want %+v", c.state, c.err, got, c.want)
		}
	}
}
