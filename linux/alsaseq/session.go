//go:build linux

package alsaseq

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/stream"
)

// readSize holds the longest event there can be: a full pool of cells. Were the buffer too
// small, the kernel would say EAGAIN for ever.
const readSize = 64 << 10

// Session is the open sequencer. Its methods may be called from any goroutine.
type Session struct {
	log     *slog.Logger
	opts    Options
	deliver func(engine.Input)
	data    *client
	control *client
	in, out addr // ports of data

	changed  chan struct{}
	done     chan struct{}
	readers  sync.WaitGroup
	overruns atomic.Uint64

	routes atomic.Pointer[routes] // read by the reader, replaced under mu

	mu      sync.Mutex
	targets map[addr]*target
	watch   *os.File // inotify of /dev/snd, while somebody holds a device that we want
	closed  bool
	err     error
}

// routes say who listens to which source. A map is never changed once it is in use.
type routes map[addr]*listener

// connect makes a session that does not read yet.
func (d *Driver) connect(deliver func(engine.Input)) (*Session, error) {
	s := &Session{
		log: d.log, opts: d.opts, deliver: deliver,
		changed: make(chan struct{}, 1), done: make(chan struct{}),
		targets: map[addr]*target{},
	}
	s.routes.Store(&routes{})
	if err := d.furnish(s); err != nil {
		s.closeClients()
		return nil, err
	}
	return s, nil
}

// furnish makes the two clients and their ports.
func (d *Driver) furnish(s *Session) (err error) {
	if s.control, err = d.client(d.opts.Client+" control", controlEvents...); err != nil {
		return err
	}
	hear, err := s.control.createPort("announcements", capWrite|capSubsWrite)
	if err != nil {
		return err
	}
	if err := s.control.subscribe(announce, hear); err != nil {
		return err
	}
	events := dataEvents
	if d.opts.Verbatim {
		events = slices.Concat(dataEvents, systemEvents)
	}
	if s.data, err = d.client(d.opts.Client, events...); err != nil {
		return err
	}
	if err := s.data.growPool(inputPool); err != nil {
		return err
	}
	if s.in, err = s.data.createPort("in", capWrite|capSubsWrite); err != nil {
		return err
	}
	s.out, err = s.data.createPort("out", capRead|capSubsRead)
	return err
}

func (d *Driver) client(name string, events ...byte) (*client, error) {
	dev, err := d.open(d.opts.Device)
	if err != nil {
		return nil, err
	}
	c, err := newClient(dev, name, events...)
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	return c, nil
}

func (s *Session) start() {
	s.readers.Go(s.readData)
	s.readers.Go(s.readControl)
	go func() {
		s.readers.Wait()
		close(s.done)
	}()
}

// Ports lists the ports of others that are there now.
func (s *Session) Ports() ([]report.Port, error) {
	var out []report.Port
	known := cards{}
	err := s.control.each(func(c clientInfo, p portInfo) {
		if port, ok := s.describe(c, p, known); ok {
			out = append(out, port)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list the sequencer's ports: %w", err)
	}
	return out, nil
}

// describe says what a port is; ok is false for those that are nobody's instrument.
func (s *Session) describe(c clientInfo, p portInfo, known cards) (report.Port, bool) {
	in := p.caps&(capRead|capSubsRead) == capRead|capSubsRead
	out := p.caps&(capWrite|capSubsWrite) == capWrite|capSubsWrite
	switch {
	case p.caps&(capNoExport|capInactive|capUMP) != 0, !in && !out,
		p.client == systemClient, p.client == s.data.id, p.client == s.control.id,
		p.client == throughClient && !s.opts.Through:
		return report.Port{}, false
	}
	id := known.identify(s.opts.Sysfs, c.card)
	return report.Port{
		Addr:   uint32(p.client)<<8 | uint32(p.port),
		Client: text(c.name[:]),
		Name:   text(p.name[:]),
		Index:  int(p.port),
		In:     in,
		Out:    out,
		Hard:   c.card >= 0 || p.kind&typeHardware != 0,
		USB:    id.usb,
		Serial: id.serial,
		Path:   id.path,
	}, true
}

// Changed has a value after Ports may have come to answer differently, and after a device
// that was busy may have become free.
func (s *Session) Changed() <-chan struct{} { return s.changed }

func (s *Session) ping() {
	select {
	case s.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// Overruns counts how often the kernel threw our queue away.
func (s *Session) Overruns() uint64 { return s.overruns.Load() }

// Done is closed when both readers have ended: after Close, or when the sequencer is lost.
// Nothing is delivered after it.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why the session ended. It is nil while it works and after Close.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the session. It waits for nobody: Done is closed as soon as an input under way
// is delivered.
func (s *Session) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.closeClients()
	return nil
}

// fail ends the session because of err, unless it is ending already.
func (s *Session) fail(err error) {
	s.mu.Lock()
	if s.err == nil && !s.closed {
		s.err = fmt.Errorf("cannot read from the ALSA sequencer: %w", err)
	}
	s.mu.Unlock()
	s.closeClients()
}

// closeClients lets go of everything the kernel holds for us; with the clients go their
// subscriptions. A second call does nothing.
func (s *Session) closeClients() {
	for _, c := range []*client{s.control, s.data} {
		if c != nil {
			_ = c.Close() // already closed, at worst
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watch != nil {
		_ = s.watch.Close()
	}
}

// readControl turns announcements into Changed: what there is now is asked for, not
// computed, so it does not matter what exactly happened.
func (s *Session) readControl() {
	buf := make([]byte, 64*recordSize)
	for {
		n, err := s.control.Read(buf)
		if err != nil && !errors.Is(err, unix.ENOSPC) {
			s.fail(err)
			return
		}
		if err != nil || s.foreign(buf[:n]) {
			s.ping()
		}
	}
}

// foreign says whether an announcement is about anybody but us.
func (s *Session) foreign(b []byte) bool {
	for r, rest, ok := next(b); ok; r, rest, ok = next(rest) {
		if about := r.data[0]; about != s.data.id && about != s.control.id {
			return true
		}
	}
	return false
}

// readData delivers. It allocates nothing for channel messages and takes no lock for them.
func (s *Session) readData() {
	buf := make([]byte, readSize)
	r := reader{Session: s}
	for {
		n, err := s.data.Read(buf)
		at := stream.Now()
		switch {
		case err == nil:
			r.take(buf[:n], at)
		case errors.Is(err, unix.ENOSPC):
			r.overrun(at)
		default:
			s.fail(err)
			r.end(at)
			return
		}
	}
}
