//go:build linux

package x11

import (
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestTask(t *testing.T) {
	start := func(argv ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	until := func(what string, c *exec.Cmd, want bool) (ran time.Duration) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if at, sleeps := task(uint32(c.Process.Pid)); sleeps == want {
				return at
			}
		}
		t.Fatalf("%s: never found so", what)
		return 0
	}
	idle, busy := start("sleep", "1000"), start("sh", "-c", "while :; do :; done")
	before := until("one that works", busy, false)
	for until("one that works on", busy, false) == before {
		time.Sleep(time.Millisecond) // it has not had its turn yet
	}
	if err := idle.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until("one that is stopped", idle, false)
	if err := idle.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if until("one that sleeps", idle, true) == 0 {
		t.Error("nothing is told of one that sleeps")
	}
	for _, c := range []*exec.Cmd{idle, busy} {
		_ = c.Process.Kill()
		_ = c.Wait()
		until("one that has ended", c, true)
	}
}
