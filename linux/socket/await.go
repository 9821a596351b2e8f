//go:build linux

package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/linux/inotify"
)

// The pauses where the file system says nothing: between a server's bind and its listen,
// and for abstract sockets, which are no files.
const (
	firstPause  = 10 * time.Millisecond
	listenLimit = time.Second
	lastPause   = 5 * time.Second
)

// Await returns nil when a server accepts connections at one of the paths ("@name": an
// abstract socket), or ctx's error. It sleeps until something happens to the paths.
func Await(ctx context.Context, paths ...string) error {
	w, err := inotify.New()
	if err != nil {
		return fmt.Errorf("cannot watch for %s: %w", strings.Join(paths, ", "), err)
	}
	defer w.Close()
	abstract := slices.ContainsFunc(paths, isAbstract)
	pause := firstPause
	for {
		for _, path := range paths {
			if !isAbstract(path) {
				if err := watch(w, path); err != nil {
					return fmt.Errorf("cannot watch for %s: %w", path, err)
				}
			}
		}
		// What happened before the watches were set shows in this attempt.
		refused := false
		for _, path := range paths {
			err := try(ctx, path)
			if err == nil {
				return nil
			}
			refused = refused || errors.Is(err, unix.ECONNREFUSED)
		}
		var again <-chan time.Time
		switch {
		case refused && pause < listenLimit, abstract: // it may be about to listen
			again = time.After(pause)
			pause = min(2*pause, lastPause)
		}
		happened, err := next(ctx, w, again, paths)
		if err != nil {
			return err
		}
		if happened {
			pause = firstPause
		}
	}
}

func isAbstract(path string) bool { return strings.HasPrefix(path, "@") }

func try(ctx context.Context, path string) error {
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return err
	}
	return c.Close()
}

// watch watches the socket's directory and the one above, or what there is of its ancestors.
// What is watched already stays so.
func watch(w *inotify.Watcher, path string) error {
	watched := 0
	for dir := filepath.Dir(path); watched < 2; dir = filepath.Dir(dir) {
		err := w.Add(dir)
		switch {
		case err == nil:
			watched++
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
			return err
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
	return nil
}

// next returns when something happened to one of the paths or their directories, or when
// again has a value.
func next(ctx context.Context, w *inotify.Watcher, again <-chan time.Time, paths []string) (happened bool, err error) {
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-again:
			return false, nil
		case path := <-w.Events:
			if path == "" || concerns(path, paths) {
				return true, nil
			}
		}
	}
}

// concerns says whether what is named is one of the paths or a directory on the way there.
func concerns(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		return name == path || strings.HasPrefix(path, strings.TrimSuffix(name, "/")+"/")
	})
}
