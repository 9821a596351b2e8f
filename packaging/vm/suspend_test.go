//go:build linux && vm

package vm

import (
	"os"
	"strconv"
	"strings"
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
	b, c, k := ready(t)
	b.awaitOpen(t, k)
	pid, times := b.owner(), slept(t)
	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")

	root(t, "systemctl", "suspend")
	k.expect(t, "-H")
	late := time.After(soon)
	for told := false; !told; { // that it is about to, and that it has
		select {
		case s := <-sleeps:
			told = s.Name == prepareForSleep && s.Body[0] == false
		case <-late:
			t.Fatal("nobody says that the sleep is over")
		}
	}
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
