//go:build linux

package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
)

// What logind is asked for (org.freedesktop.login1(5), Inhibit): that the machine sleeps only after
// we have let go of everything, or a few seconds later all the same. "systemd-inhibit --list" shows it.
const (
	inhibitWhat = "sleep"
	inhibitWho  = "midimon"
	inhibitWhy  = "Keys that are held down are released first"
	inhibitMode = "delay"
)

// errHangs says that logind has not answered yet. When it does, that counts.
var errHangs = errors.New("logind does not answer")

// inhibitor is what keeps the machine awake until we are ready. Run's goroutine owns it.
type inhibitor struct {
	owner  string   // the logind that it is of; empty: none
	lock   *os.File // nil: there is none
	asked  bool     // an answer is awaited
	looked int      // with which look it was asked for last
	err    error    // why there is none, or nil
}

// answer is logind's.
type answer struct {
	owner string
	lock  *os.File
	err   error
	more  bool // this is none yet
}

// keep has one as long as the machine is awake, and none while it is about to sleep: when that
// is told, everybody has done what must be done before. What was refused is asked for again with each
// look. It says whether there is something else to tell than before.
func (h *inhibitor) keep(ctx context.Context, l *logind, patience time.Duration, answers chan<- answer) (changed bool) {
	if h.owner != l.owner { // what another one gave is void
		changed = h.lock != nil || h.err != nil
		h.close()
		*h = inhibitor{owner: l.owner}
	}
	switch {
	case l.asleep:
		changed = changed || h.lock != nil
		h.close()
	case l.owner != "" && h.lock == nil && !h.asked && h.looked != l.looked:
		h.asked, h.looked = true, l.looked
		go ask(ctx, l.conn, l.owner, patience, answers)
	}
	return changed
}

// ask asks for one. It waits for the answer however long that takes: one that comes when nobody
// waits any more would keep the machine awake for ever.
func ask(ctx context.Context, conn *dbus.Conn, owner string, patience time.Duration, answers chan<- answer) {
	say := func(a answer) {
		select {
		case answers <- a:
		case <-ctx.Done():
			if a.lock != nil {
				_ = a.lock.Close()
			}
		}
	}
	call := conn.Object(login, managerPath).Go(managerIface+".Inhibit", dbus.FlagNoAutoStart, make(chan *dbus.Call, 1),
		inhibitWhat, inhibitWho, inhibitWhy, inhibitMode)
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-call.Done:
	case <-late.C:
		say(answer{owner: owner, err: errHangs, more: true})
		<-call.Done // or the connection is lost
	}
	var fd dbus.UnixFD
	if err := call.Store(&fd); err != nil {
		say(answer{owner: owner, err: fmt.Errorf("logind refuses: %w", bus.Reason(err))})
		return
	}
	say(answer{owner: owner, lock: os.NewFile(uintptr(fd), inhibitWhat)})
}

// take takes an answer. One of another logind, or one that comes too late, is given back.
func (h *inhibitor) take(a answer, asleep bool) {
	if a.owner != h.owner || asleep {
		if a.lock != nil {
			_ = a.lock.Close()
		}
		a.lock = nil
	}
	if a.owner == h.owner {
		h.asked, h.lock, h.err = a.more, a.lock, a.err
	}
}

// close gives it back, if there is one.
func (h *inhibitor) close() {
	if h.lock != nil {
		_ = h.lock.Close()
		h.lock = nil
	}
}
