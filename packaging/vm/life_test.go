//go:build linux && vm

package vm

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestKillReleasesWhatIsHeld(t *testing.T) {
	b, c, k := ready(t)
	pid := b.owner()
	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")
	if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	k.let(t)
	again := b.awaitOwner(t, 20*time.Second, func(now uint32) bool { return now != 0 && now != pid })
	b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
	t.Logf("pid %d was killed, systemd started %d", pid, again)
}

func TestTerminateReleasesAndEnds(t *testing.T) {
	b, c, k := ready(t)
	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")
	pid := int(b.owner())
	ended := awaitExit(t, pid)
	from := monotonic()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	took := ended(30*time.Second) - from
	t.Logf("ended after %v; the goal is a second", took)
	k.let(t)
	b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid == 0 })
	must(t, "systemctl", "--user", "stop", "midimon") // returns when systemd has seen the end
	if s := must(t, "systemctl", "--user", "show", "midimon", "-p", "Result,ExecMainStatus,NRestarts"); s != "Result=success\nNRestarts=0\nExecMainStatus=0\n" {
		t.Errorf("systemd saw\n%s", s)
	}
}

// The interval is 3 s here, not the unit's 30, so that the test does not take a minute.
func TestWatchdogRestartsWhatHangs(t *testing.T) {
	dropIn := "/home/tester/.config/systemd/user/midimon.service.d"
	must(t, "mkdir", "-p", dropIn)
	t.Cleanup(func() { root(t, "rm", "-r", dropIn) })
	if err := os.WriteFile(filepath.Join(dropIn, "quick.conf"), []byte("[Service]\nWatchdogSec=3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	root(t, "chown", "-R", "tester:", dropIn)
	b := service(t)
	pid := b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid != 0 })
	if err := syscall.Kill(int(pid), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	b.awaitOwner(t, 30*time.Second, func(now uint32) bool { return now != 0 && now != pid })
	if s := must(t, "systemctl", "--user", "show", "midimon", "-p", "NRestarts"); s != "NRestarts=1\n" {
		t.Errorf("systemd saw %s", s)
	}
}

func TestSecondDaemonNamesTheFirst(t *testing.T) {
	b := service(t)
	pid := b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid != 0 })
	out, status := user(t, "midimon")
	if status != 1 {
		t.Errorf("exit %d, want 1", status)
	}
	has(t, out, strconv.Itoa(int(pid)))
	has(t, out, "systemd")
}

// awaitExit returns a function that waits for the end of a process that is not our child.
func awaitExit(t *testing.T, pid int) func(limit time.Duration) time.Duration {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return func(limit time.Duration) time.Duration {
		t.Helper()
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(limit.Milliseconds()))
		if err != nil || n == 0 {
			t.Fatalf("process %d after %v: %v", pid, limit, err)
		}
		return monotonic()
	}
}

// watch runs a program of the user's for the length of the test and keeps what it prints.
func watch(t *testing.T, name string, args ...string) *transcript {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd, tr := asTester(ctx, nil, name, args...), newTranscript()
	cmd.Stdout, cmd.Stderr = tr, tr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	return tr
}

func has(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%q is not in\n%s", want, text)
	}
}
