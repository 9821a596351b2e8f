//go:build linux

// Package tray shows an icon with a menu in the panel: a StatusNotifierItem (freedesktop.org and KDE)
// whose menu is a com.canonical.dbusmenu. What stands in the menu, and what an entry does, is decided
// elsewhere.
package tray

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
)

const (
	watcher     = "org.kde.StatusNotifierWatcher"
	watcherPath = dbus.ObjectPath("/StatusNotifierWatcher")
	itemPath    = dbus.ObjectPath("/StatusNotifierItem")
	menuPath    = dbus.ObjectPath("/MenuBar")

	itemIface = "org.kde.StatusNotifierItem"
	menuIface = "com.canonical.dbusmenu"
)

// answerWithin is how long the watcher may take to confirm the icon. A slow one has it all the same.
const answerWithin = 2 * time.Second

// A Face is what is shown.
type Face struct {
	State   string // in whose colours the icon is: "running", "stopped" and what else midimon's State says
	Tooltip string
	Menu    []Entry
}

// A Mark is what an entry can have before its title.
type Mark string

// The marks: none, a tick, and one of several.
const (
	Unmarked Mark = ""
	Tick     Mark = "checkmark"
	OneOf    Mark = "radio"
)

// An Entry is a line of the menu.
type Entry struct {
	Key      string // what it is, whatever its title says now; once in its menu
	Title    string // empty: a line between others
	Mark     Mark
	Checked  bool // the mark is set
	Disabled bool
	Do       func() // called when it is chosen, from any goroutine; it must not block
	Menu     []Entry
}

// A tray is the icon. Its fields are Run's, but for shown, which whoever asks may read.
type tray struct {
	log   *slog.Logger
	bus   *bus.Bus
	ids   ids
	shown atomic.Pointer[shown]

	shared *dbus.Conn // the bus's, on which the watcher is; nil: none
	own    *dbus.Conn // on which the objects are, until end; nil: nowhere
	end    func()
	owner  string // of the watcher's name; empty: there is none
	known  string // the owner that has been told of the icon
}

// shown is one face, made ready for those who ask. It is not changed.
type shown struct {
	face Face
	menu *menu
	icon []pixmap
}

// Run shows faces, each until the next, until ctx is done. Panels and the bus may come later, go and
// come back, and nothing is started for their sake. Its error is bus.ErrAbsent if there can be no bus.
func Run(ctx context.Context, b *bus.Bus, faces <-chan Face, log *slog.Logger) error {
	if _, err := b.Conn(ctx); errors.Is(err, bus.ErrAbsent) {
		return err
	}
	type host struct {
		conn  *dbus.Conn
		owner string
	}
	hosts := make(chan host)
	var follower sync.WaitGroup
	defer follower.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	follower.Go(func() {
		b.Owner(ctx, watcher, func(conn *dbus.Conn, owner string) {
			select {
			case hosts <- host{conn, owner}:
			case <-ctx.Done():
			}
		})
	})
	t := &tray{log: log, bus: b}
	defer t.leave()
	for {
		select {
		case <-ctx.Done():
			return nil
		case h := <-hosts:
			t.move(h.conn, h.owner)
		case f := <-faces:
			t.show(f)
		}
		t.register(ctx)
	}
}

// move takes where the panel is now.
func (t *tray) move(conn *dbus.Conn, owner string) {
	if conn != t.shared {
		t.leave()
		t.shared = conn
		if conn != nil {
			own, err := t.bus.Another()
			if err != nil {
				t.log.Error("cannot offer the tray icon", "err", err)
				return
			}
			t.own, t.end = own, t.serve(own)
		}
	}
	if t.owner = owner; owner == "" {
		t.known = ""
	}
}

// leave takes the objects away.
func (t *tray) leave() {
	if t.own != nil {
		t.end()
	}
	t.shared, t.own, t.owner, t.known = nil, nil, "", ""
}

// register tells a watcher that does not know it of the icon.
func (t *tray) register(ctx context.Context) {
	if t.own == nil || t.owner == "" || t.owner == t.known || t.shown.Load() == nil {
		return
	}
	t.known = t.owner
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err := t.shared.Object(t.owner, watcherPath).CallWithContext(ctx, watcher+".RegisterStatusNotifierItem", dbus.FlagNoAutoStart, t.own.Names()[0]).Err
	if err != nil && ctx.Err() == nil {
		t.log.Warn("the panel does not take the tray icon", "err", bus.Reason(err))
	}
}

// show takes a new face and tells who listens what is new.
func (t *tray) show(f Face) {
	was := t.shown.Load()
	now := &shown{face: f}
	if was == nil {
		now.icon, now.menu = Icon(f.State), t.ids.build(nil, f.Menu)
		t.shown.Store(now)
		return
	}
	now.icon, now.menu = was.icon, t.ids.build(was.menu, f.Menu)
	if f.State != was.face.State {
		now.icon = Icon(f.State)
	}
	t.shown.Store(now)
	if f.State != was.face.State {
		t.emit(itemPath, itemIface+".NewIcon")
	}
	if f.Tooltip != was.face.Tooltip {
		t.emit(itemPath, itemIface+".NewToolTip")
	}
	if updated, removed := now.menu.differs(was.menu); len(updated)+len(removed) > 0 {
		t.emit(menuPath, menuIface+".ItemsPropertiesUpdated", updated, removed)
	}
	if now.menu.revision != was.menu.revision {
		t.emit(menuPath, menuIface+".LayoutUpdated", now.menu.revision, int32(0))
	}
}

// emit sends a signal. On a connection that is lost nobody listens.
func (t *tray) emit(path dbus.ObjectPath, name string, body ...any) {
	if t.own != nil {
		_ = t.own.Emit(path, name, body...)
	}
}
