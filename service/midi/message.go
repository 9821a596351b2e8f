package midi

import (
	"math"

	"github.com/amiable-dev/midimon/engine/effect"
)

// Status bytes of MIDI 1.0, table 1 and 5, and the controllers that silence.
const (
	noteOff         = 0x80
	noteOn          = 0x90
	polyAftertouch  = 0xA0
	controlChange   = 0xB0
	programChange   = 0xC0
	aftertouch      = 0xD0
	pitchBend       = 0xE0
	start           = 0xFA
	continuing      = 0xFB
	stop            = 0xFC
	sustain         = 64
	allSoundOff     = 120
	allNotesOff     = 123
	releaseVelocity = 64 // where nobody measures it
	channels        = 16
)

// message appends the bytes of an action's message, of which level is the number.
func message(out []byte, a *effect.SendMidi, level float64) []byte {
	channel := a.Channel & 0x0f
	seven := byte(max(0, min(math.Round(level), 127)))
	switch a.Message {
	case effect.SendNoteOn:
		return append(out, noteOn|channel, a.Number&0x7f, seven)
	case effect.SendNoteOff:
		return append(out, noteOff|channel, a.Number&0x7f, seven)
	case effect.SendCC:
		return append(out, controlChange|channel, a.Number&0x7f, seven)
	case effect.SendProgramChange:
		return append(out, programChange|channel, a.Number&0x7f)
	case effect.SendPitchBend:
		bend := uint16(max(0, min(math.Round(level)+8192, 16383)))
		return append(out, pitchBend|channel, byte(bend&0x7f), byte(bend>>7))
	case effect.SendAftertouch:
		return append(out, aftertouch|channel, seven)
	case effect.SendPolyAftertouch:
		return append(out, polyAftertouch|channel, a.Number&0x7f, seven)
	case effect.SendSysEx:
		return append(out, a.Data...)
	case effect.SendStart:
		return append(out, start)
	case effect.SendContinue:
		return append(out, continuing)
	case effect.SendStop:
		return append(out, stop)
	}
	return out
}

// silence is what ends every sound of a port: notes that were begun, and on each channel that
// was used all that a pedal or a program that listens badly keeps going.
func silence(out []byte, p *port) []byte {
	for n := range p.notes {
		out = append(out, noteOff|n.channel, n.number, releaseVelocity)
	}
	for channel := range byte(channels) {
		if p.used&(1<<channel) != 0 {
			out = append(out, controlChange|channel, sustain, 0, controlChange|channel, allNotesOff, 0, controlChange|channel, allSoundOff, 0)
		}
	}
	return out
}
