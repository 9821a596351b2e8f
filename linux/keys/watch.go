//go:build linux

package keys

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/linux/inotify"
	"github.com/amiable-dev/midimon/linux/x11"
)

// settle is when to look again after something has happened: sockets come before those who listen,
// and the environment and access rights some time after them.
var settle = [...]time.Duration{20 * time.Millisecond, 300 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second}

const devices = "/dev"

// watch closes gone when something else is to be chosen than was on the sight of w, or what is open
// is lost.
func (b *Backend) watch(ctx context.Context, w *world, gone, ended chan struct{}) {
	defer close(ended)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lost := make(chan struct{}, len(b.ways))
	for _, o := range b.ways {
		go func() {
			select {
			case <-o.lost():
				lost <- struct{}{}
			case <-ctx.Done():
			}
		}()
	}
	happens := b.happenings(ctx)
	again := 1 // the desktop may be about to say more
	timer := time.NewTimer(settle[again])
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-lost:
			close(gone)
			return
		case <-b.changed:
			close(gone)
			return
		case <-happens:
			again = 0
			timer.Reset(settle[0])
		case <-timer.C:
			now := b.look(ctx)
			if ctx.Err() == nil && choose(now, b.backend()) != b.chosen || now.compositor != w.compositor && now.compositor != "" {
				close(gone)
				return
			}
			if ctx.Err() == nil {
				b.tellOfText(b.chosen, now.console)
			}
			if again++; again < len(settle) {
				timer.Reset(settle[again])
			}
		}
	}
}

// Await returns nil when Open is worth another try, or ctx's error.
func (b *Backend) Await(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	happens := b.happenings(ctx)
	seen := b.look(ctx)
	timer := time.NewTimer(settle[1])
	defer timer.Stop()
	for again := 1; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-b.changed:
			return nil
		case <-happens:
			again = 0
			timer.Reset(settle[0])
		case <-timer.C:
			if now := b.look(ctx); *now != *seen || choose(now, b.backend()).keys != "" {
				return nil
			}
			if again++; again < len(settle) {
				timer.Reset(settle[again])
			}
		}
	}
}

// happenings has a value after a display or the node of uinput came, went or changed. It is quiet
// where that cannot be watched.
func (b *Backend) happenings(ctx context.Context) <-chan struct{} {
	out := make(chan struct{}, 1)
	dirs := map[string]string{x11.Sockets: "X", devices: "uinput"}
	if dir := b.getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs[dir] = "wayland-"
	}
	go func() {
		if err := follow(ctx, dirs, out); err != nil && ctx.Err() == nil {
			b.log.Warn("displays are not watched", "err", err)
		}
	}()
	return out
}

// follow tells of entries of directories whose name begins so.
func follow(ctx context.Context, dirs map[string]string, out chan<- struct{}) error {
	w, err := inotify.New()
	if err != nil {
		return err
	}
	defer w.Close()
	prefixes := map[string][]string{} // by what is watched
	add := func() error {
		clear(prefixes)
		for dir, p := range dirs {
			at, p, err := nearest(w, dir, p)
			if err != nil {
				return err
			}
			prefixes[at] = append(prefixes[at], p)
		}
		return nil
	}
	if err := add(); err != nil {
		return err
	}
	for {
		var path string
		select {
		case <-ctx.Done():
			return ctx.Err()
		case path = <-w.Events:
		}
		dir, name := filepath.Split(path)
		ours := path == "" || prefixes[path] != nil || // events were lost, or what is watched is another
			slices.ContainsFunc(prefixes[filepath.Clean(dir)], func(p string) bool { return strings.HasPrefix(name, p) })
		if !ours {
			continue
		}
		if err := add(); err != nil { // a directory may have come, or gone
			return err
		}
		select {
		case out <- struct{}{}:
		default:
		}
	}
}

// nearest watches a directory for entries whose name begins so, or while there is none the nearest
// above it for the way there.
func nearest(w *inotify.Watcher, dir, prefix string) (at, name string, err error) {
	for at, name = filepath.Clean(dir), prefix; ; {
		err := w.Add(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at):
			at, name = filepath.Dir(at), filepath.Base(at)
			continue
		case err != nil:
			return "", "", err
		}
		if _, err := os.Lstat(filepath.Join(at, name)); at == filepath.Clean(dir) || err != nil {
			return at, name, nil
		}
		at, name = filepath.Clean(dir), prefix // what was missing came before it was watched
	}
}
