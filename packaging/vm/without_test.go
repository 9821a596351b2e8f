//go:build linux && vm

package vm

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// lack takes something away that the daemon needs, and returns what gives it back.
type lack struct {
	problem string
	take    func(t *testing.T)
	give    func(t *testing.T)
}

// refuse takes the seat's access to a device away, as at logout, and gives it as at login.
func refuse(problem, path string) lack {
	return lack{
		problem,
		func(t *testing.T) { root(t, "setfacl", "-b", path); root(t, "chmod", "600", path) },
		func(t *testing.T) { root(t, "chmod", "660", path); root(t, "setfacl", "-m", "u:tester:rw", path) },
	}
}

func TestWithoutADevice(t *testing.T) {
	for _, c := range []struct {
		name string
		lack
	}{
		{"no access to ALSA", refuse("alsa", "/dev/snd/seq")},
		{"no access to uinput", refuse("keys", "/dev/uinput")},
		{"no uinput", lack{
			"keys",
			func(t *testing.T) {
				root(t, "modprobe", "-r", "uinput")
				// Where systemd made the node before the module came, which of the two is first is left
				// to chance at boot, it stays, and whoever opens it loads the module again.
				root(t, "rm", "-f", "/dev/uinput")
				root(t, "udevadm", "settle")
			},
			func(t *testing.T) { root(t, "modprobe", "uinput"); root(t, "udevadm", "settle") },
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			controller := plug(t)
			c.take(t)
			given := false
			t.Cleanup(func() {
				if !given {
					c.give(t)
				}
			})
			b := service(t)
			pid := b.owner()
			b.await(t, "Problems", 20*time.Second, contains(c.problem))
			b.await(t, "State", 20*time.Second, equals("degraded"))
			has(t, must(t, "midimonctl", "status"), c.problem)
			c.give(t)
			given = true
			b.await(t, "Problems", 20*time.Second, lacks(c.problem))
			b.await(t, "State", 20*time.Second, equals("running"))
			k := listen(t, "midimon keyboard")
			controller.play(t, noteOn(36, 100)...)
			k.expect(t, chord)
			controller.play(t, noteOff(36)...)
			if now := b.owner(); now != pid {
				t.Errorf("pid %d became %d: it was restarted", pid, now)
			}
		})
	}
}

// privateRuntime is an empty runtime directory of the user's.
func privateRuntime(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root(t, "chmod", "755", filepath.Dir(dir))
	root(t, "chown", "tester:", dir)
	root(t, "chmod", "700", dir)
	return dir
}

// laterBus is the address of a message bus that run starts.
func laterBus(dir string) (address string, run func(t *testing.T)) {
	address = "unix:path=" + dir + "/session"
	return address, func(t *testing.T) {
		t.Helper()
		daemon := watch(t, "dbus-daemon", "--session", "--nofork", "--nopidfile", "--address="+address, "--print-address=1")
		daemon.await(t, "unix:path=", 20*time.Second) // it listens; the file alone says that it will
	}
}

func TestWithoutABus(t *testing.T) {
	plug(t)
	dir := privateRuntime(t)
	address, run := laterBus(dir)
	env := []string{"XDG_RUNTIME_DIR=" + dir, "DBUS_SESSION_BUS_ADDRESS=" + address}
	p := start(t, env)
	waitFor(t, dir, "private socket's directory", func() bool { _, err := os.Stat(dir + "/midimon"); return err == nil })
	waitFor(t, dir+"/midimon", "private socket", func() bool { _, err := os.Stat(dir + "/midimon/bus"); return err == nil })
	out, err := asTester(t.Context(), env, "midimonctl", "status").CombinedOutput()
	if err != nil {
		t.Errorf("status on the private socket: %v\n%s", err, out)
	}
	has(t, string(out), "bus")
	run(t)
	b := session(t, address)
	b.awaitOwner(t, 30*time.Second, func(pid uint32) bool { return pid == uint32(p.Process.Pid) })
	b.await(t, "Problems", 20*time.Second, lacks("bus"))
	b.await(t, "State", 20*time.Second, equals("running"))
}

func TestWithoutARuntimeDirectory(t *testing.T) {
	plug(t)
	dir := filepath.Join(privateRuntime(t), "later")
	p := start(t, []string{"XDG_RUNTIME_DIR=" + dir})
	b := session(t, "")
	b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid == uint32(p.Process.Pid) })
	b.await(t, "Problems", 20*time.Second, contains("no-runtime-dir"))
	has(t, must(t, "midimonctl", "--address", sessionBus, "status"), "no-runtime-dir")
	must(t, "mkdir", "-m", "700", dir)
	b.await(t, "Problems", 20*time.Second, lacks("no-runtime-dir"))
	b.await(t, "State", 20*time.Second, equals("running"))
}

func TestWithoutAnything(t *testing.T) {
	plug(t)
	base := privateRuntime(t)
	dir := filepath.Join(base, "later")
	address, run := laterBus(base)
	lacks := []lack{refuse("alsa", "/dev/snd/seq"), refuse("keys", "/dev/uinput")}
	for _, l := range lacks {
		l.take(t)
		t.Cleanup(func() { l.give(t) })
	}
	p := start(t, []string{"XDG_RUNTIME_DIR=" + dir, "DBUS_SESSION_BUS_ADDRESS=" + address})
	run(t)
	b := session(t, address)
	b.awaitOwner(t, 30*time.Second, func(pid uint32) bool { return pid == uint32(p.Process.Pid) })
	for _, problem := range []string{"alsa", "keys", "no-runtime-dir"} {
		b.await(t, "Problems", 20*time.Second, contains(problem))
	}
	has(t, must(t, "midimonctl", "--address", address, "status"), "degraded")
	for _, l := range lacks {
		l.give(t)
	}
	must(t, "mkdir", "-m", "700", dir)
	b.await(t, "Problems", 20*time.Second, equals("[]"))
	b.await(t, "State", 20*time.Second, equals("running"))
	if !p.alive() {
		t.Error("it ended")
	}
}
