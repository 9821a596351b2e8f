//go:build linux && desktop

package buscall_test

import (
	"slices"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// TestCallLatency: from the effect to the call that the peer gets, beside programs that call.
func TestCallLatency(t *testing.T) {
	s := newStage(t)
	desktoptest.Need(t, "gdbus", "busctl")
	peer := serve(t, s.Desktop, methods(map[string]string{"Set": "u"}))
	measure := func(name string, act func()) {
		var took []time.Duration
		for range 60 {
			began := time.Now()
			act()
			peer.gets(t, "Set u 7")
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%-8s effect to observed event: p50 %v, p99 %v", name, took[len(took)/2], took[len(took)*99/100])
	}
	s.do("Set", 0, int64(7)) // the peer describes itself once
	peer.gets(t, "Set u 7")
	measure("midimon", func() { s.do("Set", 0, int64(7)) })
	measure("gdbus", func() {
		s.Output("gdbus", "call", "--session", "--dest", name, "--object-path", "/", "--method", iface+".Set", "7")
	})
	measure("busctl", func() { s.Output("busctl", "--user", "call", name, "/", iface, "Set", "u", "7") })
}
