//go:build linux

package alsaseq

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// watchFree makes Changed tell when a program closes a raw MIDI device: the sequencer says
// nothing of that, and such a program keeps it from us. It watches only while somebody
// found a device busy, since other sound files close all the time. The caller holds mu.
func (s *Session) watchFree() error {
	if s.watch != nil || s.closed || s.err != nil {
		return nil
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("inotify_init1", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	dir := filepath.Dir(s.opts.Device)
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CLOSE_WRITE|unix.IN_CLOSE_NOWRITE); err != nil {
		return errors.Join(&os.PathError{Op: "inotify_add_watch", Path: dir, Err: err}, f.Close())
	}
	s.watch = f
	s.readers.Go(func() { s.readFree(f) })
	return nil
}

func (s *Session) readFree(f *os.File) {
	buf := make([]byte, 4096)
	for {
		n, err := f.Read(buf)
		if err == nil && !closedMIDI(buf[:n]) {
			continue
		}
		s.mu.Lock()
		s.watch = nil
		s.mu.Unlock()
		_ = f.Close() // nothing was written
		s.ping()
		return
	}
}

// closedMIDI says whether one of the inotify events is about a raw MIDI device, or says that
// events were lost (inotify(7)).
func closedMIDI(b []byte) bool {
	for len(b) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(b[4:])
		n := int(binary.NativeEndian.Uint32(b[12:]))
		b = b[unix.SizeofInotifyEvent:]
		if n > len(b) {
			return false
		}
		if mask&unix.IN_Q_OVERFLOW != 0 || strings.HasPrefix(string(b[:n]), "midiC") {
			return true
		}
		b = b[n:]
	}
	return false
}
