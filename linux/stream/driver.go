//go:build linux

package stream

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// Driver opens the paths that the configuration names.
type Driver struct {
	log *slog.Logger

	mu      sync.Mutex
	paths   []string
	session *Session // the open one, if any
}

// New makes a driver for these paths. It touches nothing before Open.
func New(log *slog.Logger, paths []string) *Driver {
	return &Driver{log: log, paths: slices.Clone(paths)}
}

// Name is the kind of the devices found: "raw".
func (d *Driver) Name() string { return "raw" }

// SetPaths makes these the paths, after a reload. A port that is listened to and no longer
// among them stays until Ignore.
func (d *Driver) SetPaths(paths []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paths = slices.Clone(paths)
	if d.session != nil {
		d.session.setPaths(d.paths)
	}
}

// Open starts a session. Inputs go to deliver, each port's in order and from a goroutine of
// its own; it may block, but must not wait for a call of Ignore. The error is a
// *report.Fault of check "raw": the kernel gives no inotify instance.
func (d *Driver) Open(deliver func(engine.Input)) (*Session, error) {
	w, err := newWatcher()
	if err != nil {
		return nil, &report.Fault{Check: "raw", Fix: "sudo sysctl fs.inotify.max_user_instances=1024", Err: err}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = newSession(d.log, w, deliver)
	d.session.setPaths(d.paths)
	return d.session, nil
}

// Await waits for ctx's end and returns its error: what Open needs gives no sign of coming.
func (d *Driver) Await(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
