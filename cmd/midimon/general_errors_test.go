//go:build linux

package main

import (
	"errors"
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

// own is the name of midimon's own error that a call met, or what else came of it.
func own(err error) string {
	if e, ok := errors.AsType[dbus.Error](err); ok {
		return strings.TrimPrefix(e.Name, dbusapi.ErrorPrefix)
	}
	return fmt.Sprint(err)
}

// TestStopping: calls on the bus that come while midimon ends are told so. How long that takes is not said, so there
// are several ends.
func TestStopping(t *testing.T) {
	const ends = 20
	for n := 1; ; n++ {
		p := spawn(t, stormy, "--dry-run")
		p.onBus()
		root := p.bus.Dial().Object(dbusapi.BusName, dbusapi.RootPath)
		replies := make(chan *dbus.Call, 64)
		for range 48 {
			root.Go(dbusapi.BusName+".CycleMode", 0, replies, int32(1))
		}
		met, last := map[string]int{}, ""
		for over := time.After(patience); last != "Stopping" && !strings.Contains(last, "."); { // a bus itself says that it is gone
			select {
			case k := <-replies:
				last = own(k.Err)
				met[last]++
				if met["<nil>"] == 1 {
					_ = p.cmd.Process.Signal(syscall.SIGTERM)
				}
				root.Go(dbusapi.BusName+".CycleMode", 0, replies, int32(1))
			case <-over:
				t.Fatalf("nothing comes any more after %v", met)
			}
		}
		p.end(syscall.SIGTERM)
		if met["Stopping"] > 0 {
			t.Logf("at the end number %d: %v", n, met)
			return
		}
		if n == ends {
			t.Fatalf("after %d ends: %v", n, met)
		}
	}
}

// TestTimedOut: a call on the bus of which nothing came for 20 seconds is told so: midimon stands still for longer
// while it reads a file that takes it a while. It may have read it before it is stopped, so there are several tries.
func TestTimedOut(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 20 seconds")
	}
	const (
		limit = 20 * time.Second
		tries = 3
	)
	p := spawn(t, stormy, "--dry-run")
	p.onBus()
	large := strings.Repeat("[[global_mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction = { type = \"Keystroke\", keys = \"a\" }\n", 36000)
	if err := os.WriteFile(filepath.Join(p.dir, "config.toml"), []byte(large), 0o600); err != nil {
		t.Fatal(err)
	}
	caller, other := p.bus.Dial(), p.bus.Dial()
	for n := 1; ; n++ {
		reload := caller.Object(dbusapi.BusName, dbusapi.RootPath).Go(dbusapi.BusName+".Reload", 0, make(chan *dbus.Call, 1))
		if err := caller.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err; err != nil { // then the bus has passed it on
			t.Fatal(err)
		}
		p.call(other, "org.freedesktop.DBus.Peer.Ping", nil) // then midimon has taken it
		if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(limit + time.Second)
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		select {
		case <-reload.Done:
		case <-time.After(patience):
			t.Fatal("no reply comes")
		}
		is := own(reload.Err)
		t.Log(is)
		if is == "TimedOut" {
			break
		}
		if is != "<nil>" || n == tries {
			t.Fatal("it met something else, or was not late")
		}
	}
	p.call(other, dbusapi.BusName+".CycleMode", []any{new(string)}, int32(1))
}
