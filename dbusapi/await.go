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

// awaitSocket returns when the way to a bus may have become free: true when a file appeared,
// false after pause. Absent says that there was no socket: then only a file can help.
func awaitSocket(ctx context.Context, address string, absent bool, pause time.Duration) bool {
	watcher, err := fsnotify.NewWatcher()
	if err != nil { // out of inotify instances
		watcher = &fsnotify.Watcher{}
		absent, pause = false, maxPause
	} else {
		defer watcher.Close() //nolint:errcheck // it only watched
	}
	paths, _ := sockets(address)
	for _, path := range paths {
		if filepath.IsAbs(path) && watcher.Add(existing(filepath.Dir(path))) != nil {
			absent = false
		}
		if _, err := os.Lstat(path); absent && err == nil {
			return true // it came before we watched
		}
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
		case e := <-watcher.Events:
			for _, path := range paths {
				if path == e.Name || strings.HasPrefix(path, e.Name+"/") {
					return true
				}
			}
		case err := <-watcher.Errors: // events may be lost
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
