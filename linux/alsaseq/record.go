//go:build linux

package alsaseq

import (
	"encoding/binary"

	"github.com/amiable-dev/midimon/engine"
)

// recordSize is sizeof(struct snd_seq_event).
const recordSize = 28

// SNDRV_SEQ_EVENT_*.
const (
	evNote         = 5 // with a duration: only other programs send it
	evNoteOn       = 6
	evNoteOff      = 7
	evKeyPressure  = 8
	evController   = 10
	evProgram      = 11
	evChanPressure = 12
	evBend         = 13 // -8192 to 8191
	evController14 = 14 // this and the next two only other programs send
	evNRPN         = 15
	evRPN          = 16
	evSongPosition = 20
	evSongSelect   = 21
	evQuarterFrame = 22
	evStart        = 30
	evContinue     = 31
	evStop         = 32
	evClock        = 36
	evTick         = 37
	evTuneRequest  = 40
	evReset        = 41
	evSensing      = 42
	evClientStart  = 60
	evClientExit   = 61
	evClientChange = 62
	evPortStart    = 63
	evPortExit     = 64
	evPortChange   = 65
	evSubscribed   = 66
	evUnsubscribed = 67
	evSysEx        = 130
)

var (
	// dataEvents are what the data client lets the kernel deliver. Clock and active sensing
	// are not among them, so a device that only ticks never wakes us.
	dataEvents = []byte{
		evNote, evNoteOn, evNoteOff, evKeyPressure, evController, evProgram, evChanPressure, evBend,
		evController14, evNRPN, evRPN, evStart, evContinue, evStop, evSubscribed, evUnsubscribed, evSysEx,
	}
	// systemEvents come on top with Options.Verbatim.
	systemEvents = []byte{
		evSongPosition, evSongSelect, evQuarterFrame, evClock, evTick, evTuneRequest, evReset, evSensing,
	}
	controlEvents = []byte{evClientStart, evClientExit, evClientChange, evPortStart, evPortExit, evPortChange}
)

const (
	lengthMask     = 0x0c // of flags: SNDRV_SEQ_EVENT_LENGTH_MASK
	lengthVariable = 0x04
	sizeMask       = 0x3fffffff // of an external length: above it are SNDRV_SEQ_EXT_*
)

// record is one event as the kernel wrote it. Its slices are the read buffer's.
type record struct {
	kind   byte
	source addr
	data   []byte // 12 bytes
	ext    []byte // of variable length: SysEx
}

// next takes the first record off b. The kernel hands out whole records only and pads what
// is variable to whole records; ok is false where b ends or is cut short.
func next(b []byte) (r record, rest []byte, ok bool) {
	if len(b) < recordSize {
		return record{}, nil, false
	}
	r = record{kind: b[0], source: addr{b[12], b[13]}, data: b[16:recordSize:recordSize]}
	rest = b[recordSize:]
	if b[1]&lengthMask == lengthVariable {
		n := int(binary.NativeEndian.Uint32(b[16:]) & sizeMask)
		padded := (n + recordSize - 1) / recordSize * recordSize
		if padded > len(rest) {
			return record{}, nil, false
		}
		r.ext, rest = rest[:n:n], rest[padded:]
	}
	return r, rest, true
}

// param and value are the fields of struct snd_seq_ev_ctrl. Other programs may put anything
// there; only the bits of MIDI count.
func (r record) param() uint32 { return binary.NativeEndian.Uint32(r.data[4:]) }
func (r record) value() uint32 { return binary.NativeEndian.Uint32(r.data[8:]) }

// connection are the sender and the destination of evSubscribed and evUnsubscribed.
func (r record) connection() (sender, dest addr) {
	return addr{r.data[0], r.data[1]}, addr{r.data[2], r.data[3]}
}

// messages appends what the record says, but for SysEx, which may come in several records.
// Verbatim means what it does to stream.Parser.
func (r record) messages(out []engine.Message, verbatim bool) []engine.Message {
	m := engine.Message{Channel: r.data[0] & 0x0f}
	switch r.kind {
	case evNote, evNoteOn, evNoteOff, evKeyPressure:
		m.Number, m.Value = r.data[1]&0x7f, uint16(r.data[2]&0x7f)
		return r.note(m, out, verbatim)
	case evController:
		return append(out, control(m.Channel, uint8(r.param()&0x7f), r.value()))
	case evProgram:
		m.Kind, m.Number = engine.ProgramChange, uint8(r.value()&0x7f)
	case evChanPressure:
		m.Kind, m.Value = engine.ChannelPressure, uint16(r.value()&0x7f)
	case evBend:
		m.Kind, m.Value = engine.PitchBend, uint16((r.value()+8192)&0x3fff)
	case evController14:
		n := uint8(r.param() & 0x1f)
		return append(out, control(m.Channel, n, r.value()>>7), control(m.Channel, n+32, r.value()))
	case evNRPN:
		return r.parameter(99, out)
	case evRPN:
		return r.parameter(101, out)
	default:
		if m = r.system(); m.Kind >= 0xF0 && !verbatim || m.Kind == engine.NoteOff {
			return out
		}
	}
	return append(out, m)
}

func control(channel, number uint8, value uint32) engine.Message {
	return engine.Message{Kind: engine.ControlChange, Channel: channel, Number: number, Value: uint16(value & 0x7f)}
}

// note completes what struct snd_seq_ev_note says. A note with a duration has gone by when
// it comes: its end follows at once.
func (r record) note(m engine.Message, out []engine.Message, verbatim bool) []engine.Message {
	switch {
	case r.kind == evKeyPressure:
		m.Kind = engine.PolyPressure
	case r.kind == evNoteOff || m.Value == 0 && !verbatim:
		m.Kind = engine.NoteOff
	default:
		m.Kind = engine.NoteOn
	}
	out = append(out, m)
	if r.kind == evNote && m.Kind == engine.NoteOn {
		m.Kind, m.Value = engine.NoteOff, 0
		out = append(out, m)
	}
	return out
}

// parameter spells a parameter number out as controllers (MIDI 1.0, "Registered and
// non-registered parameter numbers"): number MSB, LSB, data entry MSB, LSB.
func (r record) parameter(msb uint8, out []engine.Message) []engine.Message {
	ch := r.data[0] & 0x0f
	return append(
		out,
		control(ch, msb, r.param()>>7), control(ch, msb-1, r.param()),
		control(ch, 6, r.value()>>7), control(ch, 38, r.value()),
	)
}

// system is a message without channel; the zero message for what is none.
func (r record) system() (m engine.Message) {
	switch r.kind {
	case evStart:
		m.Kind = engine.Start
	case evContinue:
		m.Kind = engine.Continue
	case evStop:
		m.Kind = engine.Stop
	case evQuarterFrame:
		m.Kind, m.Number = 0xF1, uint8(r.value()&0x7f)
	case evSongPosition:
		m.Kind, m.Value = 0xF2, uint16(r.value()&0x3fff)
	case evSongSelect:
		m.Kind, m.Number = 0xF3, uint8(r.value()&0x7f)
	case evTuneRequest:
		m.Kind = 0xF6
	case evClock:
		m.Kind = 0xF8
	case evTick:
		m.Kind = 0xF9
	case evSensing:
		m.Kind = 0xFE
	case evReset:
		m.Kind = 0xFF
	}
	return m
}

// encode appends the record that sends m to one port.
func encode(out []byte, from, to addr, m engine.Message) []byte {
	at := len(out)
	out = append(out, make([]byte, recordSize)...)
	b := out[at:]
	b[3] = queueDirect
	b[12], b[13], b[14], b[15] = from.client, from.port, to.client, to.port
	b[16] = m.Channel
	put := func(kind byte, param, value uint32) {
		b[0] = kind
		binary.NativeEndian.PutUint32(b[20:], param)
		binary.NativeEndian.PutUint32(b[24:], value)
	}
	switch m.Kind {
	case engine.NoteOff, engine.NoteOn, engine.PolyPressure:
		b[0] = [...]byte{engine.NoteOff: evNoteOff, engine.NoteOn: evNoteOn, engine.PolyPressure: evKeyPressure}[m.Kind]
		b[17], b[18] = m.Number, uint8(m.Value)
	case engine.ControlChange:
		put(evController, uint32(m.Number), uint32(m.Value))
	case engine.ProgramChange:
		put(evProgram, 0, uint32(m.Number))
	case engine.ChannelPressure:
		put(evChanPressure, 0, uint32(m.Value))
	case engine.PitchBend:
		put(evBend, 0, uint32(m.Value)-8192)
	case engine.SysEx:
		b[0], b[1] = evSysEx, lengthVariable
		binary.NativeEndian.PutUint32(b[16:], uint32(len(m.Data)))
		return append(out, m.Data...)
	case engine.Start:
		b[0] = evStart
	case engine.Continue:
		b[0] = evContinue
	case engine.Stop:
		b[0] = evStop
	case 0xF1:
		put(evQuarterFrame, 0, uint32(m.Number))
	case 0xF2:
		put(evSongPosition, 0, uint32(m.Value))
	case 0xF3:
		put(evSongSelect, 0, uint32(m.Number))
	case 0xF6:
		b[0] = evTuneRequest
	case 0xF8:
		b[0] = evClock
	case 0xF9:
		b[0] = evTick
	case 0xFE:
		b[0] = evSensing
	case 0xFF:
		b[0] = evReset
	case engine.PortLost, engine.Overrun: // not messages
		return out[:at]
	}
	return out
}
