//go:build linux

package main

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service"
)

// TestBackEndsDetect: each back end says what it would work with, or why there is nothing, by the name that it
// has in Health, where nobody answers too.
func TestBackEndsDetect(t *testing.T) {
	dir := dbustest.Dir(t)
	for name, value := range map[string]string{
		"XDG_RUNTIME_DIR": dir, "DBUS_SESSION_BUS_ADDRESS": "unix:path=" + dir + "/nobody", "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=" + dir + "/nobody",
		"DISPLAY": "", "WAYLAND_DISPLAY": "", "LISTEN_FDS": "", "NOTIFY_SOCKET": "",
	} {
		t.Setenv(name, value)
	}
	var o service.Options
	if err := platform(&o, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, b := range o.Backends {
		d, ok := b.(service.Detector)
		if !ok {
			t.Errorf("%s cannot say what it would work with", b.Name())
			continue
		}
		began := time.Now()
		c := d.Detect(ctx)
		t.Logf("%-7s %-8s after %8v: %s", c.Name, c.Status, time.Since(began).Round(time.Microsecond), c.Message)
		if c.Name != b.Name() || c.Message == "" {
			t.Errorf("%s says %+v", b.Name(), c)
		}
		if onBus := slices.Contains([]string{"media", "notify", "dbus"}, b.Name()); onBus && c.Status == report.OK {
			t.Errorf("%s is well, and there is no bus: %+v", b.Name(), c)
		}
	}
	if ctx.Err() != nil {
		t.Error("who does not answer is waited for")
	}
}
