package engine

import "time"

// Kind says what a MIDI message is.
type Kind uint8

// The kinds of message (MIDI 1.0, tables 1 to 5). PortLost and Overrun are not messages:
// they stand in the stream where the port ended, or where the kernel lost events of it.
const (
	NoteOff         Kind = iota // also what a note-on of velocity 0 becomes
	NoteOn                      // Number: note, Value: velocity 1-127
	PolyPressure                // Number: note, Value: pressure
	ControlChange               // Number: controller, Value: 0-127
	ProgramChange               // Number: program
	ChannelPressure             // Value: pressure
	PitchBend                   // Value: 0-16383, centre 8192
	SysEx                       // Data: from F0 to F7, the receiver's own
	Start
	Continue
	Stop
	PortLost
	Overrun
)

// Message is one MIDI message, decoded. Channel is 0-15, Number 0-127.
type Message struct {
	Kind    Kind
	Channel uint8
	Number  uint8
	Value   uint16
	Data    []byte
}

// Port is a port's number, given by the daemon while the port is open. Numbers are
// small and used again.
type Port uint16

// MaxPorts is how many ports may be open at once.
const MaxPorts = 256

// Input is a message with where and when: At is CLOCK_MONOTONIC as of the read.
type Input struct {
	At   time.Duration
	Port Port
	Message
}
