//go:build linux && vm

package vm

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"
)

// idle is the socket listening and the service not started, as after a login without it.
func idle(t *testing.T) {
	t.Helper()
	service(t)
	must(t, "systemctl", "--user", "stop", "midimon.service")
	must(t, "systemctl", "--user", "reset-failed")
	must(t, "systemctl", "--user", "start", "midimon.socket")
	isActive(t, "midimon.service", "inactive")
}

// tidy is must for when the test has ended.
func tidy(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := asTester(context.Background(), nil, name, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// isActive compares what systemd says of a unit.
func isActive(t *testing.T, unit, want string) {
	t.Helper()
	if out, _ := user(t, "systemctl", "--user", "is-active", unit); strings.TrimSpace(out) != want {
		t.Errorf("%s is %s, want %s", unit, strings.TrimSpace(out), want)
	}
}

func some(pid uint32) bool { return pid != 0 }
func none(pid uint32) bool { return pid == 0 }

// Verbs that look start nothing; one that acts starts midimon through the socket, and so does
// a call on the bus.
func TestActivation(t *testing.T) {
	idle(t)
	for _, verb := range []string{"status", "devices", "modes", "mode", "mappings", "ping", "why", "stats", "monitor"} {
		if out, status := user(t, "midimonctl", verb); status != 3 {
			t.Errorf("%s: exit %d\n%s", verb, status, out)
		}
	}
	user(t, "midimonctl", "doctor")
	user(t, "midimonctl", "__complete", "mode", "")
	isActive(t, "midimon.service", "inactive")

	if out := must(t, "midimonctl", "mode", "Second"); out != "Second\n" {
		t.Errorf("mode printed %q", out)
	}
	isActive(t, "midimon.service", "active")
	must(t, "midimonctl", "status")

	must(t, "systemctl", "--user", "stop", "midimon.service")
	must(t, "busctl", "--user", "call", busName, rootObject, busName, "Pause")
	isActive(t, "midimon.service", "active")
	has(t, must(t, "midimonctl", "status"), "paused")
}

// After a stop, neither a watch nor a module of waybar brings midimon back, and both go on
// when it is started.
func TestWatchingStartsNothing(t *testing.T) {
	b := service(t)
	b.awaitOwner(t, 20*time.Second, some)
	plain, bar := watch(t, "midimonctl", "watch"), watch(t, "midimonctl", "watch", "--format", "waybar")
	plain.await(t, "mode Default", 20*time.Second)
	bar.await(t, `"text":"Default"`, 20*time.Second)

	out := must(t, "midimonctl", "stop")
	has(t, out, "stopped midimon.socket\nstopped midimon.service\n")
	has(t, out, "what may still start it: a call to com.amiable.Midimon1 on the session bus")
	plain.await(t, "does not run", 20*time.Second)
	bar.await(t, `"alt":"stopped"`, 20*time.Second)
	time.Sleep(3 * time.Second) // nothing is to happen
	isActive(t, "midimon.service", "inactive")
	isActive(t, "midimon.socket", "inactive")

	has(t, must(t, "midimonctl", "start"), "started midimon.socket and midimon.service")
	bar.await(t, "stopped\"}\n{\"alt\":\"", 20*time.Second)
	plain.awaitTimes(t, ": mode Default", 2, 20*time.Second) // who is still on its way when it stops starts it again

	// With the socket left, which would start it for anybody who connects.
	must(t, "systemctl", "--user", "stop", "midimon.service")
	plain.await(t, "does not run\n", 20*time.Second)
	time.Sleep(3 * time.Second)
	isActive(t, "midimon.service", "inactive")
	isActive(t, "midimon.socket", "active")
	if n := strings.Count(bar.String(), `"alt":"stopped"`); n != 2 {
		t.Errorf("waybar's module said %d times that it was stopped:\n%s", n, bar)
	}
}

// The socket outlives the service, however often that comes and goes.
func TestSocketOutlivesTheService(t *testing.T) {
	idle(t)
	for range 2 {
		must(t, "systemctl", "--user", "start", "midimon.service")
		must(t, "systemctl", "--user", "stop", "midimon.service")
	}
	must(t, "midimonctl", "stop")
	must(t, "midimonctl", "start")
	must(t, "systemctl", "--user", "stop", "midimon.service")
	isActive(t, "midimon.socket", "active")
	if out := must(t, "midimonctl", "mode", "Second"); out != "Second\n" {
		t.Errorf("mode printed %q", out)
	}
	isActive(t, "midimon.service", "active")
}

// One start mends a service that crashed too often.
func TestStartMendsTheStartLimit(t *testing.T) {
	b := service(t)
	failed := false
	for n := 0; n < 10 && !failed; n++ {
		pid := b.awaitOwner(t, 20*time.Second, some)
		if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		b.awaitOwner(t, 20*time.Second, func(now uint32) bool { return now != pid })
		for over := time.Now().Add(20 * time.Second); !failed && time.Now().Before(over) && b.owner() == 0; time.Sleep(100 * time.Millisecond) {
			out, _ := user(t, "systemctl", "--user", "is-active", "midimon.service")
			failed = strings.TrimSpace(out) == "failed"
		}
	}
	if !failed {
		t.Fatal("it never reached the start limit")
	}
	t.Log(must(t, "systemctl", "--user", "show", "midimon.service", "-p", "Result,NRestarts"))
	has(t, must(t, "midimonctl", "start"), "started midimon.socket and midimon.service")
	b.awaitOwner(t, 20*time.Second, some)
	isActive(t, "midimon.service", "active")
}

// One that was started by hand keeps its place, and systemd does not try for ever.
func TestByHandAndByUnit(t *testing.T) {
	b := service(t)
	must(t, "midimonctl", "stop")
	p := startWith(t, configuration, nil)
	b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid == uint32(p.Process.Pid) })
	has(t, must(t, "midimonctl", "start"), "midimon runs already: process")
	isActive(t, "midimon.service", "inactive")

	// Against midimonctl's advice.
	if out, status := user(t, "systemctl", "--user", "start", "midimon.service"); status == 0 {
		t.Errorf("the unit started beside it:\n%s", out)
	}
	for range 3 { // somebody looks, and connects to systemd's socket, which lies over ours
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_ = asTester(ctx, nil, "midimonctl", "ping").Run()
		cancel()
	}
	time.Sleep(3 * time.Second) // a loop would go on
	out := must(t, "systemctl", "--user", "show", "midimon.service", "-p", "NRestarts,Result,ActiveState,InvocationID")
	t.Log(out)
	has(t, out, "NRestarts=0")
	journal := root(t, "journalctl", "--no-pager", "-o", "cat", "--since", "-30s", "_UID=1000")
	if n := strings.Count(journal, "already runs"); n > 6 {
		t.Errorf("it was started %d times:\n%s", n, journal)
	}
	if pid := b.owner(); pid != uint32(p.Process.Pid) {
		t.Errorf("the name belongs to %d, not to %d", pid, p.Process.Pid)
	}
	must(t, "midimonctl", "stop")
	if code := p.exit(t, 30*time.Second); code != 0 {
		t.Errorf("exit %d", code)
	}
	has(t, must(t, "midimonctl", "start"), "started midimon.socket and midimon.service")
	must(t, "midimonctl", "status")
}

// The verbs that begin and end midimon, with the units of the package and with none.
func TestInstall(t *testing.T) {
	b := service(t)
	must(t, "midimonctl", "stop")
	out := must(t, "midimonctl", "install")
	has(t, out, "enabled midimon.service and midimon.socket")
	has(t, out, "started midimon.socket and midimon.service")
	t.Cleanup(func() { tidy(t, "midimonctl", "uninstall") })
	first := b.awaitOwner(t, 20*time.Second, some)
	doctor, _ := user(t, "midimonctl", "doctor")
	has(t, doctor, "units:midimon.service")
	has(t, doctor, "enabled and active")
	has(t, strings.Join(strings.Fields(doctor), " "), "ok keys ") // whatever the width of the table
	t.Log(doctor)
	has(t, must(t, "midimonctl", "logs", "-n", "20"), "ready")
	has(t, must(t, "midimonctl", "restart"), "restarted midimon.service")
	b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid != 0 && pid != first })
	must(t, "systemctl", "--user", "reload", "midimon.service") // midimonctl reload
	has(t, must(t, "systemctl", "--user", "service-log-level", "midimon.service"), "info")
	must(t, "systemctl", "--user", "service-log-level", "midimon.service", "debug")
	has(t, must(t, "systemctl", "--user", "service-log-level", "midimon.service"), "debug")
	has(t, must(t, "midimonctl", "stop"), "the next login (midimon.service, midimon.socket;")
	has(t, must(t, "midimonctl", "uninstall"), "disabled midimon.service and midimon.socket")
	b.awaitOwner(t, 20*time.Second, none)

	root(t, "mkdir", "-p", "/root/units")
	root(t, "mv", "/usr/lib/systemd/user/midimon.service", "/usr/lib/systemd/user/midimon.socket",
		"/usr/share/dbus-1/services/com.amiable.Midimon1.service", "/root/units/")
	back := func() {
		root(t, "sh", "-c", "cd /root/units && mv midimon.* /usr/lib/systemd/user/ && mv com.* /usr/share/dbus-1/services/")
		tidy(t, "systemctl", "--user", "daemon-reload")
	}
	t.Cleanup(back)
	must(t, "systemctl", "--user", "daemon-reload")
	out = must(t, "midimonctl", "install")
	has(t, out, "wrote /home/tester/.config/systemd/user/midimon.service")
	has(t, out, "wrote /home/tester/.local/share/dbus-1/services/com.amiable.Midimon1.service")
	has(t, out, "started midimon.socket and midimon.service")
	b.awaitOwner(t, 20*time.Second, some)
	must(t, "systemctl", "--user", "stop", "midimon.service")
	must(t, "busctl", "--user", "call", busName, rootObject, busName, "Panic") // its own bus file works
	isActive(t, "midimon.service", "active")
	out = must(t, "midimonctl", "uninstall")
	has(t, out, "removed /home/tester/.config/systemd/user/midimon.service")
	if out, status := user(t, "systemctl", "--user", "cat", "midimon.service"); status == 0 {
		t.Errorf("the unit is still there:\n%s", out)
	}
}
