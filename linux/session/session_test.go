//go:build linux

package session_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/remedy"
	"github.com/amiable-dev/midimon/linux/session"
)

const (
	login    = "org.freedesktop.login1"
	seated   = dbus.ObjectPath("/org/freedesktop/login1/session/_31")
	remote   = dbus.ObjectPath("/org/freedesktop/login1/session/_32")
	others   = dbus.ObjectPath("/org/freedesktop/login1/session/_33")
	manager  = dbus.ObjectPath("/org/freedesktop/login1")
	timeout  = 60 * time.Second
	screens  = "org.freedesktop.ScreenSaver"
	propsOf  = "org.freedesktop.DBus.Properties"
	userPath = dbus.ObjectPath("/org/freedesktop/login1/user/_4242")
)

// logind answers as the real one does; the machine's tests ask that.
type logind struct {
	conn  *dbus.Conn
	stage *stage // how it answers who asks for inhibitors

	mu       sync.Mutex
	asleep   bool
	sessions []dbus.ObjectPath // nil: the user has none and does not linger
	values   map[dbus.ObjectPath]map[string]dbus.Variant
}

type path struct {
	ID   string
	Path dbus.ObjectPath
}

// user and one are its objects.
type (
	machine struct{ l *logind }
	user    struct{ l *logind }
	one     struct {
		l    *logind
		path dbus.ObjectPath
	}
)

func (m machine) GetUser(uid uint32) (dbus.ObjectPath, *dbus.Error) {
	m.l.mu.Lock()
	defer m.l.mu.Unlock()
	if int(uid) != os.Getuid() || m.l.sessions == nil {
		return "", dbus.NewError(login+".NoSuchUser", []any{"not logged in"})
	}
	return userPath, nil
}

func (m machine) Get(_, name string) (dbus.Variant, *dbus.Error) {
	m.l.mu.Lock()
	defer m.l.mu.Unlock()
	if name != "PreparingForSleep" {
		return dbus.Variant{}, dbus.MakeFailedError(context.Canceled)
	}
	return dbus.MakeVariant(m.l.asleep), nil
}

func (u user) Get(_, name string) (dbus.Variant, *dbus.Error) {
	u.l.mu.Lock()
	defer u.l.mu.Unlock()
	if name != "Sessions" {
		return dbus.Variant{}, dbus.MakeFailedError(context.Canceled)
	}
	list := []path{}
	for _, p := range u.l.sessions {
		list = append(list, path{"1", p})
	}
	return dbus.MakeVariant(list), nil
}

func (o one) GetAll(string) (map[string]dbus.Variant, *dbus.Error) {
	o.l.mu.Lock()
	defer o.l.mu.Unlock()
	out := map[string]dbus.Variant{}
	for k, v := range o.l.values[o.path] {
		out[k] = v
	}
	return out, nil
}

func (l *logind) set(t *testing.T, name string, value any) {
	t.Helper()
	l.mu.Lock()
	l.values[seated][name] = dbus.MakeVariant(value)
	l.mu.Unlock()
	l.emit(t, seated, propsOf+".PropertiesChanged", login+".Session", map[string]dbus.Variant{name: dbus.MakeVariant(value)}, []string{})
}

func (l *logind) emit(t *testing.T, path dbus.ObjectPath, name string, args ...any) {
	t.Helper()
	if err := l.conn.Emit(path, name, args...); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, d *desktoptest.Desktop) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func own(t *testing.T, conn *dbus.Conn, name string) {
	t.Helper()
	if _, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
}

func newLogind(t *testing.T, d *desktoptest.Desktop, s *stage) *logind {
	t.Helper()
	seat := func(name string) dbus.Variant {
		return dbus.MakeVariant(path{name, "/org/freedesktop/login1/seat/" + dbus.ObjectPath(name)})
	}
	l := &logind{
		conn: connect(t, d), stage: s, sessions: []dbus.ObjectPath{seated, remote},
		values: map[dbus.ObjectPath]map[string]dbus.Variant{
			seated: {"Seat": seat("seat0"), "Active": dbus.MakeVariant(true), "LockedHint": dbus.MakeVariant(false)},
			remote: {"Seat": dbus.MakeVariant(path{"", "/"}), "Active": dbus.MakeVariant(true), "LockedHint": dbus.MakeVariant(true)},
		},
	}
	if err := l.conn.Export(machine{l}, manager, login+".Manager"); err != nil {
		t.Fatal(err)
	}
	for p, object := range map[dbus.ObjectPath]any{manager: machine{l}, userPath: user{l}, seated: one{l, seated}, remote: one{l, remote}} {
		if err := l.conn.Export(object, p, propsOf); err != nil {
			t.Fatal(err)
		}
	}
	own(t, l.conn, login)
	return l
}

func TestSession(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	system, desk := desktoptest.New(t), desktoptest.New(t)
	told := make(chan report.Session, 32)
	w := session.New(bus.Session(system.Getenv), bus.Session(desk.Getenv))
	go w.Run(ctx, func(s report.Session) { told <- s })
	until := func(what string, want report.Session) {
		t.Helper()
		for {
			select {
			case got := <-told:
				if got.Delayed, got.Undelayed = false, ""; got == want { // whether sleep waits is another test's
					return
				}
			case <-ctx.Done():
				t.Fatalf("%s: nobody told of %+v", what, want)
			}
		}
	}
	open := report.Session{Known: true, Present: true, Active: true}
	locked, away, asleep := open, open, open
	locked.Locked, away.Active, asleep.Asleep = true, false, true

	unknown := report.Session{Present: true, Active: true, Fix: remedy.Logind()}
	until("without logind", unknown)
	look := func() report.Check {
		return session.New(bus.Session(system.Getenv), bus.Session(desk.Getenv)).Detect(ctx)
	}
	if c := look(); c.Status != report.Warning || c.Fix != remedy.Logind() {
		t.Errorf("without logind %+v", c)
	}
	refusing := &stage{ctx: ctx, asked: make(chan []string, 64), answer: make(chan *dbus.Error)}
	l := newLogind(t, system, refusing)
	until("logind comes; who came by ssh has no screen to lock", open)
	detect := func(words string) {
		t.Helper()
		if c := look(); !strings.Contains(c.Message, words) {
			t.Errorf("%+v, want %q", c, words)
		}
	}
	detect("in front and not locked")
	l.set(t, "LockedHint", true)
	until("the hint", locked)
	detect("is locked")
	l.set(t, "LockedHint", false)
	until("no hint", open)
	l.emit(t, seated, login+".Session.Lock")
	until("somebody asks for the lock", locked)
	l.emit(t, others, login+".Session.Unlock")
	l.emit(t, remote, login+".Session.Unlock")
	l.emit(t, seated, login+".Session.Unlock")
	until("and for its end", open)
	l.emit(t, others, login+".Session.Lock")
	l.set(t, "Active", false)
	until("another user in front, who locked the screen before", away)
	l.set(t, "Active", true)
	until("back", open)
	l.set(t, "Active", false)
	until("another user in front", away)
	detect("not in front")
	l.set(t, "Active", true)
	until("back", open)
	sleep := func(asleep bool) {
		l.mu.Lock()
		l.asleep = asleep
		l.mu.Unlock()
	}
	sleep(true)
	l.emit(t, manager, login+".Manager.PrepareForSleep", true)
	until("to sleep", asleep)
	sleep(false)
	l.emit(t, manager, login+".Manager.PrepareForSleep", false)
	until("awake", open)
	sleep(true)
	w.Again()
	until("a look finds it about to sleep", asleep)
	sleep(false)
	w.Again()
	until("a look finds it awake", open)

	asked := &active{}
	asked.on.Store(true)
	saver := connect(t, desk)
	own(t, saver, screens)
	if err := saver.Emit("/org/freedesktop/ScreenSaver", screens+".ActiveChanged", true); err != nil {
		t.Fatal(err)
	}
	// Whether that came before we listened does not matter: the question tells.
	if err := saver.Export(asked, "/org/freedesktop/ScreenSaver", screens); err != nil {
		t.Fatal(err)
	}
	if _, err := saver.ReleaseName(screens); err != nil {
		t.Fatal(err)
	}
	own(t, saver, screens)
	until("a screen saver", locked)
	asked.on.Store(false)
	w.Again()
	until("a look finds it off", open)
	asked.on.Store(true)
	w.Again()
	until("a look finds it on", locked)
	_ = saver.Close()
	until("it is gone", open)

	// A signal was missed: a new look finds out.
	l.mu.Lock()
	l.values[seated]["LockedHint"] = dbus.MakeVariant(true)
	l.mu.Unlock()
	w.Again()
	until("a look", locked)
	l.mu.Lock()
	l.sessions = []dbus.ObjectPath{remote}
	l.mu.Unlock()
	l.emit(t, manager, login+".Manager.SessionRemoved", "1", seated)
	until("the last session at a seat ends", report.Session{Known: true})
	l.mu.Lock()
	l.sessions, l.values[seated]["LockedHint"] = []dbus.ObjectPath{seated, remote}, dbus.MakeVariant(false)
	l.mu.Unlock()
	l.emit(t, manager, login+".Manager.SessionNew", "1", seated)
	until("a session comes", open)
	l.mu.Lock()
	l.sessions = nil
	l.mu.Unlock()
	l.emit(t, manager, login+".Manager.SessionRemoved", "1", seated)
	until("the user is gone", report.Session{Known: true})
	detect("no session of yours")
	_ = l.conn.Close()
	until("logind goes", unknown)
	detect("logind does not answer")
}

type active struct{ on atomic.Bool }

// GetActive says whether the screen is locked.
func (a *active) GetActive() (bool, *dbus.Error) { return a.on.Load(), nil }

// TestALockThatNobodyConfirms is assumed, since some lock screens say nothing, and said to be.
func TestALockThatNobodyConfirms(t *testing.T) {
	s := setting(t)
	l := newLogind(t, s.system, s)
	s.answer <- nil // who asks for an inhibitor gets it
	s.watcher.Doubting(50 * time.Millisecond)
	s.run()
	lock := func(word string) { t.Helper(); l.emit(t, seated, login+".Session."+word) }
	open := func(is report.Session) bool { return is.Known && !is.Locked && !is.Assumed }
	locked := func(is report.Session) bool { return is.Locked && !is.Assumed && is.Fix == "" }
	assumed := func(is report.Session) bool { return is.Locked && is.Assumed && is.Fix == "loginctl unlock-session" }
	s.until("not locked", open)
	lock("Lock")
	s.until("somebody asks for it", locked)
	s.until("and nothing follows", assumed)
	lock("Unlock")
	s.until("its end", open)
	lock("Lock")
	s.until("once more", assumed)
	l.set(t, "LockedHint", true)
	s.until("it is locked indeed", locked)
	l.set(t, "LockedHint", false)
	s.until("and no longer", open)
}
