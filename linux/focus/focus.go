//go:build linux

// Package focus tells which application has the keyboard, as the desktop that runs has it: sway and
// i3, Hyprland, niri, KWin, any X11 window manager of the EWMH, any other Wayland compositor that
// lists its windows to panels, and on GNOME an extension of its shell, or the applications themselves, by
// AT-SPI. It waits for events; what cannot be known is said to be unknown, and never guessed. What midimon does with it is decided elsewhere.
package focus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/inotify"
	"github.com/amiable-dev/midimon/linux/x11"
)

// A Focus is which application has the keyboard.
type Focus struct {
	App    string // its id: a Wayland app_id or an X11 class; empty: none has it
	Source string // who says so; empty: nobody can tell, and then Why says why
	Why    string
	Fix    string // a command that mends that, or empty
}

// errAbsent says that what a source asks is not there.
var errAbsent = errors.New("is not there")

// fixable is an error that a command mends.
type fixable struct{ why, fix string }

func (f *fixable) Error() string { return f.why }

// A source is somebody who can tell.
type source struct {
	name string
	// watch calls tell with each change, the first at once, until ctx is done or the source is
	// lost. It wraps errAbsent if that is not there at all.
	watch func(ctx context.Context, tell func(app string)) error
}

// leave leaves v in a channel of one. Of it and what nobody has taken yet, one stays. It never blocks.
func leave[T any](c chan T, v T, stays func(was, now T) T) {
	for {
		select {
		case c <- v:
			return
		default:
		}
		select {
		case was := <-c:
			v = stays(was, v)
		default: // it was taken just now
		}
	}
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

// look makes it look for a source anew if it has none.
func (w *Watcher) look() {
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
		tell(Focus{Why: "cannot watch for a desktop: " + err.Error(), Fix: "sudo sysctl fs.inotify.max_user_instances=1024"})
		return
	}
	defer watcher.Close()
	for _, dir := range []string{w.runtime, filepath.Join(w.runtime, "hypr"), x11.Sockets} {
		_ = watcher.Add(dir) // one that is not there has no desktop
	}
	for _, name := range []string{kwinName, gnomeName} {
		go w.awaitOwner(ctx, name)
	}
	go w.awaitSignal(ctx, statusChanges, statusChange)
	go w.awaitSignal(ctx, extensionStates, extensionState)
	last := Focus{Why: "\x00"}
	say := func(f Focus) {
		if f != last {
			last = f
			tell(f)
		}
	}
	for looks := 0; ctx.Err() == nil; {
		from := time.Now()
		unknown := follow(ctx, w.sources(say), say)
		if ctx.Err() != nil {
			return
		}
		if time.Since(from) > settled[1] { // one was there, and has gone
			looks = 0
		}
		say(unknown)
		if w.await(ctx, watcher, looks) {
			looks = 0
		} else {
			looks++
		}
	}
}

// Detect says who would tell, or why nobody can. It changes nothing: KWin, which takes one script of
// a name, is only looked for.
func (w *Watcher) Detect(ctx context.Context) report.Check {
	const name = "focus"
	if conn, err := w.user.Conn(ctx); err == nil && owner(ctx, conn, kwinName) != "" {
		return report.Check{Name: name, Status: report.OK, Message: "by KWin"}
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var first *Focus
	say := func(f Focus) {
		if first == nil {
			first = &f
			cancel()
		}
	}
	others := slices.DeleteFunc(w.sources(say), func(s source) bool { return s.name == "KWin" })
	if unknown := follow(ctx, others, say); first == nil {
		first = &unknown
	}
	if first.Source == "" {
		return report.Check{Name: name, Status: report.Warning, Message: first.Why, Fix: cmp.Or(first.Fix, report.ReportFocus)}
	}
	return report.Check{Name: name, Status: report.OK, Message: "by " + first.Source}
}

// follow follows the first source that can tell, until it is lost. It says why none can.
func follow(ctx context.Context, sources []source, say func(Focus)) (unknown Focus) {
	var why []string
	for _, s := range sources {
		told := false
		err := s.watch(ctx, func(app string) {
			told = true
			say(Focus{App: strings.ToLower(app), Source: s.name})
		})
		if told || ctx.Err() != nil {
			return Focus{Why: s.name + " is gone"}
		}
		if err != nil && !errors.Is(err, errAbsent) {
			why = append(why, fmt.Sprintf("%s: %v", s.name, err))
		}
		if f, ok := errors.AsType[*fixable](err); ok {
			unknown.Fix = f.fix
		}
	}
	if unknown.Why = strings.Join(why, "; "); unknown.Why == "" {
		unknown.Why = "no desktop here tells which application has the focus"
	}
	return unknown
}

// sources are all, the surest first.
func (w *Watcher) sources(say func(Focus)) []source {
	// mutable is a source that at times cannot tell, and says why.
	mutable := func(name string, watch func(ctx context.Context, tell, mute func(string)) error) source {
		return source{name, func(ctx context.Context, tell func(string)) error {
			return watch(ctx, tell, func(why string) { say(Focus{Why: name + ": " + why}) })
		}}
	}
	return []source{
		{"sway", w.sway},
		{"Hyprland", w.hyprland},
		{"niri", w.niri},
		{"KWin", w.kwin},
		mutable("X11", w.x11),
		{"the compositor", w.wayland},
		{extensionName, w.extension},
		mutable("AT-SPI", w.atspi),
	}
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
func (w *Watcher) await(ctx context.Context, watcher *inotify.Watcher, looks int) bool {
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
