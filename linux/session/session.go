//go:build linux

// Package session tells how the user's session fares, as logind and the screen savers have it: locked,
// in front, about to sleep. What midimon does then is decided elsewhere.
package session

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
)

// callTimeout bounds each question. Nothing waits for an answer but the next question.
const callTimeout = 25 * time.Second

// screenSavers are who else may tell that the screen is locked, with the path of each.
var screenSavers = map[string]dbus.ObjectPath{
	"org.freedesktop.ScreenSaver": "/org/freedesktop/ScreenSaver",
	"org.gnome.ScreenSaver":       "/org/gnome/ScreenSaver",
}

// A Watcher tells how the session fares.
type Watcher struct {
	system, user *bus.Bus
	login        chan struct{}            // has a value when logind is to be looked at anew
	savers       map[string]chan struct{} // the same of each screen saver
	patience     time.Duration            // how long logind may take before it counts as silent
	doubt        time.Duration            // after how long a lock that was only asked for is assumed
}

// doubtAfter is how long a lock screen may take to say that it is there. Some say nothing: swaylock, hyprlock.
const doubtAfter = time.Minute

// unlock has logind say that the lock has ended.
const unlock = "loginctl unlock-session"

// New watches by the system's and the session's bus.
func New(system, user *bus.Bus) *Watcher {
	w := &Watcher{system, user, make(chan struct{}, 1), map[string]chan struct{}{}, callTimeout, doubtAfter}
	for name := range screenSavers {
		w.savers[name] = make(chan struct{}, 1)
	}
	return w
}

// Again makes it look at everything anew: a signal may have been missed.
func (w *Watcher) Again() {
	again(w.login)
	for _, c := range w.savers {
		again(c)
	}
}

func again(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// saver is what a screen saver said.
type saver struct {
	name   string
	turn   int // which who had the name it is, of all that had
	active bool
}

// Run calls tell with how the session fares, now and at each change, until ctx is done. As long as it
// runs the machine sleeps only after tell has returned which told of that, if logind lets us ask for it.
func (w *Watcher) Run(ctx context.Context, tell func(report.Session)) {
	w.run(ctx, true, tell)
}

// run is Run, which does without an inhibitor where somebody only looks.
func (w *Watcher) run(ctx context.Context, inhibit bool, tell func(report.Session)) {
	savers := make(chan saver, 16)
	for name, path := range screenSavers {
		go w.watchSaver(ctx, name, path, savers)
	}
	logins := make(chan func(*logind), 16)
	go w.watchLogin(ctx, logins)
	l, active, turns := logind{asked: map[dbus.ObjectPath]bool{}}, map[string]bool{}, map[string]int{}
	answers := make(chan answer)
	var delay inhibitor
	defer delay.close()
	last, told := report.Session{}, false
	var doubts <-chan time.Time // the lock was only asked for, and not long ago
	assumed := false
	_, err := w.system.Conn(ctx)
	ready := err != nil // else logind tells in a moment
	for {
		s, confirmed := l.session(), l.hinted()
		for _, on := range active {
			confirmed = confirmed || on
		}
		switch s.Locked = s.Locked || confirmed; {
		case !s.Locked || confirmed:
			doubts, assumed = nil, false
		case assumed:
			s.Assumed, s.Fix = true, unlock
		case doubts == nil:
			doubts = time.After(w.doubt)
		}
		if s.Delayed = delay.lock != nil; delay.err != nil {
			s.Undelayed = delay.err.Error()
		}
		if ready && (!told || s != last) {
			tell(s)
			last, told = s, true
		}
		if inhibit && delay.keep(ctx, &l, w.patience, answers) {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case v := <-savers:
			if v.turn < turns[v.name] {
				continue // an answer of one that is gone
			}
			turns[v.name] = v.turn
			if active[v.name] && !v.active {
				clear(l.asked) // who locked the screen has unlocked it
			}
			active[v.name] = v.active
		case change := <-logins:
			change(&l)
			ready = true
		case <-doubts:
			doubts, assumed = nil, true
		case a := <-answers:
			delay.take(a, l.asleep)
		}
	}
}

// watchSaver tells of one screen saver.
func (w *Watcher) watchSaver(ctx context.Context, name string, path dbus.ObjectPath, tell chan<- saver) {
	var stop context.CancelFunc = func() {}
	turns := 0
	w.user.Owner(ctx, name, func(conn *dbus.Conn, owner string) {
		stop()
		turns++
		turn := turns
		say := func(on bool) {
			select {
			case tell <- saver{name, turn, on}:
			case <-ctx.Done():
			}
		}
		say(false)
		if owner == "" {
			return
		}
		var mine context.Context
		mine, stop = context.WithCancel(ctx)
		var heard atomic.Int64 // signals
		ask := func() {
			for {
				was, on := heard.Load(), false
				// Some who have the name only keep the screen awake, and know no GetActive.
				if call(mine, conn, name, path, name+".GetActive").Store(&on) != nil {
					return
				}
				if heard.Load() == was { // else the answer may be older than what we heard
					say(on)
					return
				}
			}
		}
		go func() {
			for {
				select {
				case <-mine.Done():
					return
				case <-w.savers[name]:
					if mine.Err() != nil { // it is for who comes after this one
						again(w.savers[name])
						return
					}
					ask()
				}
			}
		}()
		go bus.Follow(mine, conn, []dbus.MatchOption{
			dbus.WithMatchSender(name), dbus.WithMatchInterface(name), dbus.WithMatchMember("ActiveChanged"),
		}, func(s *dbus.Signal) {
			if s.Sender == owner && s.Name == name+".ActiveChanged" && len(s.Body) == 1 {
				heard.Add(1)
				on, _ := s.Body[0].(bool)
				say(on)
			}
		}, ask)
	})
	stop()
}

// call asks somebody who is there already.
func call(ctx context.Context, conn *dbus.Conn, name string, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	within, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return conn.Object(name, path).CallWithContext(within, method, dbus.FlagNoAutoStart, args...)
}
