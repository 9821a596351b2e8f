package reload

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/fsnotify/fsnotify"

	"github.com/amiable-dev/midimon/engine/report"
)

// watch is the directories that are watched.
type watch struct {
	w     *fsnotify.Watcher // nil: there is none
	trail *trail            // that it watches
	err   error             // why it does not watch all of it
}

func (w *watch) events() <-chan fsnotify.Event {
	if w.w == nil {
		return nil
	}
	return w.w.Events
}

func (w *watch) errors() <-chan error {
	if w.w == nil {
		return nil
	}
	return w.w.Errors
}

func (w *watch) close() {
	if w.w != nil {
		_ = w.w.Close() // it has nothing to lose
		w.w = nil
	}
}

// again has the next cover begin anew.
func (w *watch) again() { w.trail.places = nil }

// lost has the next cover begin anew if a directory came or went: another may look the same,
// even to the number of its inode.
func (w *watch) lost(path string) {
	if _, ok := w.trail.known[path]; ok {
		w.trail.places = nil
	}
}

// cover watches where the files come from. Moved says that it is elsewhere than before, and
// that something may have happened there.
func (w *watch) cover(files []string) (moved bool, err error) {
	const enough = 100 // times that the ground moves under us
	for range enough {
		t := trailOf(files)
		if w.trail != nil && t.leads(w.trail) {
			w.trail.names = t.names
			break
		}
		moved = true
		w.renew(t)
	}
	return moved, w.err
}

// renew watches a trail. A new watcher knows nothing of what had the same names before.
func (w *watch) renew(t *trail) {
	w.trail = t
	next, err := fsnotify.NewWatcher()
	if err != nil {
		w.err = failure(err, "instances")
		return
	}
	w.err = nil
	for _, p := range t.places {
		switch err := next.Add(p.path); {
		case err == nil, gone(err):
		case errors.Is(err, fs.ErrPermission): // one can go through it, and not look
		default:
			w.err = failure(err, "watches")
		}
	}
	w.close()
	w.w = next
}

// gone says that a directory vanished before it could be watched. Whoever looks again sees.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}

// failure is the row for what cannot be watched.
func failure(err error, limit string) error {
	f := &report.Fault{Check: "config-watch", Fix: "midimonctl reload", Err: fmt.Errorf("changes of the configuration are seen late: cannot watch it: %w", err)}
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENOSPC) {
		f.Fix = "sudo sysctl fs.inotify.max_user_" + limit + "=65536"
	}
	return f
}
