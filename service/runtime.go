package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/lock"
)

const (
	runtimeCheck = "no-runtime-dir"
	ownDir       = "midimon" // in the runtime directory
	socketName   = "bus"
)

// runtime is what the daemon has in the runtime directory: the lock and the private socket.
type runtime struct {
	o        *Options
	lock     *lock.Lock
	listener net.Listener
}

// claim takes both. Without a runtime directory there is neither, which the row says.
func (r *runtime) claim() (*report.Check, error) {
	missing := func(why string) *report.Check {
		return &report.Check{
			Name: runtimeCheck, Status: report.Failed, Fix: RuntimeDirFix(r.o.RuntimeDir),
			Message: why + ": midimonctl can reach midimon by the session bus only, and a second midimon is not noticed",
		}
	}
	if r.o.Socket != "" && r.listener == nil && r.o.Listener == nil {
		l, err := lock.Listen(r.o.Socket)
		if err != nil {
			return nil, err
		}
		r.listener = l
	}
	if r.o.Listener != nil {
		r.listener = r.o.Listener
		if l, ok := r.o.Listener.(*net.UnixListener); ok {
			r.listener = lock.Shared{UnixListener: l}
		}
	}
	if r.o.RuntimeDir == "" {
		return missing("XDG_RUNTIME_DIR is not set"), nil
	}
	if _, err := os.Stat(r.o.RuntimeDir); errors.Is(err, fs.ErrNotExist) {
		return missing(r.o.RuntimeDir + " is not there"), nil
	}
	dir := filepath.Join(r.o.RuntimeDir, ownDir)
	if err := lock.Dir(dir); err != nil {
		return nil, err
	}
	l, err := lock.Take(dir, r.o.StartedBy)
	if err != nil {
		return nil, err
	}
	r.lock = l
	if r.listener == nil {
		if r.listener, err = lock.Listen(filepath.Join(dir, socketName)); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return nil, nil
}

// RuntimeDirFix is what brings a runtime directory where $XDG_RUNTIME_DIR, which may be empty, names
// none: the one that logind keeps for the user, or logind.
func RuntimeDirFix(dir string) string {
	if usual := fmt.Sprintf("/run/user/%d", os.Getuid()); dir != usual {
		if _, err := os.Stat(usual); err == nil {
			return "export XDG_RUNTIME_DIR=" + usual
		}
	}
	return "loginctl enable-linger"
}

// close gives both back. Our own socket's file goes while we have the lock: later it could be
// another daemon's. One that somebody shares goes last: whoever only looks does not connect once
// the lock is free, so of those nobody comes after the last was dismissed.
func (r *runtime) close() {
	shared, ok := r.listener.(lock.Shared)
	if r.listener != nil && !ok {
		_ = r.listener.Close() // who served it has closed it; then this is nothing
	}
	if r.lock != nil {
		_ = r.lock.Close()
	}
	if ok {
		if err := shared.Dismiss(); err != nil {
			r.o.Log.Warn("clients may wait at the socket", "err", err)
		}
	}
}

// fatalError ends a daemon that had begun.
type fatalError struct{ error }

// awaitRuntime waits for the runtime directory and then takes what belongs there.
func (d *Daemon) awaitRuntime(ctx, serve context.Context, clients *serving, fatal context.CancelCauseFunc) {
	if d.o.RuntimeDir == "" {
		return // it cannot come any more
	}
	had := d.runtime.listener != nil
	row, err := awaitPath(ctx, d.o.RuntimeDir, d.runtime.claim)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		fatal(fatalError{err})
		return
	}
	if !had && clients != nil {
		clients.private(serve, d.runtime.listener, d.o.Log)
	}
	d.board.post(func() { d.board.rows.Set(row) })
}

// awaitPath tries claim whenever something happens on the way to path, until it no longer
// misses anything. What it cannot do yet, because the directory is not ours yet, it tries again.
func awaitPath(ctx context.Context, path string, claim func() (*report.Check, error)) (report.Check, error) {
	ok := report.Check{Name: runtimeCheck, Status: report.OK}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return ok, fmt.Errorf("cannot wait for %s: %w", path, err)
	}
	defer w.Close() //nolint:errcheck // nothing was written
	for {
		for dir := path; ; dir = filepath.Dir(dir) { // the nearest that there is, and path itself
			if w.Add(dir) == nil || dir == filepath.Dir(dir) {
				break
			}
		}
		missing, err := claim()
		var held *lock.Held
		switch {
		case errors.As(err, &held), errors.Is(err, lock.ErrServed):
			return ok, err
		case err == nil && missing == nil:
			return ok, nil
		}
		select {
		case <-ctx.Done():
			return ok, ctx.Err()
		case <-w.Events:
		case <-w.Errors: //nolint:errcheck // events were lost: look again
		}
	}
}
