//go:build linux

package main

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jfreymuth/pulse/proto"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
)

// faultySound is a sound server with one sink, which speaks as much of PulseAudio's protocol (version 12,
// the last without properties) as is needed to mute that, and can be at fault.
type faultySound struct {
	dir   string // XDG_RUNTIME_DIR
	fault faultOf
	did   chan string

	mu    sync.Mutex
	here  net.Listener
	conns []net.Conn
}

func newFaultySound(t *testing.T) *faultySound {
	t.Helper()
	s := &faultySound{dir: dbustest.Dir(t), did: make(chan string, 4096)}
	if err := os.Mkdir(filepath.Join(s.dir, "pulse"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.come(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.die)
	return s
}

func (s *faultySound) getenv(name string) string {
	return map[string]string{"XDG_RUNTIME_DIR": s.dir}[name]
}

// come listens.
func (s *faultySound) come() error {
	l, err := net.Listen("unix", filepath.Join(s.dir, "pulse", "native")) //nolint:noctx // local
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.here = l
	s.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			go s.serve(c)
		}
	}()
	return nil
}

// die is the end of the server, until it comes again.
func (s *faultySound) die() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.here != nil {
		_ = s.here.Close()
		s.here = nil
	}
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

func (s *faultySound) set(f string) { s.fault.set(f) }

func (s *faultySound) mend() error {
	dead := s.fault.is(dies)
	s.set(well)
	if dead {
		s.die() // if nothing was asked of it meanwhile
		return s.come()
	}
	return nil
}

const (
	descriptor = 20 // bytes: length, channel, offset (64 bit), flags
	noChannel  = 0xFFFFFFFF
)

// packet is a message of the control channel.
func packet(command, tag uint32, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(10+len(body)))
	b = binary.BigEndian.AppendUint32(b, noChannel)
	b = append(b, make([]byte, descriptor-8)...)
	b = binary.BigEndian.AppendUint32(append(b, 'L'), command)
	b = binary.BigEndian.AppendUint32(append(b, 'L'), tag)
	return append(b, body...)
}

func number(n byte) []byte  { return []byte{'L', 0, 0, 0, n} }
func words(s string) []byte { return append(append([]byte{'t'}, s...), 0) }
func answer(command uint32) []byte {
	spec := []byte{'a', 3, 2, 0, 0, 0xAC, 0x44}
	switch command {
	case proto.OpAuth:
		return number(12)
	case proto.OpSetClientName:
		return number(1)
	case proto.OpGetServerInfo:
		return slices.Concat(words("fake"), words("1"), words("u"), words("h"), spec, words("one"), words(""), number(0))
	case proto.OpGetSinkInfo, proto.OpGetSinkInfoList:
		return slices.Concat(number(1), words("one"), words("One"), spec, []byte{'m', 2, 1, 2}, number(0),
			[]byte{'v', 2, 0, 0, 0x80, 0, 0, 0, 0x80, 0}, []byte{'0'}, number(0), words(""), []byte{'U', 0, 0, 0, 0, 0, 0, 0, 0}, words("fake"), number(0))
	}
	return nil
}

func (s *faultySound) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		var head [descriptor]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(c, body); err != nil || len(body) < 10 {
			return
		}
		command, tag := binary.BigEndian.Uint32(body[1:]), binary.BigEndian.Uint32(body[6:])
		out := packet(proto.OpReply, tag, answer(command))
		switch s.fault.now() {
		case hangs:
			continue
		case slow:
			time.Sleep(slowly)
		case fails:
			out = packet(proto.OpError, tag, number(1)) // access denied
		case dies:
			s.die()
			return
		case flaps:
			return
		case lies:
			out = packet(proto.OpReply, tag, []byte("this is no answer"))
		case floods:
			for range flood {
				out = append(out, packet(proto.OpSubscribeEvent, 0, slices.Concat([]byte{'L', 0, 0, 0, 0x10}, number(1)))...)
			}
		}
		if command == proto.OpSetSinkMute && s.fault.is(well) {
			s.did <- "mute"
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}
