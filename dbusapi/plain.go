package dbusapi

import (
	"encoding/binary"
	"math"

	"github.com/godbus/dbus/v5"
)

// plainCall reads a whole message that is a method call with numbers and texts as arguments, as nearly all
// are. All else, and what is not as the specification has it ("Message Format"), is left to godbus: false.
// That takes 12 kB for each message, and what reads it is not ours to mend.
func plainCall(b []byte) (*call, bool) {
	s := scan{b: b, order: binary.LittleEndian}
	if len(b) < 16 {
		return nil, false
	}
	if b[0] == 'B' {
		s.order = binary.BigEndian
	}
	const flags = dbus.FlagNoReplyExpected | dbus.FlagNoAutoStart | dbus.FlagAllowInteractiveAuthorization
	if dbus.Type(b[1]) != dbus.TypeMethodCall || dbus.Flags(b[2])&^flags != 0 || b[3] != 1 {
		return nil, false
	}
	s.at = 8
	k := &call{silent: dbus.Flags(b[2])&dbus.FlagNoReplyExpected != 0, serial: s.uint32()}
	fields := s.uint32()
	for end := s.at + int(min(fields, maxMessage)); s.at < end && !s.bad; {
		s.align(8)
		field := dbus.HeaderField(s.byte())
		switch sig := s.text(int(s.byte())); {
		case field == dbus.FieldPath && sig == "o":
			k.path = dbus.ObjectPath(s.string())
		case field == dbus.FieldInterface && sig == "s":
			k.iface = s.string()
		case field == dbus.FieldMember && sig == "s":
			k.member = s.string()
		case field == dbus.FieldSender && sig == "s":
			k.sender = s.string()
		case field == dbus.FieldDestination && sig == "s": // it is us
			s.skip()
		case field == dbus.FieldSignature && sig == "g":
			k.signature = s.text(int(s.byte()))
		default:
			return nil, false
		}
		s.bad = s.bad || s.at > end
	}
	s.align(8)
	for i := range len(k.signature) {
		k.body = append(k.body, s.argument(k.signature[i]))
	}
	if s.bad || s.at != len(b) || k.serial == 0 || k.member == "" || !k.path.IsValid() {
		return nil, false
	}
	return k, true
}

// A scan goes through bytes. Once one is not what it should be, it is bad.
type scan struct {
	b     []byte
	at    int
	order binary.ByteOrder
	bad   bool
}

// take is the next n bytes: zeros if they are not there.
func (s *scan) take(n int) []byte {
	if s.bad = s.bad || n < 0 || n > len(s.b)-s.at; s.bad {
		return make([]byte, 8)[:min(max(n, 0), 8)]
	}
	s.at += n
	return s.b[s.at-n : s.at]
}

func (s *scan) align(n int) { s.take(-s.at & (n - 1)) }

func (s *scan) byte() byte { return s.take(1)[0] }

func (s *scan) uint16() uint16 {
	s.align(2)
	return s.order.Uint16(s.take(2))
}

func (s *scan) uint32() uint32 {
	s.align(4)
	return s.order.Uint32(s.take(4))
}

func (s *scan) uint64() uint64 {
	s.align(8)
	return s.order.Uint64(s.take(8))
}

// text is that many bytes, with a NUL after them.
func (s *scan) text(n int) string {
	text := string(s.take(n))
	s.bad = s.byte() != 0 || s.bad
	return text
}

func (s *scan) string() string { return s.text(int(min(s.uint32(), math.MaxInt32))) }

// skip leaves a text out.
func (s *scan) skip() { s.take(int(min(s.uint32(), math.MaxInt32-1)) + 1) }

// argument is a value of a basic type, as godbus gives it.
func (s *scan) argument(kind byte) any {
	switch kind {
	case 'y':
		return s.byte()
	case 'b':
		n := s.uint32()
		s.bad = s.bad || n > 1
		return n == 1
	case 'n':
		return int16(s.uint16()) //nolint:gosec // the same bits
	case 'q':
		return s.uint16()
	case 'i':
		return int32(s.uint32()) //nolint:gosec // the same bits
	case 'u':
		return s.uint32()
	case 'x':
		return int64(s.uint64()) //nolint:gosec // the same bits
	case 't':
		return s.uint64()
	case 'd':
		return math.Float64frombits(s.uint64())
	case 's':
		return s.string()
	case 'o':
		return dbus.ObjectPath(s.string())
	}
	s.bad = true // a list, a dictionary, a variant
	return nil
}
