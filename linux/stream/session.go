//go:build linux

package stream

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// Session is the open driver. Its methods may be called from any goroutine.
type Session struct {
	log     *slog.Logger
	watcher *watcher
	deliver func(engine.Input)
	changed chan struct{}
	done    chan struct{}
	running sync.WaitGroup

	mu        sync.Mutex
	paths     []string
	addrs     map[string]uint32      // by path; never used again
	seen      map[string]unix.Stat_t // by path: what Changed has told of
	refusals  map[string]string      // by path: what was logged, so that it is logged once
	listeners map[engine.Port]*listener
	closed    bool
}

func newSession(log *slog.Logger, w *watcher, deliver func(engine.Input)) *Session {
	s := &Session{
		log: log, watcher: w, deliver: deliver,
		changed: make(chan struct{}, 1), done: make(chan struct{}),
		addrs: map[string]uint32{}, refusals: map[string]string{}, listeners: map[engine.Port]*listener{},
	}
	s.running.Go(s.watch)
	go func() {
		s.running.Wait()
		close(s.done)
	}()
	return s
}

func (s *Session) setPaths(paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.paths = paths
	s.look()
}

// Ports lists one port for each path at which there is something that may be opened.
func (s *Session) Ports() ([]report.Port, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []report.Port
	for _, path := range s.paths {
		t, err := look(path)
		s.refused(path, err)
		if err != nil {
			continue
		}
		t.close()
		out = append(out, report.Port{
			Addr: s.addr(path), Client: filepath.Base(path), Name: path, Path: path,
			In: true, Out: t.kind != fifo, Hard: true,
		})
	}
	return out, nil
}

func (s *Session) addr(path string) uint32 {
	a, ok := s.addrs[path]
	if !ok {
		a = uint32(len(s.addrs))
		s.addrs[path] = a
	}
	return a
}

// refused logs why a path that is there is not listed.
func (s *Session) refused(path string, err error) {
	why := ""
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		why = err.Error()
	}
	if why != "" && why != s.refusals[path] {
		s.log.Warn("cannot use a raw device", "path", path, "err", err)
	}
	s.refusals[path] = why
}

// Changed has a value after Ports may have come to answer differently.
func (s *Session) Changed() <-chan struct{} { return s.changed }

func (s *Session) ping() {
	select {
	case s.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// Listen makes the port's messages arrive as inputs of id; they may do so before it returns.
// The last is a PortLost when the file ends, fails or leaves its path. Errors:
// report.ErrDeviceAbsent, report.ErrDeviceBusy, ErrRefused, others.
func (s *Session) Listen(port report.Port, id engine.Port) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.listen(port.Path, id); err != nil {
		return fmt.Errorf("cannot listen to %s: %w", port.Path, err)
	}
	return nil
}

func (s *Session) listen(path string, id engine.Port) error {
	if s.closed {
		return os.ErrClosed
	}
	for other, l := range s.listeners {
		switch {
		case other == id:
			return fmt.Errorf("port number %d is in use", id)
		case l.path() == path:
			return fmt.Errorf("%w: its loss is on the way", report.ErrDeviceAbsent)
		}
	}
	t, err := look(path)
	if err != nil {
		return verdict(err)
	}
	f, err := t.open()
	if err != nil {
		t.close()
		return verdict(err)
	}
	l := &listener{id: id, target: t, file: f, done: make(chan struct{})}
	s.listeners[id] = l
	s.running.Go(func() { s.read(l) })
	return nil
}

func verdict(err error) error {
	switch {
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EAGAIN):
		return fmt.Errorf("%w: %w", report.ErrDeviceBusy, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EIO):
		return fmt.Errorf("%w: %w", report.ErrDeviceAbsent, err)
	}
	return err
}

// Ignore ends Listen. It waits until an input of id under way is delivered, so whoever takes
// the inputs must not call it while deliver waits for them. An id that nobody listens as is
// no error: the port may just have been lost.
func (s *Session) Ignore(id engine.Port) error {
	s.mu.Lock()
	l := s.listeners[id]
	delete(s.listeners, id)
	s.mu.Unlock()
	if l != nil {
		l.stop(ignored)
		<-l.done
	}
	return nil
}

// Send writes to a port that is listened to. It waits for a second at most.
func (s *Session) Send(port report.Port, midi []byte) error {
	f := s.writable(port.Path)
	if f == nil {
		return fmt.Errorf("cannot send to %s: %w", port.Path, report.ErrDeviceAbsent)
	}
	err := f.SetWriteDeadline(time.Now().Add(writeWithin))
	if err == nil {
		_, err = f.Write(midi)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("%w: %w", report.ErrDeviceBusy, err)
	case errors.Is(err, os.ErrClosed):
		err = fmt.Errorf("%w: %w", report.ErrDeviceAbsent, err)
	}
	if err != nil {
		return fmt.Errorf("cannot send to %s: %w", port.Path, verdict(err))
	}
	return nil
}

// writable is the open file of a path, but for a FIFO: what is written to one comes back.
func (s *Session) writable(path string) *os.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		if l.path() == path && l.target.kind != fifo {
			return l.file
		}
	}
	return nil
}

// Done is closed when every goroutine of the session has ended. Nothing is delivered after
// it.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is nil: a session ends by Close only.
func (s *Session) Err() error { return nil }

// Close ends the session. It waits for nobody: Done is closed as soon as inputs under way
// are delivered.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for id, l := range s.listeners {
		delete(s.listeners, id)
		l.stop(ignored)
	}
	_ = s.watcher.file.Close() // nothing was written
	return nil
}
