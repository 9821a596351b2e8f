//go:build linux

package stream

import (
	"errors"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
)

// listener is one Listen. Its goroutine owns the file and closes it.
type listener struct {
	id      engine.Port
	target  *target
	file    *os.File
	stopped atomic.Int32
	done    chan struct{}
}

// path is what the configuration calls it.
func (l *listener) path() string { return l.target.path.Name() }

// Why a listener stops.
const (
	ignored  int32 = iota + 1 // nobody wants more
	vanished                  // the path names it no more; what is in it still counts
)

// stop wakes the reader. The first reason counts, but for ignored, which always does.
func (l *listener) stop(why int32) {
	if why == ignored {
		l.stopped.Store(ignored)
	} else if !l.stopped.CompareAndSwap(0, why) {
		return
	}
	_ = l.file.SetReadDeadline(time.Unix(1, 0)) // fails where the reader has ended
}

// read delivers until the file ends or the listener is stopped.
func (s *Session) read(l *listener) {
	defer close(l.done)
	defer l.target.close()
	defer l.file.Close() //nolint:errcheck // nothing is left to be said
	var p Parser
	buf := make([]byte, 4096)
	for {
		n, err := l.file.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) && l.stopped.Load() == vanished {
			n, err = l.drain(buf)
		}
		s.take(l, &p, buf[:n])
		if err != nil || n == 0 {
			break
		}
	}
	s.lose(l)
}

// take parses and delivers what one read returned.
func (s *Session) take(l *listener, p *Parser, b []byte) {
	at := Now()
	p.Feed(b, func(m engine.Message) {
		if l.stopped.Load() != ignored {
			s.deliver(engine.Input{At: at, Port: l.id, Message: m})
		}
	})
}

// drain reads what is there without waiting for more.
func (l *listener) drain(buf []byte) (n int, err error) {
	raw, err := l.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	e := raw.Control(func(fd uintptr) { n, err = unix.Read(int(fd), buf) })
	if errors.Join(e, err) != nil {
		return 0, errors.Join(e, err)
	}
	return n, nil
}

// lose says that the port is gone, unless nobody wants to know.
func (s *Session) lose(l *listener) {
	s.mu.Lock()
	if s.listeners[l.id] == l {
		delete(s.listeners, l.id)
	}
	s.mu.Unlock()
	why := l.stopped.Load()
	if why != ignored {
		s.deliver(engine.Input{At: Now(), Port: l.id, Message: engine.Message{Kind: engine.PortLost}})
	}
	if why == vanished {
		s.ping() // what has the path now was refused until now
	}
}
