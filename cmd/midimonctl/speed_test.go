package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/dbusapi/dbustest"
)

// BenchmarkStatus runs "midimonctl status" and "gdbus call" in turn, as whole processes,
// against the real daemon on a real bus: half of the runs of ours must not take longer than
// half of the other's. Whatever else the machine does makes a round worse, so the best of
// three counts. packaging/dev runs it.
func BenchmarkStatus(b *testing.B) {
	dbustest.Need(b, "gdbus")
	const runs, rounds, goal, limit = 150, 3, 1.0, 1.5
	dir := dbustest.Dir(b)
	bin := filepath.Join(dir, "bin")
	for _, program := range []string{"midimon", "midimonctl"} {
		if out, err := exec.Command("go", "build", "-o", bin+"/", "../"+program).CombinedOutput(); err != nil { //nolint:noctx // it ends
			b.Fatalf("%v\n%s", err, out)
		}
	}
	bus := dbustest.New(b)
	env := append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME="+dir, "XDG_STATE_HOME="+dir,
		"DBUS_SESSION_BUS_ADDRESS="+bus.Address)
	daemon := exec.Command(filepath.Join(bin, "midimon")) //nolint:noctx // Cleanup ends it
	daemon.Env = env
	if err := daemon.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })
	client := bus.Dial()
	for owned, over := false, time.Now().Add(patience); !owned; time.Sleep(time.Millisecond) {
		if time.Now().After(over) {
			b.Fatal("the daemon does not take its name")
		}
		if err := client.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, dbusapi.BusName).Store(&owned); err != nil {
			b.Fatal(err)
		}
	}
	sides := []*side{
		{name: "midimonctl status, private socket", args: []string{filepath.Join(bin, "midimonctl"), "status"}},
		{name: "midimonctl status, session bus", args: []string{filepath.Join(bin, "midimonctl"), "--address", bus.Address, "status"}},
		{name: "gdbus call", args: []string{
			"gdbus", "call", "--session", "--dest", dbusapi.BusName, "--object-path", string(dbusapi.RootPath),
			"--method", "org.freedesktop.DBus.Properties.Get", dbusapi.BusName, "Mode",
		}},
		{name: "busctl get-property", args: []string{
			"busctl", "--user", "get-property", dbusapi.BusName, string(dbusapi.RootPath), dbusapi.BusName, "Mode",
		}},
	}
	best := 0.0
	for b.Loop() {
		for range rounds {
			for _, s := range sides {
				s.took = s.took[:0]
			}
			for range runs {
				for _, s := range sides {
					s.run(b, env)
				}
			}
			for _, s := range sides {
				slices.Sort(s.took)
				fmt.Printf("%-36s p50 %.2f ms  p99 %.2f ms\n", s.name, ms(s.took[runs/2]), ms(s.took[runs*99/100]))
			}
			if ratio := ms(sides[0].took[runs/2]) / ms(sides[2].took[runs/2]); best == 0 || ratio < best {
				best = ratio
			}
			if best <= goal {
				break
			}
		}
	}
	b.ReportMetric(best, "x-gdbus")
	if best > goal {
		fmt.Printf("status takes %.2f times as long as gdbus call; the goal of %.2f is not reached\n", best, goal)
	}
	if best > limit {
		b.Errorf("status takes %.2f times as long as gdbus call, want at most %.2f", best, limit)
	}
}

// side is a program under measurement.
type side struct {
	name string
	args []string
	took []time.Duration
}

func (s *side) run(b *testing.B, env []string) {
	b.Helper()
	c := exec.Command(s.args[0], s.args[1:]...) //nolint:noctx // it ends
	c.Env = env
	began := time.Now()
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", s.name, err, out)
	}
	s.took = append(s.took, time.Since(began))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
