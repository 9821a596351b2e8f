//go:build linux

package main

import (
	"errors"
	"fmt"
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

// TestTimedOut: calls on the bus of which nothing came for 20 seconds are told so. Texts are looked at one after the
// other, and while one is, midimon stands still for longer than the others may wait. Calls that were still on their
// way have longer, so there are several tries.
func TestTimedOut(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 20 seconds")
	}
	const (
		callers = 16
		limit   = 20 * time.Second
		tries   = 3
	)
	p := spawn(t, stormy, "--dry-run")
	p.onBus()
	text := strings.Repeat("[[global_mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction = { type = \"Keystroke\", keys = \"a\" }\n", 9000)
	replies := make(chan *dbus.Call, callers)
	var all []dbus.BusObject
	for range callers {
		all = append(all, p.bus.Dial().Object(dbusapi.BusName, dbusapi.RootPath))
	}
	next := func() string {
		t.Helper()
		select {
		case k := <-replies:
			return own(k.Err)
		case <-time.After(limit + patience):
			t.Fatal("no reply comes")
			return ""
		}
	}
	for n := 1; ; n++ {
		for _, root := range all {
			root.Go(dbusapi.BusName+".Validate", 0, replies, text)
		}
		for i := range callers {
			if is := next(); is != "<nil>" {
				t.Fatal(is)
			}
			all[i].Go(dbusapi.BusName+".Validate", 0, replies, text) // as many wait as before
		}
		if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(limit + time.Second)
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		met := map[string]int{}
		for range callers {
			met[next()]++
		}
		t.Log(met)
		if met["TimedOut"]+met["<nil>"] != callers || n == tries && met["TimedOut"] == 0 {
			t.Fatal("some calls met something else, or none was late")
		}
		if met["TimedOut"] > 0 {
			break
		}
	}
	p.call(p.bus.Dial(), dbusapi.BusName+".CycleMode", []any{new(string)}, int32(1))
}
