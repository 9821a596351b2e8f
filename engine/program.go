package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/gesture"
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
	Name  string // in memory of its own: it is known for longer than the program
	Color string
	Apps  []string // patterns over ids of applications, in lower case: the mode acts while one has the focus
	Enter *Mapping // performed when the mode begins to act; only Origin, Action and WhenLocked count
	Exit  *Mapping // performed when it ends
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
	Name     string  // in memory of its own, as a mode's
	Match    []Match // alternatives; the first that fits a present device decides
	Enabled  bool
	Optional bool // its absence is no problem
	Sysex    bool
	Once     bool // when it was unplugged it is left alone until somebody asks for it
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
	When       *effect.Condition // must hold at the press; nil: always
	MaxRate    float64           // times a second; 0: only the action's own rate
	Enabled    bool
	Eager      bool // Note, VelocityRange: acts at the press, outside the exclusion of gestures
	WhenLocked bool // acts while the session is locked
}

// TriggerType is what a mapping listens for.
type TriggerType uint8

// The trigger types.
const (
	Note TriggerType = iota
	NoteRelease
	VelocityRange
	LongPress
	DoubleTap
	MultiTap
	NoteChord
	EncoderTurn
	CC
	CC14
	NRPN
	RPN
	Aftertouch
	Bend // PitchBend in a configuration
	ProgramChanged
	Transport
	SysExclusive
)

// TriggerTypes are their names in a configuration, in the order of the constants.
var TriggerTypes = []string{
	"Note", "NoteRelease", "VelocityRange", "LongPress", "DoubleTap", "MultiTap", "NoteChord", "EncoderTurn", "CC", "CC14",
	"NRPN", "RPN", "Aftertouch", "PitchBend", "ProgramChange", "Transport", "SysEx",
}

func (t TriggerType) String() string { return TriggerTypes[t] }

// Trigger is when a mapping acts.
type Trigger struct {
	Type      TriggerType
	Direction Direction     // EncoderTurn
	Encoding  Encoding      // EncoderTurn
	Button    Button        // Note, VelocityRange, LongPress …, and values without a range
	Delta     bool          // EncoderTurn: every step of a message counts, else a message is one step
	Fine      bool          // EncoderTurn: 14 bits, of the controllers Number and Number+32
	OnCC      bool          // NoteRelease, LongPress, DoubleTap, MultiTap: Number is a controller used as a button
	Ranged    bool          // values: Min and Max were given, else the control is a button
	Device    int16         // index in Devices, or Any
	Channel   int8          // 0-15, or Any
	Number    int16         // note, controller 0-127, (N)RPN 0-16383, program; Any: Aftertouch of the channel and every note, every program
	Min, Max  uint16        // velocity 1-127 or value, inclusive
	Margin    uint16        // values: how far a value must leave the range (hysteresis) before entering it counts again
	Soft      uint8         // VelocityRange: the hardest soft hit
	Medium    uint8         // VelocityRange: the hardest medium hit
	Taps      uint8         // DoubleTap (2), MultiTap: 2-8
	Detents   uint8         // EncoderTurn: how many steps make one; 0 is 1
	Speed     uint8         // EncoderTurn: acceleration, how many steps one may become; 0 is 1
	Message   Kind          // Transport: Start, Stop or Continue
	Duration  time.Duration // LongPress: how long; DoubleTap, MultiTap: from one press to the next; NoteChord: from first to last
	Notes     []uint8       // NoteChord: two to eight, sorted, no two the same
	Data      []byte        // SysEx: what the message begins with, from F0
}

// MaxTaps is the most taps in a row that can mean something.
const MaxTaps = gesture.MaxTaps

// MaxValue is the highest value that a trigger of type t can see: 127, or 16383 for 14 bits.
func (t TriggerType) MaxValue() uint16 {
	switch t {
	case CC14, NRPN, RPN, Bend:
		return 1<<14 - 1
	default:
		return 127
	}
}

// Margin7 and Margin14 are the hysteresis where a configuration says nothing.
const (
	Margin7  = 2
	Margin14 = 64
)

// Button is how a control that goes down and up is understood.
type Button uint8

// The kinds of button.
const (
	Momentary Button = iota // down is a press, up its release
	Latch                   // what a press does lasts until the next one, which does nothing else
	Latching                // the control itself latches: down and up are a press each, over at once
)

// Buttons are their names in a configuration, in the order of the constants.
var Buttons = []string{"momentary", "latch", "latching"}

// Direction is which way an encoder turns.
type Direction uint8

// The directions.
const (
	Either Direction = iota
	Clockwise
	CounterClockwise
)

// Encoding is how an encoder says how far it turned.
type Encoding = gesture.Encoding

// The encodings.
const (
	Absolute       = gesture.Absolute
	TwosComplement = gesture.TwosComplement
	BinaryOffset   = gesture.BinaryOffset
	SignedBit      = gesture.SignedBit
)

// Covered says that a mapping can never act, because By, which comes before it, always does.
type Covered struct {
	Mapping, By int // indices in Mappings
}
