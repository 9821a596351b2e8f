package config

import (
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// send is a SendMidi while it is read: which of its numbers mean something depends on the
// message, which may stand after them.
type send struct {
	effect.SendMidi
	numbers [len(sendNumbers)]int32 // the nodes, or 0
	known   bool                    // the message is
}

// sendNumbers are the keys that some messages have and others have not.
var sendNumbers = [...]string{"note", "velocity", "controller", "value", "program", "pitch", "pressure", "data", "hold"}

const (
	sendNote = iota
	sendVelocity
	sendController
	sendValue
	sendProgram
	sendPitch
	sendPressure
	sendData
	sendHold
)

// sendUses are the numbers of each message: what it is sent to, or none, and its value.
var sendUses = [...]struct{ number, value int }{
	effect.SendNoteOn:         {sendNote, sendVelocity},
	effect.SendNoteOff:        {sendNote, sendVelocity},
	effect.SendCC:             {sendController, sendValue},
	effect.SendProgramChange:  {sendProgram, -1},
	effect.SendPitchBend:      {-1, sendPitch},
	effect.SendAftertouch:     {-1, sendPressure},
	effect.SendPolyAftertouch: {sendNote, sendPressure},
	effect.SendSysEx:          {-1, -1},
	effect.SendStart:          {-1, -1},
	effect.SendContinue:       {-1, -1},
	effect.SendStop:           {-1, -1},
}

// sendWords are the messages by name, in lower case and without underscores: the ancestor's
// documents and its parser do not agree.
var sendWords = map[string]effect.MidiKind{
	"noteon": effect.SendNoteOn, "noteoff": effect.SendNoteOff,
	"cc": effect.SendCC, "controlchange": effect.SendCC,
	"programchange": effect.SendProgramChange, "pc": effect.SendProgramChange,
	"pitchbend": effect.SendPitchBend, "pb": effect.SendPitchBend,
	"aftertouch": effect.SendAftertouch, "at": effect.SendAftertouch,
	"polyaftertouch": effect.SendPolyAftertouch, "sysex": effect.SendSysEx,
	"start": effect.SendStart, "continue": effect.SendContinue, "stop": effect.SendStop,
}

// sendDocs and sendShapes tell of the numbers, in the same order.
var (
	sendDocs = [...]string{
		"NoteOn, NoteOff, PolyAftertouch: which. 60.", "NoteOn, NoteOff: how hard; without it as hard as the control was hit.",
		"CC: which controller.", "CC: its value; without it the control's.", "ProgramChange: which, from 0.",
		"PitchBend: how far; without it where the control stands.", "Aftertouch, PolyAftertouch: how hard; without it the control's.",
		`SysEx: the message, "F0 … F7" or an array of bytes.`, "NoteOn: true: NoteOff follows when the control is let go of. false.",
	}
	sendShapes = [...]*shape{
		noteShape, levelShape(0, 127), integerOf(0, 127), levelShape(0, 127), integerOf(0, 127), levelShape(-8192, 8191), levelShape(0, 127), bytesShape, flagShape,
	}
)

var sendTable = func() *table[send] {
	fields := []field[send]{
		whole("channel", 0, 15, func(s *send, n int64) { s.Channel = uint8(n) }).says("0-15. 0."),
	}
	for i, name := range sendNumbers {
		f := field[send]{name: name, doc: sendDocs[i], shape: sendShapes[i], read: func(_ *reader, id int32, s *send) { s.numbers[i] = id }}
		if i == sendController {
			f = f.or("cc")
		}
		fields = append(fields, f)
	}
	return tableOf(append(fields,
		field[send]{
			name: "message_type", also: "message", must: true, doc: "What is sent: " + strings.Join(effect.MidiKinds, ", ") + ".",
			shape: wordShape, read: (*reader).sendMessage,
		},
		label("port", func(s *send, p string) { s.Port = p }).required().says("Where: a part of the name of a port."))...)
}()

func (r *reader) sendMessage(id int32, s *send) {
	word, ok := r.text(id)
	if !ok {
		return
	}
	if s.Message, ok = sendWords[strings.ToLower(strings.ReplaceAll(word, "_", ""))]; !ok {
		r.report(fault{
			code: UnknownValue, off: r.nodes[id].off, node: id, word: word, among: effect.MidiKinds,
			hint: "it is one of " + strings.Join(effect.MidiKinds, ", "),
		}, "%q is unknown", word)
	}
	s.known = ok
}

// The ancestor's note where none is given, and what MIDI sends where nobody measures how a
// key is let go of.
const (
	defaultNote     = 60
	releaseVelocity = 64
)

func (r *reader) send(id int32, s *send) effect.Action {
	a := &s.SendMidi
	if !s.known {
		return a // nobody knows what the numbers should be
	}
	uses := sendUses[a.Message]
	lo, hi := 0.0, 127.0
	if a.Message == effect.SendPitchBend {
		lo, hi = -8192, 8191
	}
	a.Value.Min, a.Value.Max = lo, hi
	if a.Message == effect.SendNoteOff {
		a.Value.Fixed, a.Value.Given = releaseVelocity, true
	}
	if a.Number = defaultNote; uses.number != sendNote {
		a.Number = 0
	}
	for i, c := range s.numbers {
		switch {
		case c == 0:
		case i == uses.number && i == sendNote:
			if n, ok := r.note(c); ok {
				a.Number = uint8(n)
			}
		case i == uses.number:
			n, _ := r.whole(c, 0, 127)
			a.Number = uint8(n)
		case i == uses.value:
			a.Value.Given = false
			r.level(c, &a.Value, lo, hi)
		case i == sendData && a.Message == effect.SendSysEx:
			if a.Data = r.sysex(c); len(a.Data) > 0 && a.Data[len(a.Data)-1] != sysexEnd {
				r.badSysex(c, "must end with F7")
			}
		case i == sendHold && a.Message == effect.SendNoteOn:
			a.Hold = r.is(c, booleanNode) && r.nodes[c].num != 0
		default:
			r.noEffect(c, "a "+effect.MidiKinds[a.Message]+" has none")
		}
	}
	switch must := slices.Contains([]int{sendController, sendProgram}, uses.number); {
	case must && s.numbers[uses.number] == 0:
		r.missing(id, sendNumbers[uses.number])
	case a.Message == effect.SendSysEx && s.numbers[sendData] == 0:
		r.missing(id, sendNumbers[sendData])
	}
	return a
}
