//go:build linux && vm

package vm

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const absent = "device-absent:LPD8"

func TestUnplugAndReplug(t *testing.T) {
	b, c, k := ready(t)
	pid := b.owner()
	monitor := watch(t, "gdbus", "monitor", "--session", "--dest", busName)
	monitor.await(t, "is owned by", 20*time.Second)
	announce := watch(t, "stdbuf", "-oL", "aseqdump", "-p", "0:1") // System:Announce
	announce.await(t, "Waiting", 20*time.Second)

	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")
	c.unplug(t)
	k.expect(t, "-H") // nothing may stay down when its pad is gone
	b.await(t, "State", 20*time.Second, equals("degraded"))
	b.await(t, "Problems", 20*time.Second, contains(absent))
	b.await(t, "ConnectedDevices", 20*time.Second, equals("[]"))
	has(t, must(t, "midimonctl", "status"), absent)
	for _, want := range []string{"PropertiesChanged", "'State': <'degraded'>", absent} {
		monitor.await(t, want, 20*time.Second)
	}

	from := strings.Count(announce.String(), "Port start")
	c.replug(t)
	for over := time.After(20 * time.Second); strings.Count(announce.String(), "Port start") < from+2; { // the gadget's own side is the other
		select {
		case <-announce.grow:
		case <-over:
			t.Fatalf("the port did not come back:\n%s", announce)
		}
	}
	started := monotonic()
	took := b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]")) - started
	t.Logf("back %v after its port started; the goal is a second", took)
	b.await(t, "State", 20*time.Second, equals("running"))
	c.play(t, noteOn(36, 100)...)
	k.expect(t, chord)
	c.play(t, noteOff(36)...)
	k.quiet(t)
	if now := b.owner(); now != pid {
		t.Errorf("pid %d became %d: it was restarted", pid, now)
	}
}

func TestStartedBeforeItsDevice(t *testing.T) {
	b := service(t)
	b.await(t, "Problems", 20*time.Second, contains(absent))
	c := plug(t)
	b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
	k := listen(t, "midimon keyboard")
	c.play(t, noteOn(36, 100)...)
	k.expect(t, chord)
	c.play(t, noteOff(36)...)
}

// footprint is what a process has of what can leak.
type footprint struct {
	fds, goroutines, threads int
	anonymous                int // KiB
}

func TestReplugsLeakNothing(t *testing.T) {
	b, c, k := ready(t)
	pid := int(b.owner())
	var tenth, last footprint
	for i := 1; i <= 20; i++ {
		c.unplug(t)
		b.await(t, "ConnectedDevices", 20*time.Second, equals("[]"))
		c.replug(t)
		b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
		c.play(t, noteOn(36, 100)...)
		k.expect(t, chord)
		c.play(t, noteOff(36)...)
		switch i {
		case 10:
			tenth = measure(t, pid)
		case 20:
			last = measure(t, pid)
		}
	}
	grew(t, "replugs", tenth, last)
}

// grew compares what a process has after the tenth of something and after the last.
func grew(t *testing.T, what string, tenth, last footprint) {
	t.Helper()
	t.Logf("after 10 %s %+v, at the end %+v", what, tenth, last)
	// A connection that is being made at one of the two looks is no leak; ten of them would be.
	if last.fds > tenth.fds+2 {
		t.Errorf("descriptors: %d, then %d", tenth.fds, last.fds)
	}
	if last.goroutines > tenth.goroutines+5 {
		t.Errorf("goroutines: %d, then %d", tenth.goroutines, last.goroutines)
	}
	// What the runtime holds back floats by 2 MiB and more where it seldom comes to run.
	const goal, limit = 1024, 4096
	if last.anonymous > tenth.anonymous+goal {
		t.Logf("the goal is not reached: anonymous memory grew by %d KiB, and not by %d at most", last.anonymous-tenth.anonymous, goal)
	}
	if last.anonymous > tenth.anonymous+limit {
		t.Errorf("anonymous memory: %d KiB, then %d", tenth.anonymous, last.anonymous)
	}
}

// measure looks after a reload, when the daemon has collected its garbage and given it back: a
// second later. The least of five seconds counts, since what the runtime holds back is no leak.
func measure(t *testing.T, pid int) footprint {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", pid)
	least := math.MaxInt
	must(t, "midimonctl", "reload")
	for over := time.Now().Add(5 * time.Second); time.Now().Before(over); time.Sleep(200 * time.Millisecond) {
		// smaps_rollup ends early at times while the process maps memory (Linux 6.1).
		least = min(least, field(t, dir+"smaps", "Anonymous:"))
	}
	fds, err := os.ReadDir(dir + "fd")
	if err != nil {
		t.Fatal(err)
	}
	return footprint{
		fds:        len(fds),
		goroutines: goroutines(t, pid),
		threads:    field(t, dir+"status", "Threads:"),
		anonymous:  least,
	}
}

// field is the number behind a name in a file of /proc, the sum of them where the name stands more than once.
func field(t *testing.T, path, name string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum, found := 0, false
	for line := range bytes.Lines(text) {
		if words := strings.Fields(string(line)); len(words) > 1 && words[0] == name {
			n, err := strconv.Atoi(words[1])
			if err != nil {
				t.Fatal(err)
			}
			sum, found = sum+n, true
		}
	}
	if !found {
		t.Fatalf("%s has no %s", path, name)
	}
	return sum
}
