//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
)

// discreet is a configuration whose secrets are what is typed and what programs are given.
const discreet = `
[input]
backend = "portal" # which is not on the test's bus: nothing is typed into anybody's windows
[[devices]]
name = "pads"
match = "raw:$DIR/pads"
[[global_mappings]]
name = "typed"
trigger = { type = "Note", note = 36 }
action = { type = "Text", text = "hunter2" }
[[global_mappings]]
name = "run"
trigger = { type = "Note", note = 37 }
action = { type = "Shell", command = "false hunter2" }
[[global_mappings]]
name = "slow"
trigger = { type = "Note", note = 38 }
action = { type = "Shell", command = "sleep 60 || echo hunter2", timeout_ms = 100 }
[[global_mappings]]
name = "launched"
trigger = { type = "Note", note = 39 }
action = { type = "Launch", app = "/bin/false", args = ["hunter2"] }
[[global_mappings]]
name = "missing"
trigger = { type = "Note", note = 40 }
action = { type = "Shell", command = "/nonexistent/program hunter2" }
[[global_mappings]]
name = "steps"
trigger = { type = "Note", note = 41 }
action = { type = "Sequence", actions = [ { type = "Text", text = "hunter2" }, { type = "Shell", command = "true hunter2" } ] }
[[global_mappings]]
name = "end"
trigger = { type = "Note", note = 42 }
action = { type = "Emit", name = "end", value = 1 }
`

// What a mapping types, and what it gives to programs, stands in the file and nowhere else: not on
// either bus, in no signal, not in the log, at no level, whatever fails.
func TestTextStaysInTheFile(t *testing.T) {
	const secret = "hunter2"
	p := spawn(t, discreet, "--log-level", "debug")
	pads := filepath.Join(p.dir, "pads")
	if err := syscall.Mkfifo(pads, 0o600); err != nil {
		t.Fatal(err)
	}
	p.awaitDevice("pads", "connected")
	var told strings.Builder
	bus, socket := p.bus.Dial(), p.dial()
	signals, events := make(chan *dbus.Signal, 4096), make(chan *dbus.Signal, 4096)
	bus.Signal(signals)
	socket.Signal(events)
	if err := bus.AddMatchSignal(dbus.WithMatchPathNamespace(dbusapi.RootPath)); err != nil {
		t.Fatal(err)
	}
	p.call(socket, dbusapi.MonitorInterface+".Subscribe", []any{new(uint32)}, map[string]dbus.Variant{})
	// until does something again and again until a signal has a word in it, and keeps all signals.
	until := func(word string, do func()) {
		t.Helper()
		again := time.NewTicker(600 * time.Millisecond) // two failures a second are told
		defer again.Stop()
		do()
		for over := time.After(patience); ; {
			select {
			case s := <-signals:
				text := fmt.Sprint(s.Name, s.Body)
				told.WriteString(text + "\n")
				if strings.Contains(text, word) {
					return
				}
			case <-again.C:
				do()
			case <-over:
				t.Fatalf("no signal with %s:\n%s", word, told.String())
			}
		}
	}
	for i, id := range []string{"typed", "run", "slow", "launched", "missing", "steps"} {
		play := func() {
			f, err := os.OpenFile(pads, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close() //nolint:errcheck // what was written is in the pipe
			if _, err := f.Write([]byte{0x90, byte(36 + i), 100, 0x80, byte(36 + i), 0}); err != nil {
				t.Fatal(err)
			}
		}
		if id == "launched" { // how it ends is nobody's business
			play()
			continue
		}
		until("ActionFailed["+id, play)
	}
	ask := func(method string, args ...any) {
		t.Helper()
		for _, c := range []*dbus.Conn{bus, socket} {
			k := c.Object(dbusapi.BusName, dbusapi.RootPath).Call(method, 0, args...)
			if k.Err != nil {
				t.Errorf("%s%v: %v", method, args, k.Err)
			}
			fmt.Fprintln(&told, method, k.Body, k.Err)
		}
	}
	everything := func() {
		t.Helper()
		ask(dbusapi.MappingsInterface+".List", map[string]dbus.Variant{})
		for _, id := range []string{"typed", "run", "slow", "launched", "missing", "steps"} {
			ask(dbusapi.MappingsInterface+".Get", id)
		}
		ask(dbusapi.MonitorInterface+".Why", uint32(256))
		ask(dbusapi.BusName + ".GetDiagnostics")
		ask("org.freedesktop.DBus.Properties.GetAll", dbusapi.BusName)
		ask("org.freedesktop.DBus.ObjectManager.GetManagedObjects")
		ask(dbusapi.BusName + ".ListModes")
	}
	everything()

	// A fault in the line itself: the clients of the bus are shown where, and not what.
	broken := strings.ReplaceAll(discreet, "$DIR", p.dir)
	broken = strings.Replace(broken, `text = "hunter2" }`, `text = "hunter2", speed = 3, tex = "hunter2" }`, 1) + "\n[[global_mappings]]\ntrigger = { type = \"Note\", note = 200 } # hunter2\n"
	if err := os.WriteFile(filepath.Join(p.dir, "config.toml"), []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	until("ReloadFinished[false", func() {})
	everything()
	ask(dbusapi.BusName+".Validate", broken)

	ask(dbusapi.BusName+".HoldMode", "Default", "a test", "") // of which the log tells at its lowest level
	for range len(events) {
		fmt.Fprintln(&told, <-events)
	}
	log := p.end(syscall.SIGTERM)
	for where, text := range map[string]string{"the bus": told.String(), "the log": log} {
		for line := range strings.Lines(text) {
			if strings.Contains(line, secret) {
				t.Errorf("%s tells what is secret: %s", where, line)
			}
		}
	}
	for _, want := range []string{"7 characters", "Events", "ReloadFinished[false", "out-of-range", "typed"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("nothing on the bus has %q", want)
		}
	}
	if !strings.Contains(log, "DEBUG") {
		t.Error("the log is not at its most talkative")
	}
}
