//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/dbusapi/dbustest"
)

// TestMemory measures the real daemon with 1,000 mappings, at rest and again after many events,
// replugs and reloads. packaging/dev sets MIDIMON_SOAK where nothing else runs, and then it is 10^6, 1,000 and 300
// of them.
func TestMemory(t *testing.T) {
	// kB. The goals are 6 and 12 MB, and 1 MB of growth, of which most is Go's own books of a heap that was
	// collected more than twice.
	const goalAnonymous, goalRSS, maxAnonymous, maxRSS, maxGrowth = 6 << 10, 12 << 10, 6<<10 + 512, 14 << 10, 1 << 10
	events, replugs, reloads := 50_000, 30, 30
	if os.Getenv("MIDIMON_SOAK") != "" {
		events, replugs, reloads = 1_000_000, 1000, 300
	}
	dir := dbustest.Dir(t)
	bin := filepath.Join(dir, "bin")
	build(t, bin, ".")
	bus, system := dbustest.New(t), dbustest.New(t)
	pads, config := filepath.Join(dir, "pads"), filepath.Join(dir, "config.toml")
	if err := syscall.Mkfifo(pads, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, manyMappings(1000, "raw:"+pads), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &starter{
		env: append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME="+dir, "XDG_STATE_HOME="+dir, "DBUS_SESSION_BUS_ADDRESS="+bus.Address,
			"DBUS_SYSTEM_BUS_ADDRESS="+system.Address, "DISPLAY=:9999", "WAYLAND_DISPLAY="), // nobody's, or it finds another test's
	}
	s.listen(t, filepath.Join(dir, "notify"))
	daemon, _ := s.start(t, filepath.Join(bin, "midimon"), "--config", config)
	t.Cleanup(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })
	root := bus.Dial().Object(dbusapi.BusName, dbusapi.RootPath)
	connected := func(want string) {
		t.Helper()
		until(t, "devices "+want, func() bool {
			v, err := root.GetProperty(dbusapi.BusName + ".ConnectedDevices")
			return err == nil && fmt.Sprint(v.Value()) == want
		})
	}
	connected("[Pads]")
	atRest := func(when string) (anonymous int) {
		t.Helper()
		// It gives memory back a little later, or a good deal later on a busy machine.
		rss := 0
		for over := time.Now().Add(patience); ; {
			time.Sleep(3 * time.Second)
			anonymous, rss = memory(t, daemon.Process.Pid, "Anonymous:"), memory(t, daemon.Process.Pid, "Rss:")
			if anonymous <= goalAnonymous && rss <= goalRSS || time.Now().After(over) {
				break
			}
		}
		t.Logf("%s: anonymous %d kB, RSS %d kB", when, anonymous, rss)
		if anonymous > goalAnonymous || rss > goalRSS {
			t.Logf("the goal of %d kB anonymous and %d kB RSS is not reached", goalAnonymous, goalRSS)
		}
		if anonymous > maxAnonymous || rss > maxRSS {
			t.Errorf("%s: anonymous %d kB, RSS %d kB, want at most %d and %d", when, anonymous, rss, maxAnonymous, maxRSS)
		}
		return anonymous
	}
	before := atRest("idle")

	out, err := os.OpenFile(pads, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	burst := make([]byte, 0, 3*100)
	for sent := 0; sent < events; sent += 100 {
		burst = burst[:0]
		for i := range 100 {
			if i == 0 {
				burst = append(burst, 0x90, byte(sent/100%100), 64, 0x80, byte(sent/100%100), 0)
			} else if i > 1 {
				burst = append(burst, 0xb0, 20, byte((sent+i)%128))
			}
		}
		if _, err := out.Write(burst); err != nil {
			t.Fatal(err)
		}
	}
	received := func() (n uint64) {
		var values map[string]dbus.Variant
		if err := root.Call(dbusapi.BusName+".Statistics.Snapshot", 0).Store(&values); err == nil {
			n, _ = values["events_received"].Value().(uint64)
		}
		return n
	}
	until(t, "all events", func() bool { return received() >= uint64(events) })
	_ = out.Close()
	for range replugs {
		if err := os.Remove(pads); err != nil {
			t.Fatal(err)
		}
		connected("[]")
		if err := syscall.Mkfifo(pads, 0o600); err != nil {
			t.Fatal(err)
		}
		connected("[Pads]")
		was := received()
		if err := os.WriteFile(pads, []byte{0xb0, 20, 1}, 0); err != nil { // it plays again
			t.Fatal(err)
		}
		until(t, "what the new one plays", func() bool { return received() > was })
	}
	for range reloads {
		if err := root.Call(dbusapi.BusName+".Reload", 0).Err; err != nil {
			t.Fatal(err)
		}
	}
	after := atRest(fmt.Sprintf("after %d events, %d replugs, %d reloads", events, replugs, reloads))
	if after-before > maxGrowth {
		t.Logf("the goal is not reached: it grew by %d kB, and not by at most %d", after-before, maxGrowth)
	}
	if after-before > maxGrowth*3/2 {
		t.Errorf("it grew by %d kB", after-before)
	}
}

// until waits for what must come.
func until(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for over := time.Now().Add(time.Minute); !ready(); time.Sleep(time.Millisecond) {
		if time.Now().After(over) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// descriptors is how many files a process has open.
func descriptors(t testing.TB, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// memory is the sum of a line of smaps, in kB. smaps_rollup would say it at once, but ends early at times while
// the process maps memory (Linux 6.1).
func memory(t testing.TB, pid int, line string) (kB int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		rest, found := strings.CutPrefix(l, line)
		if !found {
			continue
		}
		n, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatal(err)
		}
		kB += n
	}
	if kB == 0 {
		t.Fatalf("no %s of %d", line, pid)
	}
	return kB
}
