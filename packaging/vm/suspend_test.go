//go:build linux && vm

package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const prepareForSleep = "org.freedesktop.login1.Manager.PrepareForSleep"

// slept is how often the machine has slept.
func slept(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/sys/power/suspend_stats/success")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// delayed waits until the machine sleeps only after the daemon is ready for it. At first it may not ask
// for that, and says so.
func delayed(t *testing.T, b *bus) {
	t.Helper()
	warned := func(v any) bool { return strings.Contains(fmt.Sprint(v), "sleep warning the machine does not wait") }
	b.await(t, "Health", soon, warned)
	root(t, "systemctl", "unmask", "polkit.service")
	const conf = "/run/systemd/logind.conf.d/patient.conf" // this machine may be slow
	if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, []byte("[Login]\nInhibitDelayMaxSec=60\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	root(t, "systemctl", "kill", "--signal=HUP", "systemd-logind.service")
	root(t, "loginctl", "unlock-session", seated(t)) // it looks anew at each such word, and asks anew
	b.await(t, "Health", soon, func(v any) bool { return !warned(v) })
	list := root(t, "systemd-inhibit", "--list", "--no-legend", "--no-pager")
	if !regexp.MustCompile(`(?m)^midimon +1000 +tester +\d+ +midimon +sleep +.* +delay$`).MatchString(list) {
		t.Errorf("systemd-inhibit --list:\n%s", list)
	}
}

// The machine is woken up from outside as soon as it sleeps. It has a boot of its own.
func TestSuspend(t *testing.T) {
	if err := os.WriteFile("/sys/power/mem_sleep", []byte("deep"), 0); err != nil {
		t.Fatal(err)
	}
	system, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = system.Close() })
	sleeps := make(chan *dbus.Signal, 16)
	system.Signal(sleeps)
	if err := system.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.login1.Manager"), dbus.WithMatchMember("PrepareForSleep")); err != nil {
		t.Fatal(err)
	}
	told := func(want bool) {
		t.Helper()
		for late := time.After(soon); ; {
			select {
			case s := <-sleeps:
				if s.Name == prepareForSleep && s.Body[0] == want {
					return
				}
			case <-late:
				t.Fatalf("nobody says that the sleep begins or ends: %v", want)
			}
		}
	}
	b, c, k := ready(t)
	b.awaitOpen(t, k)
	delayed(t, b)
	pid, times := b.owner(), slept(t)
	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")

	// The daemon is kept from acting, so that the machine would sleep long before it does.
	signal := func(s syscall.Signal) {
		if err := syscall.Kill(int(pid), s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	root(t, "systemctl", "suspend")
	told(true)
	select {
	case s := <-sleeps:
		t.Errorf("it does not wait: %v", s.Body)
	case <-time.After(2 * time.Second):
	}
	signal(syscall.SIGCONT)
	k.expect(t, "-H")
	if now := slept(t); now != times {
		t.Error("the key was released only after the sleep")
	}
	told(false)
	if now := slept(t); now != times+1 {
		t.Fatalf("slept %d times", now-times)
	}
	b.awaitOpen(t, k)
	b.await(t, "State", soon, equals("running"))
	b.await(t, "ConnectedDevices", soon, equals("[LPD8]"))
	// The port is opened anew at some time after; what is played before may be lost.
	for over := time.After(soon); ; {
		c.tap(t, 39, 100)
		select {
		case e := <-k.keys:
			if e.String() != "+1" {
				t.Errorf("%v, want +1", e)
			}
			k.expect(t, "-1")
		case <-time.After(2 * time.Second):
			continue
		case <-over:
			t.Fatal("the controller's pads do nothing after the sleep")
		}
		break
	}
	k.up(t)
	if now := b.owner(); now != pid {
		t.Errorf("the daemon was %d and is %d", pid, now)
	}
}
