package dbusapi

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Between tries to reach a bus whose socket is there and does not answer.
const (
	minPause = 20 * time.Millisecond
	maxPause = 30 * time.Second
)

// A way is where the sockets of a bus may come to be. It is watched from the first time that it is awaited: to
// begin and end that takes as long as all the rest of an attempt, in which notes wait.
type way struct {
	paths   []string
	watcher *fsnotify.Watcher // nil: not watched
	watched []string          // the directory of each path
}

func wayTo(address string) *way {
	paths, _ := sockets(address)
	return &way{paths: paths}
}

// forget ends the watch.
func (w *way) forget() {
	if w.watcher != nil {
		_ = w.watcher.Close() // it only watched
		w.watcher = nil
	}
}

// watch says whether every change on the way is seen.
func (w *way) watch() bool {
	if w.watcher == nil {
		watcher, err := fsnotify.NewWatcher()
		if err != nil { // out of inotify instances
			return false
		}
		w.watcher, w.watched = watcher, make([]string, len(w.paths))
	}
	all := true
	for i, path := range w.paths {
		if !filepath.IsAbs(path) || w.watched[i] != "" {
			continue
		}
		dir := existing(filepath.Dir(path))
		for was := ""; dir != was && w.watcher.Add(dir) == nil; { // a deeper one may have come meanwhile
			w.watched[i], was, dir = dir, dir, existing(filepath.Dir(path))
		}
		all = all && dir == w.watched[i]
	}
	return all
}

// await returns when the way to a bus may have become free: true when a file appeared,
// false after pause. Absent says that there was no socket: then only a file can help.
func (w *way) await(ctx context.Context, absent bool, pause time.Duration) bool {
	if !w.watch() {
		absent = false
	}
	for _, path := range w.paths {
		if _, err := os.Lstat(path); absent && err == nil {
			return true // it came before we watched
		}
	}
	var events chan fsnotify.Event
	var errs chan error
	if w.watcher != nil {
		events, errs = w.watcher.Events, w.watcher.Errors
	} else {
		pause = maxPause
	}
	var timer <-chan time.Time
	if !absent {
		timer = time.After(pause)
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer:
			return false
		case e := <-events:
			for _, path := range w.paths {
				if path == e.Name || strings.HasPrefix(path, e.Name+"/") {
					clear(w.watched) // a directory may be another one
					return true
				}
			}
		case err := <-errs: // events may be lost
			w.forget()
			return err != nil
		}
	}
}

// existing is the deepest directory on the way to dir that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
