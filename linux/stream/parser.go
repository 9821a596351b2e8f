//go:build linux

package stream

import (
	"slices"

	"github.com/amiable-dev/midimon/engine"
)

// MaxSysEx is the longest system exclusive message taken, in bytes from F0 to F7. A longer
// one is dropped whole: nothing on a control surface needs it, and a stream without end
// must not eat the memory.
const MaxSysEx = 64 << 10

const (
	sysexStart = 0xF0
	sysexEnd   = 0xF7
	realtime   = 0xF8 // the first of the real-time messages
)

// shape is what the data bytes of a message mean.
type shape uint8

const (
	void   shape = iota // undefined by MIDI 1.0: no message
	bare                // no data
	number              // Number
	value               // Value
	pair                // Number, Value
	wide                // Value, 14 bits, the low ones first
)

// size is how many data bytes a shape has.
var size = [...]uint8{void: 0, bare: 0, number: 1, value: 1, pair: 2, wide: 2}

// form is what a status byte begins. System messages that the engine has no kind for have
// their status byte as kind; only Parser.Verbatim lets them out.
type form struct {
	kind  engine.Kind
	shape shape
}

// channel forms by bits 4-6 of the status (MIDI 1.0, table 1).
var channel = [7]form{
	{engine.NoteOff, pair},
	{engine.NoteOn, pair},
	{engine.PolyPressure, pair},
	{engine.ControlChange, pair},
	{engine.ProgramChange, number},
	{engine.ChannelPressure, value},
	{engine.PitchBend, wide},
}

// system forms by bits 0-3 of the status (MIDI 1.0, tables 3 to 5).
var system = [16]form{
	0x1: {0xF1, number}, // time code quarter frame
	0x2: {0xF2, wide},   // song position
	0x3: {0xF3, number}, // song select
	0x6: {0xF6, bare},   // tune request
	0x8: {0xF8, bare},   // clock
	0x9: {0xF9, bare},   // tick: undefined, but sequencers know it
	0xA: {engine.Start, bare},
	0xB: {engine.Continue, bare},
	0xC: {engine.Stop, bare},
	0xE: {0xFE, bare}, // active sensing
	0xF: {0xFF, bare}, // reset
}

// Parser turns bytes into messages. The zero value is ready. It keeps what one Feed leaves
// unfinished for the next, running status too (MIDI 1.0, "Data types").
type Parser struct {
	// Verbatim is for those who pass messages on. Note-on of velocity 0 stays NoteOn, and
	// the system messages that the engine has no kind for come out too, with their status
	// byte (F1-F3, F6, F8, F9, FE, FF) as Kind: the data byte in Number, in F2 the song
	// position in Value.
	Verbatim bool
	// Dropped counts SysEx messages longer than MaxSysEx.
	Dropped uint64

	status byte // running, or of the message at hand; sysexStart within one; 0: none
	form   form
	data   [2]byte
	have   uint8
	long   bool // the SysEx at hand is too long
	sysex  []byte
}

// Feed takes the next bytes of the stream and calls emit for each message they complete. It
// allocates for SysEx only: its Data is the receiver's own.
func (p *Parser) Feed(b []byte, emit func(engine.Message)) {
	for _, c := range b {
		switch {
		case c >= realtime: // may stand inside any other message and changes nothing there
			p.emit(system[c&0x0F], emit)
		case c >= 0x80:
			p.begin(c, emit)
		case p.status == sysexStart:
			p.collect(c)
		case p.status != 0:
			p.data[p.have] = c
			if p.have++; p.have == size[p.form.shape] {
				p.finish(emit)
			}
		}
	}
}

// Reset forgets an unfinished message and the running status.
func (p *Parser) Reset() {
	p.status, p.have, p.long, p.sysex = 0, 0, false, p.sysex[:0]
}

// begin takes a status byte, which ends whatever was unfinished.
func (p *Parser) begin(c byte, emit func(engine.Message)) {
	if c == sysexEnd && p.status == sysexStart {
		p.endSysEx(emit)
		return
	}
	p.Reset()
	p.status = c
	switch {
	case c == sysexStart:
		p.sysex = append(p.sysex, c)
	case c < sysexStart:
		p.form = channel[c>>4&7]
	default:
		p.form = system[c&0x0F]
		if size[p.form.shape] == 0 {
			p.finish(emit)
		}
	}
}

func (p *Parser) collect(c byte) {
	if len(p.sysex) >= MaxSysEx-1 { // F7 needs its place
		p.long = true
		return
	}
	p.sysex = append(p.sysex, c)
}

func (p *Parser) endSysEx(emit func(engine.Message)) {
	if p.long {
		p.Dropped++
	} else {
		emit(engine.Message{Kind: engine.SysEx, Data: slices.Clone(append(p.sysex, sysexEnd))})
	}
	p.Reset()
}

// finish lets out a message whose data bytes are all there.
func (p *Parser) finish(emit func(engine.Message)) {
	p.emit(p.form, emit)
	p.have = 0
	if p.status >= sysexStart {
		p.status = 0 // only channel messages run on
	}
}

func (p *Parser) emit(f form, emit func(engine.Message)) {
	m := engine.Message{Kind: f.kind}
	switch f.shape {
	case void:
		return
	case bare:
	case number:
		m.Number = p.data[0]
	case value:
		m.Value = uint16(p.data[0])
	case pair:
		m.Number, m.Value = p.data[0], uint16(p.data[1])
	case wide:
		m.Value = uint16(p.data[1])<<7 | uint16(p.data[0])
	}
	if f.kind <= engine.PitchBend {
		m.Channel = p.status & 0x0F
	}
	if f.kind == engine.NoteOn && m.Value == 0 && !p.Verbatim {
		m.Kind = engine.NoteOff
	}
	if f.kind < sysexStart || p.Verbatim {
		emit(m)
	}
}
