package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// Program is a compiled configuration. It is never changed after Compile, so the engine
// swaps from one to the next by a pointer and both may be in use at once.
type Program struct {
	Modes    []Mode // at least one
	Devices  []Device
	Mappings []Mapping // the modes' in file order, then the global ones
	Timing   Timing

	table table
}

// Mode is a named set of mappings.
type Mode struct {
	Name  string
	Color string
}

// Timing is what [advanced_settings] says.
type Timing struct {
	Chord     time.Duration
	DoubleTap time.Duration
	Hold      time.Duration
	MaxHold   time.Duration
}

// DefaultTiming is what holds where the file says nothing.
var DefaultTiming = Timing{
	Chord:     50 * time.Millisecond,
	DoubleTap: 300 * time.Millisecond,
	Hold:      2000 * time.Millisecond,
	MaxHold:   30 * time.Second,
}

// Device is a configured device: which ports are meant, best description first.
type Device struct {
	Name     string
	Match    []Match // alternatives; the first that fits a present device decides
	Enabled  bool
	Optional bool // its absence is no problem
	Sysex    bool
}

// Match is a set of keys, all of which must fit.
type Match []MatchKey

// MatchKey is one property of a port.
type MatchKey struct {
	Kind  MatchKind
	Value string
}

// MatchKind says how a MatchKey's value is compared.
type MatchKind uint8

// The kinds of match key.
const (
	MatchSerial   MatchKind = iota // serial: equal
	MatchUSB                       // usb: "17cc:1700", lower case
	MatchPath                      // path: "1-1.2"
	MatchName                      // name: a glob over the port's or client's name, case-sensitive
	MatchRaw                       // raw: a path
	MatchContains                  // [device] name: substring of the port's or client's name
	MatchAny                       // every hardware port
)

// Global is the Mode of a mapping that stands outside the modes.
const Global = -1

// Any stands for every device, channel or number.
const Any = -1

// Mapping joins a trigger to an action.
type Mapping struct {
	effect.Origin
	Mode       int // index in Modes, or Global
	Trigger    Trigger
	Action     effect.Action
	Enabled    bool
	Eager      bool // acts at the press, outside the exclusion of gestures
	WhenLocked bool // acts while the session is locked
}

// TriggerType is what a mapping listens for.
type TriggerType uint8

// The trigger types.
const (
	Note TriggerType = iota
	LongPress
	CC
	EncoderTurn
)

var triggerTypes = [...]string{"Note", "LongPress", "CC", "EncoderTurn"}

func (t TriggerType) String() string { return triggerTypes[t] }

// Trigger is when a mapping acts.
type Trigger struct {
	Type      TriggerType
	Direction Direction // EncoderTurn
	Encoding  Encoding  // EncoderTurn
	Ranged    bool      // CC: Min and Max were given, else the control is a button
	Device    int16     // index in Devices, or Any
	Channel   int8      // 0-15, or Any
	Number    uint8     // note or controller, 0-127
	Min, Max  uint16    // velocity (Note, LongPress) or value (CC), inclusive
	Duration  time.Duration
}

// Direction is which way an encoder turns.
type Direction uint8

// The directions.
const (
	Either Direction = iota
	Clockwise
	CounterClockwise
)

// Encoding is how an encoder says how far it turned.
type Encoding uint8

// The encodings.
const (
	Absolute       Encoding = iota // a position 0-127; the difference counts
	TwosComplement                 // 1..63 clockwise, 127..65 counter-clockwise
	BinaryOffset                   // 65..127 clockwise, 63..0 counter-clockwise
	SignedBit                      // 1..63 clockwise, 65..127 counter-clockwise
)

// Covered says that a mapping can never act, because By, which comes before it, always does.
type Covered struct {
	Mapping, By int // indices in Mappings
}
