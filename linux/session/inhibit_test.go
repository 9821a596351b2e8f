//go:build linux

package session_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/session"
)

// inhibitor is one that the fake logind has given. It ends when the last who has it closes it.
type inhibitor struct{ ours, theirs *os.File }

func newInhibitor() (*inhibitor, error) {
	ours, theirs, err := os.Pipe()
	return &inhibitor{ours, theirs}, err
}

// pass ends our own hold of it, after the other side is known to have it.
func (i *inhibitor) pass(t *testing.T) {
	t.Helper()
	if err := i.theirs.Close(); err != nil {
		t.Fatal(err)
	}
}

// ended waits until nobody has it.
func (i *inhibitor) ended(ctx context.Context, t *testing.T, what string) {
	t.Helper()
	over := make(chan error, 1)
	go func() { _, err := i.ours.Read(make([]byte, 1)); over <- err }()
	select {
	case err := <-over:
		if !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Fatalf("%s: somebody still has it", what)
	}
}

// held fails if nobody has it.
func (i *inhibitor) held(t *testing.T, what string) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(i.ours.Fd()), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, 0); err != nil || n != 0 {
		t.Errorf("%s: nobody has it any more (%v)", what, err)
	}
}

// stage is a watcher and a logind that gives, refuses or lets wait.
type stage struct {
	t       *testing.T
	ctx     context.Context
	system  *desktoptest.Desktop
	watcher *session.Watcher
	asked   chan []string    // what for
	answer  chan *dbus.Error // how: nil gives one
	left    chan struct{}    // who waited for that in a logind that died
	given   chan *inhibitor  // those that were given
	told    chan report.Session
	waits   chan chan struct{} // who tells of a sleep puts here what lets it go on; nil: nothing does
}

// Inhibit is logind's.
func (m machine) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	s := m.l.stage
	s.asked <- []string{what, who, why, mode}
	select {
	case err := <-s.answer:
		if err != nil {
			return -1, err
		}
	case <-m.l.conn.Context().Done():
		s.left <- struct{}{}
		return -1, dbus.MakeFailedError(context.Canceled)
	case <-s.ctx.Done():
		return -1, dbus.MakeFailedError(s.ctx.Err())
	}
	i, err := newInhibitor()
	if err != nil {
		return -1, dbus.MakeFailedError(err)
	}
	fd := dbus.UnixFD(i.theirs.Fd())
	s.given <- i
	return fd, nil
}

func setting(t *testing.T) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	s := &stage{
		t: t, ctx: ctx, system: desktoptest.New(t),
		asked: make(chan []string, 16), answer: make(chan *dbus.Error, 16), given: make(chan *inhibitor, 16), left: make(chan struct{}, 16),
		told: make(chan report.Session, 64), waits: make(chan chan struct{}, 16),
	}
	desk := bus.New("")
	s.watcher = session.New(bus.Session(s.system.Getenv), desk)
	return s
}

// run starts the watcher.
func (s *stage) run() {
	slept := false
	go s.watcher.Run(s.ctx, func(is report.Session) {
		s.told <- is
		if is.Asleep && !slept { // it is released now
			goOn := make(chan struct{})
			s.waits <- goOn
			select {
			case <-goOn:
			case <-s.ctx.Done():
			}
		}
		slept = is.Asleep
	})
}

// logind makes one.
func (s *stage) logind() *logind {
	s.t.Helper()
	return newLogind(s.t, s.system, s)
}

// until waits until something is told that is so.
func (s *stage) until(what string, so func(report.Session) bool) {
	s.t.Helper()
	for {
		select {
		case is := <-s.told:
			if so(is) {
				return
			}
		case <-s.ctx.Done():
			s.t.Fatalf("%s: nobody says so", what)
		}
	}
}

func (s *stage) asks(what string) {
	s.t.Helper()
	select {
	case got := <-s.asked:
		if got[0] != "sleep" || got[1] != "midimon" || got[2] == "" || got[3] != "delay" {
			s.t.Errorf("%s: asked for %q", what, got)
		}
	case <-s.ctx.Done():
		s.t.Fatalf("%s: nobody asks", what)
	}
}

// gives lets the watcher have one, and waits until it has it.
func (s *stage) gives(what string) *inhibitor {
	s.t.Helper()
	s.answer <- nil
	s.asks(what)
	s.until(what, func(is report.Session) bool { return is.Delayed && is.Undelayed == "" })
	i := <-s.given
	i.pass(s.t)
	return i
}

// sleep says that the machine is about to, and returns what lets those go on who are told.
func (s *stage) sleep(l *logind) (goOn chan struct{}) {
	s.t.Helper()
	l.prepare(s.t, true)
	select {
	case goOn = <-s.waits:
	case <-s.ctx.Done():
		s.t.Fatal("nobody is told of the sleep")
	}
	return goOn
}

func (l *logind) prepare(t *testing.T, asleep bool) {
	t.Helper()
	l.mu.Lock()
	l.asleep = asleep
	l.mu.Unlock()
	l.emit(t, manager, login+".Manager.PrepareForSleep", asleep)
}

func awake(is report.Session) bool { return !is.Asleep }

// The machine sleeps only after whoever was told of that has done what it must.
func TestSleepWaits(t *testing.T) {
	s := setting(t)
	s.run()
	l := s.logind()
	first := s.gives("logind comes")
	goOn := s.sleep(l)
	first.held(t, "while it is being told")
	close(goOn)
	first.ended(s.ctx, t, "it was told")
	l.prepare(t, true) // said twice
	if len(s.asked) > 0 {
		t.Error("another is asked for before the sleep")
	}
	l.prepare(t, false)
	l.prepare(t, false)
	s.until("awake", awake)
	second := s.gives("after the sleep")
	l.set(t, "LockedHint", true)
	s.until("locked", func(is report.Session) bool { return is.Locked })
	if len(s.asked) > 0 {
		t.Error("more than one is asked for")
	}
	second.held(t, "awake")
	close(s.sleep(l))
	second.ended(s.ctx, t, "the next sleep")
}

// A look finds a sleep that nobody heard of, and its end.
func TestSleepThatIsNotHeardOf(t *testing.T) {
	s := setting(t)
	s.run()
	l := s.logind()
	first := s.gives("logind comes")
	set := func(asleep bool) {
		l.mu.Lock()
		l.asleep = asleep
		l.mu.Unlock()
		s.watcher.Again()
	}
	set(true)
	goOn := <-s.waits
	first.held(t, "while it is being told")
	close(goOn)
	first.ended(s.ctx, t, "it was told")
	set(false)
	s.gives("after the sleep")
}

func TestLogindRefuses(t *testing.T) {
	s := setting(t)
	s.run()
	l := s.logind()
	refuse := dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"Permission denied"})
	s.answer <- refuse
	s.asks("logind comes")
	refused := func(is report.Session) bool {
		return is.Known && !is.Delayed && strings.Contains(is.Undelayed, "AccessDenied: Permission denied")
	}
	s.until("refused", refused)
	close(s.sleep(l)) // told all the same
	s.until("about to sleep", func(is report.Session) bool { return is.Asleep })
	l.prepare(t, false)
	s.answer <- refuse
	s.asks("after the sleep")
	s.until("awake", awake)
	s.watcher.Again() // somebody has mended it
	i := s.gives("asked again")
	i.held(t, "given at last")
}

// While logind does not answer everything else goes on; an answer that comes late counts, and one that
// comes when the machine is about to sleep is given back at once.
func TestLogindLetsWait(t *testing.T) {
	s := setting(t)
	s.watcher.Within(time.Millisecond)
	s.run()
	l := s.logind()
	s.asks("logind comes")
	s.until("no answer", func(is report.Session) bool { return !is.Delayed && strings.Contains(is.Undelayed, "does not answer") })
	l.set(t, "LockedHint", true)
	s.until("locked meanwhile", func(is report.Session) bool { return is.Locked })
	s.answer <- nil
	s.until("late", func(is report.Session) bool { return is.Delayed && is.Undelayed == "" })
	i := <-s.given
	i.pass(t)
	close(s.sleep(l))
	i.ended(s.ctx, t, "it was told")

	l.prepare(t, false)
	s.asks("after the sleep")
	close(s.sleep(l))
	s.answer <- nil // for who waits, whom it may reach only when the machine is awake again
	s.answer <- nil // for who then asks anew
	s.until("told of the sleep", func(is report.Session) bool { return is.Asleep })
	l.prepare(t, false)
	s.until("one is there", func(is report.Session) bool { return is.Delayed && is.Undelayed == "" })
	last := <-s.given
	last.pass(t)
	if len(s.asked) > 0 {
		last.ended(s.ctx, t, "it came too late")
		last = <-s.given
		last.pass(t)
	}
	last.held(t, "awake")
}

// What a logind gave ends with it, and the next is asked.
func TestLogindDies(t *testing.T) {
	s := setting(t)
	s.run()
	l := s.logind()
	first := s.gives("logind comes")
	if err := l.conn.Close(); err != nil {
		t.Fatal(err)
	}
	s.until("it dies", func(is report.Session) bool { return !is.Known && !is.Delayed })
	first.ended(s.ctx, t, "it died")
	l = s.logind()
	second := s.gives("it is back")
	// It dies before it answers, and what it sends is nobody's.
	close(s.sleep(l))
	second.ended(s.ctx, t, "it was told")
	l.prepare(t, false)
	s.asks("after the sleep")
	if err := l.conn.Close(); err != nil {
		t.Fatal(err)
	}
	s.until("it dies again", func(is report.Session) bool { return !is.Known })
	<-s.left
	s.logind()
	s.gives("it is back again")
}

// The end of the watcher is the end of what it holds, and who only looks holds nothing.
func TestNobodyHoldsWithoutWatching(t *testing.T) {
	s := setting(t)
	s.logind()
	if c := s.watcher.Detect(s.ctx); c.Status != report.OK {
		t.Errorf("%+v", c)
	}
	if len(s.asked) > 0 {
		t.Error("who looks asks for one")
	}
	ctx, cancel := context.WithCancel(s.ctx)
	go s.watcher.Run(ctx, func(is report.Session) { s.told <- is })
	i := s.gives("somebody watches")
	cancel()
	i.ended(s.ctx, t, "nobody watches")
}
