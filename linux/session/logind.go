//go:build linux

package session

import (
	"context"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
)

// logind is what it has told.
type logind struct {
	known    bool // it is there
	sessions int  // of ours, at a seat
	active   bool // one of them is in front
	hint     bool // one of them is locked, says its LockedHint
	asked    bool // somebody asked for the lock, and nobody for its end
	asleep   bool // the machine is about to sleep, or sleeps
}

func (l *logind) session() report.Session {
	return report.Session{
		Known: l.known, Locked: l.hint || l.asked, Asleep: l.asleep,
		Present: !l.known || l.sessions > 0, Active: !l.known || l.active,
	}
}

// sessions is one look at the user's sessions.
type sessions struct {
	count        int
	active, hint bool
}

// watchLogin tells what changed of logind.
func (w *Watcher) watchLogin(ctx context.Context, tell chan<- func(*logind)) {
	say := func(change func(*logind)) {
		select {
		case tell <- change:
		case <-ctx.Done():
		}
	}
	var stop context.CancelFunc = func() {}
	w.system.Owner(ctx, login, func(conn *dbus.Conn, owner string) {
		stop()
		if owner == "" {
			say(func(l *logind) { *l = logind{} })
			return
		}
		var mine context.Context
		mine, stop = context.WithCancel(ctx)
		look := func() {
			s, err := lookAtSessions(mine, conn)
			switch {
			case err == nil:
				say(func(l *logind) { l.take(s) })
			case mine.Err() == nil:
				say(func(l *logind) { l.known = false })
			}
		}
		go func() { // looks are asked for by many, and one is enough for all
			for {
				select {
				case <-mine.Done():
					return
				case <-w.again:
					look()
				}
			}
		}()
		go bus.Follow(mine, conn, []dbus.MatchOption{dbus.WithMatchSender(login)}, func(s *dbus.Signal) {
			if s.Sender == owner {
				w.hear(s, say)
			}
		}, look)
	})
	stop()
}

func (l *logind) take(s sessions) {
	if l.hint && !s.hint || !l.active && s.active && l.known {
		l.asked = false // unlocked, or come to the front again: whoever did that was let in
	}
	l.known, l.sessions, l.active, l.hint = true, s.count, s.active, s.hint
}

// hear takes a signal of logind's.
func (w *Watcher) hear(s *dbus.Signal, say func(func(*logind))) {
	switch s.Name {
	case managerIface + ".PrepareForSleep":
		if asleep, ok := first[bool](s.Body); ok {
			say(func(l *logind) { l.asleep = asleep })
			w.Again()
		}
	case sessionIface + ".Lock":
		say(func(l *logind) { l.asked = true })
	case sessionIface + ".Unlock":
		say(func(l *logind) { l.asked = false })
		w.Again()
	case managerIface + ".SessionNew", managerIface + ".SessionRemoved":
		w.Again()
	case properties + ".PropertiesChanged":
		if of, _ := first[string](s.Body); of == sessionIface || of == userIface {
			w.Again()
		}
	}
}

func first[T any](body []any) (v T, ok bool) {
	if len(body) == 0 {
		return v, false
	}
	v, ok = body[0].(T)
	return v, ok
}

// lookAtSessions looks at the sessions that the user has at a seat. Others, by ssh or of services,
// have no screen.
func lookAtSessions(ctx context.Context, conn *dbus.Conn) (s sessions, err error) {
	var v dbus.Variant
	if err := call(ctx, conn, login, ourUser, properties+".Get", userIface, "Sessions").Store(&v); err != nil {
		return s, err
	}
	var list []struct {
		ID   string
		Path dbus.ObjectPath
	}
	if err := v.Store(&list); err != nil {
		return s, err
	}
	for _, one := range list {
		var all map[string]dbus.Variant
		if err := call(ctx, conn, login, one.Path, properties+".GetAll", sessionIface).Store(&all); err != nil {
			continue // it has just ended
		}
		seat, _ := all["Seat"].Value().([]any)
		if name, _ := first[string](seat); name == "" {
			continue
		}
		s.count++
		active, _ := all["Active"].Value().(bool)
		hint, _ := all["LockedHint"].Value().(bool)
		s.active = s.active || active
		s.hint = s.hint || hint && active
	}
	return s, nil
}
