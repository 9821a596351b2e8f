//go:build linux

// Package focus tells which application has the keyboard, as the desktop that runs has it: sway and
// i3, Hyprland, niri, KWin, any X11 window manager of the EWMH. It waits for events; what cannot be
// known is said to be unknown, and never guessed. What midimon does with it is decided elsewhere.
package focus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/inotify"
	"github.com/amiable-dev/midimon/linux/x11"
)

// A Focus is which application has the keyboard.
type Focus struct {
	App    string // its id: a Wayland app_id or an X11 class; empty: none has it
	Source string // who says so; empty: nobody can tell, and then Why says why
	Why    string
}

// errAbsent says that what a source asks is not there.
var errAbsent = errors.New("is not there")

// A source is somebody who can tell.
type source struct {
	name string
	// watch calls tell with each change, the first at once, until ctx is done or the source is
	// lost. It wraps errAbsent if that is not there at all.
	watch func(ctx context.Context, tell func(app string)) error
}

// A Watcher finds a source and follows it.
type Watcher struct {
	getenv  func(string) string
	runtime string // $XDG_RUNTIME_DIR
	user    *bus.Bus
	again   chan struct{}
}

// New watches the session with that environment, and the session's bus.
func New(user *bus.Bus, getenv func(string) string) *Watcher {
	return &Watcher{getenv, getenv("XDG_RUNTIME_DIR"), user, make(chan struct{}, 1)}
}

// Again makes it look for a source anew if it has none.
func (w *Watcher) Again() {
	select {
	case w.again <- struct{}{}:
	default:
	}
}

// settled is when to look again after something has happened: a desktop that has just come, or has
// gone, makes its sockets and takes its names before it answers.
var settled = [...]time.Duration{100 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second}

// Run calls tell with each change, the first at once, until ctx is done.
func (w *Watcher) Run(ctx context.Context, tell func(Focus)) {
	watcher, err := inotify.New()
	if err != nil {
		tell(Focus{Why: "cannot watch for a desktop: " + err.Error()})
		return
	}
	defer watcher.Close()
	for _, dir := range []string{w.runtime, filepath.Join(w.runtime, "hypr"), x11.Sockets} {
		_ = watcher.Add(dir) // one that is not there has no desktop
	}
	kwin := make(chan struct{}, 1)
	go w.awaitKWin(ctx, kwin)
	last := Focus{Why: "\x00"}
	say := func(f Focus) {
		if f != last {
			last = f
			tell(f)
		}
	}
	for looks := 0; ctx.Err() == nil; {
		from := time.Now()
		why := w.follow(ctx, say)
		if ctx.Err() != nil {
			return
		}
		if time.Since(from) > settled[1] { // one was there, and has gone
			looks = 0
		}
		say(Focus{Why: why})
		if w.await(ctx, watcher, kwin, looks) {
			looks = 0
		} else {
			looks++
		}
	}
}

// follow follows the first source that can tell, until it is lost. It says why none can.
func (w *Watcher) follow(ctx context.Context, say func(Focus)) string {
	var why []string
	mute := func(reason string) { say(Focus{Why: "X11: " + reason}) }
	for _, s := range w.sources(mute) {
		told := false
		err := s.watch(ctx, func(app string) {
			told = true
			say(Focus{App: strings.ToLower(app), Source: s.name})
		})
		if told || ctx.Err() != nil {
			return s.name + " is gone"
		}
		if err != nil && !errors.Is(err, errAbsent) {
			why = append(why, fmt.Sprintf("%s: %v", s.name, err))
		}
	}
	if len(why) > 0 {
		return strings.Join(why, "; ")
	}
	return "no desktop here tells which application has the focus"
}

// sources are all, the surest first. X11 knows no Wayland window, so it counts alone.
func (w *Watcher) sources(mute func(string)) []source {
	s := []source{
		{"sway", w.sway}, {"Hyprland", w.hyprland}, {"niri", w.niri}, {"KWin", w.kwin},
	}
	if !w.wayland() {
		s = append(s, source{"X11", func(ctx context.Context, tell func(string)) error { return w.x11(ctx, tell, mute) }})
	}
	return s
}

// wayland says whether a Wayland compositor runs.
func (w *Watcher) wayland() bool {
	if w.getenv("WAYLAND_DISPLAY") != "" {
		return true
	}
	return len(sockets(w.runtime, "wayland-*")) > 0
}

// sockets are what fits the pattern in a directory, without locks, the newest first.
func sockets(dir, pattern string) []string {
	if dir == "" {
		return nil
	}
	found, _ := filepath.Glob(filepath.Join(dir, pattern))
	found = slices.DeleteFunc(found, func(path string) bool {
		fi, err := os.Stat(path)
		return err != nil || fi.Mode()&os.ModeSocket == 0
	})
	slices.SortFunc(found, func(a, b string) int { return -compareAge(a, b) })
	return found
}

func compareAge(a, b string) int {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX != nil || errY != nil {
		return 0
	}
	return x.ModTime().Compare(y.ModTime())
}

// await returns when a source may have come: true, because something has happened, or false, because
// it is time for another look after so many.
func (w *Watcher) await(ctx context.Context, watcher *inotify.Watcher, kwin <-chan struct{}, looks int) bool {
	var soon <-chan time.Time
	if looks < len(settled) {
		soon = time.After(settled[looks])
	}
	for {
		select {
		case <-ctx.Done():
			return true
		case <-w.again:
			return true
		case <-kwin:
			return true
		case path := <-watcher.Events:
			if path == "" { // events were lost: look
				return true
			}
			if _, err := os.Lstat(path); err == nil && telling(path) {
				if filepath.Base(path) == "hypr" {
					_ = watcher.Add(path)
				}
				return true
			}
		case <-soon:
			return false
		}
	}
}

// telling says whether a new file may be a desktop's.
func telling(path string) bool {
	name := filepath.Base(path)
	for _, prefix := range []string{"sway-ipc.", "i3", "wayland-", "hypr", "niri.", "X"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return filepath.Base(filepath.Dir(path)) == "hypr"
}
