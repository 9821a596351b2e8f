//go:build linux && vm

package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// idleFor is how long nothing happens; two minutes are in it, after which Go collects garbage
// whether there is any or not.
const idleFor = 150 * time.Second

// It runs without a watchdog, whose feeding is work that systemd asks for.
func TestIdleCostsWhatAnyProgramCosts(t *testing.T) {
	plug(t)
	dir := privateRuntime(t)
	fifo := filepath.Join(dir, "fifo")
	must(t, "mkfifo", fifo)
	p := start(t, []string{"XDG_RUNTIME_DIR=" + dir})
	b := session(t, "")
	b.await(t, "State", 30*time.Second, equals("running"))

	parked := asTester(context.Background(), nil, "/usr/bin/parked", fifo)
	if err := parked.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = parked.Process.Kill(); _ = parked.Wait() })
	// What both did to begin with is no rest: for 15 s after something has happened, midimon looks
	// whether the desktop has more to say. Nor is what the machine does now and then: there are
	// three tries.
	const tries, goal, limit = 3, 5, 60
	best := limit + 1
	rest := time.NewTimer(30 * time.Second)
	for try := range tries {
		<-rest.C
		ours, theirs := switches(t, p.Process.Pid), switches(t, parked.Process.Pid)
		rest.Reset(idleFor)
		<-rest.C
		ours, theirs = switches(t, p.Process.Pid)-ours, switches(t, parked.Process.Pid)-theirs
		t.Logf("try %d: context switches in %v: midimon %d, a parked program %d", try+1, idleFor, ours, theirs)
		if best = min(best, ours-theirs); best <= goal {
			return
		}
		rest.Reset(0)
	}
	t.Logf("the goal is not reached: at most %d more than the parked program, and not %d", goal, best)
	if best > limit {
		t.Errorf("never at rest")
	}
}

// switches counts the context switches of all threads of a process.
func switches(t *testing.T, pid int) (n int) {
	t.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		path := fmt.Sprintf("/proc/%d/task/%s/status", pid, thread.Name())
		n += field(t, path, "voluntary_ctxt_switches:") + field(t, path, "nonvoluntary_ctxt_switches:")
	}
	return n
}
