//go:build linux

package session

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/remedy"
)

// What logind is called (org.freedesktop.login1(5)).
const (
	login        = "org.freedesktop.login1"
	managerPath  = dbus.ObjectPath("/org/freedesktop/login1")
	managerIface = login + ".Manager"
	sessionIface = login + ".Session"
	userIface    = login + ".User"
	properties   = "org.freedesktop.DBus.Properties"

	prepareForSleep = managerIface + ".PrepareForSleep"

	// noSuchUser is the error for a user without a session, and no lingering one.
	noSuchUser = login + ".NoSuchUser"
)

// heard is what we want to hear of logind: all that it says of other sessions' properties, of
// which there is little, and nothing of seats and inhibitors.
var heard = [][]dbus.MatchOption{
	{dbus.WithMatchSender(login), dbus.WithMatchInterface(managerIface)},
	{dbus.WithMatchSender(login), dbus.WithMatchInterface(sessionIface)},
	{dbus.WithMatchSender(login), dbus.WithMatchInterface(properties), dbus.WithMatchArg(0, sessionIface)},
	{dbus.WithMatchSender(login), dbus.WithMatchInterface(properties), dbus.WithMatchArg(0, userIface)},
}

// logind is what it has told.
type logind struct {
	turn   int    // which who had the name it is, of all that had
	owner  string // who it is; empty: nobody
	conn   *dbus.Conn
	looked int  // how many looks it has answered
	known  bool // it is there, and answers
	seats  map[dbus.ObjectPath]seat
	asked  map[dbus.ObjectPath]bool // somebody asked for the lock of the session, and nobody for its end
	asleep bool                     // the machine is about to sleep, or sleeps
}

// seat is a session of the user's at a seat.
type seat struct {
	active bool // it is in front
	hint   bool // it is locked, says its LockedHint
}

// session is what that comes to. What is not known counts as in front and not locked.
func (l *logind) session() report.Session {
	s := report.Session{Known: l.known, Asleep: l.asleep, Present: !l.known || len(l.seats) > 0, Active: !l.known}
	if !s.Known {
		s.Fix = remedy.Logind()
	}
	for path, one := range l.seats {
		s.Active = s.Active || one.active
		s.Locked = s.Locked || one.active && (one.hint || l.asked[path])
	}
	return s
}

// hinted says whether the session in front says itself that it is locked.
func (l *logind) hinted() bool {
	for _, one := range l.seats {
		if one.active && one.hint {
			return true
		}
	}
	return false
}

// look is one look at the user's sessions.
type look struct {
	seats  map[dbus.ObjectPath]seat
	asleep bool
}

func (l *logind) take(is look) {
	for path, now := range is.seats {
		was, ok := l.seats[path]
		if ok && (was.hint && !now.hint || !was.active && now.active) {
			delete(l.asked, path) // unlocked, or come to the front again: whoever did that was let in
		}
	}
	l.known, l.seats, l.asleep = true, is.seats, is.asleep
	l.looked++
}

// watchLogin tells what changed of logind.
func (w *Watcher) watchLogin(ctx context.Context, tell chan<- func(*logind)) {
	var stop context.CancelFunc = func() {}
	turns := 0
	w.system.Owner(ctx, login, func(conn *dbus.Conn, owner string) {
		stop()
		turns++
		turn := turns
		say := func(change func(*logind)) {
			now := func(l *logind) {
				if turn >= l.turn { // else it is an answer of one that is gone
					l.turn = turn
					change(l)
				}
			}
			select {
			case tell <- now:
			case <-ctx.Done():
			}
		}
		if owner == "" {
			say(func(l *logind) { *l = logind{turn: turn, asked: map[dbus.ObjectPath]bool{}} })
			return
		}
		var mine context.Context
		mine, stop = context.WithCancel(ctx)
		var sleeps atomic.Int64 // signals of a sleep and its end
		see := func() {
			was := sleeps.Load()
			is, err := lookAtLogin(mine, conn)
			switch {
			case err == nil:
				say(func(l *logind) {
					if sleeps.Load() != was { // the answer may be older than what we heard
						is.asleep = l.asleep
					}
					l.owner, l.conn = owner, conn
					l.take(is)
				})
			case mine.Err() == nil:
				say(func(l *logind) { l.known, l.seats = false, nil })
			}
		}
		go func() { // looks are asked for by many, and one is enough for all: of two at once an old one could come last
			for {
				select {
				case <-mine.Done():
					return
				case <-w.login:
					if mine.Err() != nil { // it is for who comes after this one
						again(w.login)
						return
					}
					see()
				}
			}
		}()
		go bus.FollowAny(mine, conn, heard, func(s *dbus.Signal) {
			if s.Sender == owner {
				if s.Name == prepareForSleep {
					sleeps.Add(1)
				}
				w.hear(s, say)
			}
		}, func() { again(w.login) })
	})
	stop()
}

// hear takes a signal of logind's.
func (w *Watcher) hear(s *dbus.Signal, say func(func(*logind))) {
	switch s.Name {
	case prepareForSleep:
		if asleep, ok := first[bool](s.Body); ok {
			say(func(l *logind) { l.asleep = asleep })
			w.Again()
		}
	case sessionIface + ".Lock": // of anybody's session: which are ours the looks tell
		say(func(l *logind) { l.asked[s.Path] = true })
	case sessionIface + ".Unlock":
		say(func(l *logind) { delete(l.asked, s.Path) })
		again(w.login)
	case managerIface + ".SessionRemoved":
		if len(s.Body) == 2 {
			if path, ok := s.Body[1].(dbus.ObjectPath); ok {
				say(func(l *logind) { delete(l.asked, path) })
			}
		}
		again(w.login)
	case managerIface + ".SessionNew", properties + ".PropertiesChanged":
		again(w.login)
	}
}

func first[T any](body []any) (v T, ok bool) {
	if len(body) == 0 {
		return v, false
	}
	v, ok = body[0].(T)
	return v, ok
}

// lookAtLogin looks at the sessions that the user has at a seat. Others, by ssh or of services,
// have no screen. A service of the user's belongs to no session, and need not be in the user's
// slice either, so its process says nothing: we ask by the user's number.
func lookAtLogin(ctx context.Context, conn *dbus.Conn) (is look, err error) {
	is.seats = map[dbus.ObjectPath]seat{}
	if err := get(ctx, conn, managerPath, managerIface, "PreparingForSleep", &is.asleep); err != nil {
		return is, err
	}
	var user dbus.ObjectPath
	err = call(ctx, conn, login, managerPath, managerIface+".GetUser", uint32(os.Getuid())).Store(&user)
	if says(err, noSuchUser) {
		return is, nil
	}
	if err != nil {
		return is, err
	}
	var list []struct {
		ID   string
		Path dbus.ObjectPath
	}
	err = get(ctx, conn, user, userIface, "Sessions", &list)
	if says(err, unknownObject) {
		return is, nil // the user's last session has just ended
	}
	if err != nil {
		return is, err
	}
	for _, one := range list {
		var all map[string]dbus.Variant
		err := call(ctx, conn, login, one.Path, properties+".GetAll", sessionIface).Store(&all)
		if says(err, unknownObject) {
			continue // it has just ended
		}
		if err != nil {
			return is, err
		}
		at, _ := all["Seat"].Value().([]any)
		if name, _ := first[string](at); name == "" {
			continue
		}
		var s seat
		s.active, _ = all["Active"].Value().(bool)
		s.hint, _ = all["LockedHint"].Value().(bool)
		is.seats[one.Path] = s
	}
	return is, nil
}

// unknownObject is the error for what is no longer there.
const unknownObject = "org.freedesktop.DBus.Error.UnknownObject"

// says tells whether a call failed with an error of that name.
func says(err error, name string) bool {
	var e dbus.Error
	return errors.As(err, &e) && e.Name == name
}

// get reads a property.
func get(ctx context.Context, conn *dbus.Conn, path dbus.ObjectPath, iface, name string, into any) error {
	var v dbus.Variant
	if err := call(ctx, conn, login, path, properties+".Get", iface, name).Store(&v); err != nil {
		return err
	}
	return v.Store(into)
}
