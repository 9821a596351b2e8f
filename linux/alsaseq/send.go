//go:build linux

package alsaseq

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/stream"
)

// target is a port that we send to.
type target struct {
	parser  stream.Parser
	records []byte
}

// Send writes MIDI messages to the port. Running status and what is unfinished are kept for
// the port's next Send. It never waits: a receiver that does not keep up is
// report.ErrDeviceBusy, one that is gone report.ErrDeviceAbsent.
func (s *Session) Send(port report.Port, midi []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := addrOf(port)
	err := s.send(to, midi)
	if errors.Is(err, report.ErrDeviceAbsent) {
		delete(s.targets, to) // whoever has the address next is subscribed to anew
	}
	if err != nil {
		return fmt.Errorf("cannot send to %s: %w", port.Client, err)
	}
	return nil
}

func (s *Session) send(to addr, midi []byte) error {
	t := s.targets[to]
	if t == nil {
		// A device's output opens with the first subscription; the events themselves are
		// addressed, so nobody else hears them.
		if err := s.data.subscribe(s.out, to); err != nil {
			return verdict(err)
		}
		t = &target{parser: stream.Parser{Verbatim: true}}
		s.targets[to] = t
	}
	t.records = t.records[:0]
	t.parser.Feed(midi, func(m engine.Message) { t.records = encode(t.records, s.out, to, m) })
	if len(t.records) == 0 {
		return nil
	}
	n, err := s.data.Write(t.records)
	if err == nil && n < len(t.records) {
		err = io.ErrShortWrite
	}
	return verdict(err)
}

func addrOf(p report.Port) addr { return addr{uint8(p.Addr >> 8), uint8(p.Addr)} }

// verdict puts the kernel's word on a port in ours.
func verdict(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EBUSY), errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("%w: %w", report.ErrDeviceBusy, err)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENODEV),
		errors.Is(err, unix.ENXIO), errors.Is(err, os.ErrClosed):
		return fmt.Errorf("%w: %w", report.ErrDeviceAbsent, err)
	}
	return err
}
