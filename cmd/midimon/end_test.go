//go:build linux

package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi"
)

const ending = `
global_mappings = [
  { name = "media", trigger = { type = "Note", note = 1 }, action = { type = "Media", operation = "PlayPause" } },
  { name = "notify", trigger = { type = "Note", note = 2 }, action = { type = "Notify", summary = "hello" } },
  { name = "dbus", trigger = { type = "Note", note = 3 }, action = { type = "DBusCall", destination = "org.example.Nobody", path = "/", interface = "org.example.Nobody", method = "Go" } },
  { name = "shell", trigger = { type = "Note", note = 4 }, action = { type = "Shell", command = "sleep 1000" } },
  { name = "emit", trigger = { type = "Note", note = 5 }, action = { type = "Emit", name = "hello" } },
]
`

// TestEndOnABusThatHangs: midimon ends when it is told to, though the bus answers nobody and all that is to be done
// waits for it.
func TestEndOnABusThatHangs(t *testing.T) {
	p := spawn(t, ending)
	p.onBus()
	c := p.dial()
	p.bus.Stop()
	for _, id := range []string{"media", "notify", "dbus", "shell", "emit"} {
		// What comes of it is not what this is about: on some machines there is nobody for it.
		_ = c.Object(dbusapi.BusName, dbusapi.RootPath).CallWithContext(t.Context(), dbusapi.BusName+".Mappings.Trigger", 0, id).Err
	}
	began := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.end(syscall.SIGTERM)
	}()
	select {
	case <-ended:
		t.Logf("ended after %v; the goal is a second", time.Since(began))
		if !p.cmd.ProcessState.Success() {
			t.Errorf("it ended with %v", p.cmd.ProcessState)
		}
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		<-ended
		t.Errorf("it does not end:\n%s", p.stderr.String())
	}
}
