//go:build linux && vm

package vm

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const socketPath = runtimeDir + "/midimon/bus"

// stays fails when a unit leaves its state within a moment.
func stays(t *testing.T, unit, want string) {
	t.Helper()
	isActive(t, unit, want)
	time.Sleep(2 * time.Second) // nothing is to happen
	isActive(t, unit, want)
}

// Who connects again and again while midimon stops does not bring it back, nor does who waits at
// the socket when it ends: systemd has that too, and starts midimon for whoever is in its queue.
func TestStopWhileClientsConnect(t *testing.T) {
	b := service(t)
	b.awaitOwner(t, 20*time.Second, some)
	t.Run("midimonctl stop", func(t *testing.T) {
		end := make(chan struct{})
		var dialling sync.WaitGroup
		var reached atomic.Int64
		defer dialling.Wait()
		defer close(end)
		for range 4 {
			dialling.Go(func() {
				for {
					select {
					case <-end:
						return
					case <-time.After(time.Millisecond):
					}
					if c, err := net.Dial("unix", socketPath); err == nil { //nolint:noctx // it waits for nothing
						reached.Add(1)
						_ = c.Close()
					}
				}
			})
		}
		for range 2 {
			must(t, "midimonctl", "stop")
			stays(t, "midimon.service", "inactive")
			isActive(t, "midimon.socket", "inactive")
			must(t, "midimonctl", "start")
			before := reached.Load()
			for over := time.Now().Add(20 * time.Second); reached.Load() == before && time.Now().Before(over); {
				time.Sleep(10 * time.Millisecond)
			}
		}
		if reached.Load() == 0 {
			t.Error("nobody ever connected")
		}
	})
	t.Run("the service alone", func(t *testing.T) {
		for range 2 {
			must(t, "systemctl", "--user", "start", "midimon.service")
			pid := b.awaitOwner(t, 20*time.Second, some)
			if err := syscall.Kill(int(pid), syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			for range 20 { // which it finds when systemd, with the signal to end, lets it go on
				c, err := net.Dial("unix", socketPath) //nolint:noctx // it waits for nothing
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close() //nolint:errcheck // only the test ends
			}
			must(t, "systemctl", "--user", "stop", "midimon.service")
			stays(t, "midimon.service", "inactive")
			isActive(t, "midimon.socket", "active")
		}
	})
}
