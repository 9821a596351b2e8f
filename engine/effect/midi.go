package effect

// SendMidi sends a message to a MIDI port.
type SendMidi struct {
	Port    string   `json:"port"`    // a configured device's name, else a part of a port's name
	Message MidiKind `json:"-"`       // what
	Channel uint8    `json:"channel"` // 0-15
	Number  uint8    `json:"-"`       // note, controller or program
	Value   Value    `json:"-"`       // velocity, value or pressure 0-127; bend -8192 to 8191
	Hold    bool     `json:"-"`       // NoteOn: the note ends with the control's release
	Data    []byte   `json:"-"`       // SysEx, from F0 to F7
}

// MidiKind is what SendMidi sends.
type MidiKind uint8

// The kinds of message to send.
const (
	SendNoteOn MidiKind = iota
	SendNoteOff
	SendCC
	SendProgramChange
	SendPitchBend
	SendAftertouch
	SendPolyAftertouch
	SendSysEx
	SendStart
	SendContinue
	SendStop
)

// MidiKinds are their names in a configuration, in the order of the constants.
var MidiKinds = []string{
	"NoteOn", "NoteOff", "CC", "ProgramChange", "PitchBend", "Aftertouch", "PolyAftertouch", "SysEx", "Start", "Continue", "Stop",
}

// Type is SendMidi.
func (*SendMidi) Type() string { return "SendMidi" }
