package script

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine"
)

// Event is one thing that happens to the engine.
type Event struct {
	At    time.Duration
	Verb  string       // what: one of the words of the package's text
	Words []string     // to what, for those that are no message
	Input engine.Input // the message; its Port counts for attach too, its At never

	line int // in the archive; 0: in none
}

// Message is the event of a message that arrived.
func Message(in *engine.Input) Event {
	ev := Event{At: in.At, Verb: messages[in.Kind].name, Input: *in}
	ev.Input.At = 0
	return ev
}

// message is how the words of a message are written: Number and Value if it has them.
type message struct {
	name          string
	number, value string // what they are called; empty: it has none
	top           uint16 // of Value
	port          bool   // of the whole port, not of a channel
}

var messages = [...]message{
	engine.NoteOff:         {name: "off", number: "note"},
	engine.NoteOn:          {name: "on", number: "note", value: "velocity", top: 127},
	engine.PolyPressure:    {name: "poly", number: "note", value: "pressure", top: 127},
	engine.ControlChange:   {name: "cc", number: "controller", value: "value", top: 127},
	engine.ProgramChange:   {name: "program", number: "program"},
	engine.ChannelPressure: {name: "pressure", value: "pressure", top: 127},
	engine.PitchBend:       {name: "bend", value: "value", top: 1<<14 - 1},
	engine.SysEx:           {name: "sysex", port: true},
	engine.Start:           {name: "start", port: true},
	engine.Continue:        {name: "continue", port: true},
	engine.Stop:            {name: "stop", port: true},
	engine.PortLost:        {name: "lost", port: true},
	engine.Overrun:         {name: "overrun", port: true},
}

// defaultVelocity is that of an "on" that gives none.
const defaultVelocity = 100

func messageNamed(verb string) (engine.Kind, bool) {
	for kind, m := range messages {
		if m.name == verb {
			return engine.Kind(kind), true
		}
	}
	return 0, false
}

func parseEvent(words []string) (ev Event, err error) {
	if ev.At, err = parseTime(words[0]); err != nil {
		return ev, err
	}
	if len(words) == 1 {
		return ev, errors.New("nothing happens here")
	}
	ev.Verb, words = words[1], words[2:]
	kind, isMessage := messageNamed(ev.Verb)
	if isMessage || ev.Verb == "attach" {
		if words, err = ev.whence(words, isMessage && !messages[kind].port); err != nil {
			return ev, err
		}
	}
	if isMessage {
		ev.Input.Kind = kind
		return ev, ev.parseMessage(&messages[kind], words)
	}
	v, ok := verbs[ev.Verb]
	switch {
	case !ok:
		return ev, fmt.Errorf("nothing is called %q", ev.Verb)
	case len(words) < v.least || len(words) > v.most:
		return ev, fmt.Errorf("%s takes %s", ev.Verb, v.words())
	}
	for _, w := range words {
		ev.Words = append(ev.Words, plain(w))
	}
	if v.check != nil {
		err = v.check(ev.Words)
	}
	return ev, err
}

// whence takes "port N" and "ch N" from the end of a line.
func (ev *Event) whence(words []string, channels bool) ([]string, error) {
	for len(words) >= 2 {
		n := len(words) - 2
		switch name := words[n]; {
		case name == "port":
			port, err := number(name, words[n+1], engine.MaxPorts-1)
			if err != nil {
				return nil, err
			}
			ev.Input.Port = engine.Port(port)
		case name == "ch" && channels:
			channel, err := number(name, words[n+1], 15)
			if err != nil {
				return nil, err
			}
			ev.Input.Channel = uint8(channel)
		default:
			return words, nil
		}
		words = words[:n]
	}
	return words, nil
}

func (ev *Event) parseMessage(m *message, words []string) error {
	in := &ev.Input
	if in.Kind == engine.SysEx {
		data, err := hex.DecodeString(strings.Join(words, ""))
		if err != nil || len(data) < 2 || data[0] != 0xF0 || data[len(data)-1] != 0xF7 {
			return errors.New("sysex takes bytes from F0 to F7")
		}
		in.Data = data
		return nil
	}
	if in.Kind == engine.NoteOn && len(words) == 1 {
		words = append(words, strconv.Itoa(defaultVelocity))
	}
	var want []string
	for _, name := range []string{m.number, m.value} {
		if name != "" {
			want = append(want, name)
		}
	}
	if len(words) != len(want) {
		if len(want) == 0 {
			want = append(want, "nothing")
		}
		return fmt.Errorf("%s takes %s", ev.Verb, strings.Join(want, " and "))
	}
	if m.number != "" {
		n, err := number(m.number, words[0], 127)
		if err != nil {
			return err
		}
		in.Number, words = uint8(n), words[1:]
	}
	if m.value != "" {
		n, err := number(m.value, words[0], m.top)
		if err != nil {
			return err
		}
		in.Value = n
	}
	return nil
}

func number(name, s string, top uint16) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > uint64(top) {
		return 0, fmt.Errorf("%s %q is no number from 0 to %d", name, s, top)
	}
	return uint16(n), nil
}

// append appends the line that parses to ev, without its end.
func (ev *Event) append(b []byte) []byte {
	b = append(append(append(b, formatTime(ev.At)...), ' '), ev.Verb...)
	in := &ev.Input
	if kind, ok := messageNamed(ev.Verb); ok {
		m := &messages[kind]
		if m.number != "" {
			b = fmt.Appendf(b, " %d", in.Number)
		}
		if m.value != "" {
			b = fmt.Appendf(b, " %d", in.Value)
		}
		if len(in.Data) > 0 {
			b = fmt.Appendf(b, " % X", in.Data)
		}
		if in.Channel != 0 && !m.port {
			b = fmt.Appendf(b, " ch %d", in.Channel)
		}
	}
	for _, w := range ev.Words {
		b = append(append(b, ' '), word(w)...)
	}
	if in.Port != 0 {
		b = fmt.Appendf(b, " port %d", in.Port)
	}
	return b
}
