//go:build linux

package alsaseq

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/linux/stream"
)

var pad = addr{20, 0}

func TestMessages(t *testing.T) {
	cc := func(n uint8, v uint16) engine.Message {
		return engine.Message{Kind: engine.ControlChange, Channel: 3, Number: n, Value: v}
	}
	one := func(m engine.Message) []engine.Message { return []engine.Message{m} }
	for _, c := range []struct {
		name     string
		in       []byte
		verbatim bool
		want     []engine.Message
	}{
		{"note on", rec(evNoteOn, pad, 9, 36, 100), false, one(engine.Message{Kind: engine.NoteOn, Channel: 9, Number: 36, Value: 100})},
		{"velocity 0", rec(evNoteOn, pad, 9, 36, 0), false, one(engine.Message{Kind: engine.NoteOff, Channel: 9, Number: 36})},
		{"velocity 0 verbatim", rec(evNoteOn, pad, 9, 36, 0), true, one(engine.Message{Kind: engine.NoteOn, Channel: 9, Number: 36})},
		{"note off", rec(evNoteOff, pad, 9, 36, 64), false, one(engine.Message{Kind: engine.NoteOff, Channel: 9, Number: 36, Value: 64})},
		{"key pressure", rec(evKeyPressure, pad, 0, 36, 5), false, one(engine.Message{Kind: engine.PolyPressure, Number: 36, Value: 5})},
		{"note with a duration", rec(evNote, pad, 1, 60, 90), false, []engine.Message{
			{Kind: engine.NoteOn, Channel: 1, Number: 60, Value: 90}, {Kind: engine.NoteOff, Channel: 1, Number: 60},
		}},
		{"controller", ctl(evController, pad, 3, 7, 127), false, one(cc(7, 127))},
		{"program", ctl(evProgram, pad, 0, 0, 5), false, one(engine.Message{Kind: engine.ProgramChange, Number: 5})},
		{"channel pressure", ctl(evChanPressure, pad, 0, 0, 5), false, one(engine.Message{Kind: engine.ChannelPressure, Value: 5})},
		{"bend to the bottom", ctl(evBend, pad, 0, 0, -8192), false, one(engine.Message{Kind: engine.PitchBend})},
		{"bend in the middle", ctl(evBend, pad, 0, 0, 0), false, one(engine.Message{Kind: engine.PitchBend, Value: 8192})},
		{"bend to the top", ctl(evBend, pad, 0, 0, 8191), false, one(engine.Message{Kind: engine.PitchBend, Value: 16383})},
		{"14 bit controller", ctl(evController14, pad, 3, 1, 0x81), false, []engine.Message{cc(1, 1), cc(33, 1)}},
		{"NRPN", ctl(evNRPN, pad, 3, 0x82, 0x81), false, []engine.Message{cc(99, 1), cc(98, 2), cc(6, 1), cc(38, 1)}},
		{"RPN", ctl(evRPN, pad, 3, 0x82, 0x81), false, []engine.Message{cc(101, 1), cc(100, 2), cc(6, 1), cc(38, 1)}},
		{"start", rec(evStart, pad), false, one(engine.Message{Kind: engine.Start})},
		{"continue", rec(evContinue, pad), false, one(engine.Message{Kind: engine.Continue})},
		{"stop", rec(evStop, pad), false, one(engine.Message{Kind: engine.Stop})},
		{"clock", rec(evClock, pad), false, nil},
		{"clock verbatim", rec(evClock, pad), true, one(engine.Message{Kind: 0xF8})},
		{"song position", ctl(evSongPosition, pad, 0, 0, 257), true, one(engine.Message{Kind: 0xF2, Value: 257})},
		{"quarter frame", ctl(evQuarterFrame, pad, 0, 0, 5), true, one(engine.Message{Kind: 0xF1, Number: 5})},
		{"song select", ctl(evSongSelect, pad, 0, 0, 5), true, one(engine.Message{Kind: 0xF3, Number: 5})},
		{"unknown", rec(200, pad), true, nil},
		{"out of range", rec(evNoteOn, pad, 0xF3, 0xA4, 0xFF), false, one(engine.Message{Kind: engine.NoteOn, Channel: 3, Number: 36, Value: 127})},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, rest, ok := next(c.in)
			if !ok || len(rest) != 0 || r.source != pad {
				t.Fatalf("next = %+v, %d bytes left, %v", r, len(rest), ok)
			}
			if got := r.messages(nil, c.verbatim); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestNext(t *testing.T) {
	long := ext(pad, bytes.Repeat([]byte{7}, 29)...)
	if len(long) != 3*recordSize {
		t.Fatalf("a record with 29 bytes takes %d", len(long))
	}
	r, rest, ok := next(append(long, rec(evStart, pad)...))
	if !ok || len(r.ext) != 29 || len(rest) != recordSize {
		t.Errorf("next = %d variable bytes, %d left, %v", len(r.ext), len(rest), ok)
	}
	if r, rest, ok := next(ext(pad)); !ok || len(r.ext) != 0 || len(rest) != 0 {
		t.Errorf("empty SysEx: %d variable bytes, %d left, %v", len(r.ext), len(rest), ok)
	}
	for _, cut := range []int{0, 1, recordSize - 1, recordSize, 3*recordSize - 1} {
		if _, _, ok := next(long[:cut]); ok {
			t.Errorf("a record cut to %d bytes is taken", cut)
		}
	}
}

// TestEncode: what is sent and comes back is the same.
func TestEncode(t *testing.T) {
	wire := []byte{
		0x91, 36, 100, 36, 0, 0x81, 36, 64, 0xA1, 36, 5, 0xB1, 7, 127, 0xC1, 5, 0xD1, 6, 0xE1, 1, 0x40, 0xE1, 0, 0,
		0xFA, 0xFB, 0xFC, 0xF1, 5, 0xF2, 1, 2, 0xF3, 5, 0xF6, 0xF8, 0xF9, 0xFE, 0xFF,
	}
	p := stream.Parser{Verbatim: true}
	n := 0
	p.Feed(wire, func(m engine.Message) {
		n++
		b := encode(nil, addr{128, 1}, pad, m)
		r, _, ok := next(b)
		if !ok || r.source != (addr{128, 1}) || b[14] != pad.client || b[15] != pad.port || b[3] != queueDirect {
			t.Errorf("%v: misaddressed % X", m, b)
		}
		if got := r.messages(nil, true); len(got) != 1 || !reflect.DeepEqual(got[0], m) {
			t.Errorf("sent %v, came back %v", m, got)
		}
	})
	if n != 20 {
		t.Errorf("%d messages, want 20", n)
	}
	b := encode([]byte{1}, pad, pad, engine.Message{Kind: engine.SysEx, Data: []byte{0xF0, 1, 0xF7}})
	if len(b) != 1+recordSize+3 || binary.NativeEndian.Uint32(b[17:]) != 3 {
		t.Errorf("SysEx: % X", b)
	}
	if b := encode(nil, pad, pad, engine.Message{Kind: engine.PortLost}); len(b) != 0 {
		t.Errorf("PortLost became % X", b)
	}
}

// quiet is a reader whose inputs go to deliver.
func quiet(deliver func(engine.Input), from ...addr) *reader {
	s := &Session{deliver: deliver}
	r := routes{}
	for i, a := range from {
		r[a] = &listener{id: engine.Port(i), left: make(chan struct{})}
	}
	s.routes.Store(&r)
	return &reader{Session: s}
}

func TestReaderAllocatesNothing(t *testing.T) {
	n := 0
	r := quiet(func(engine.Input) { n++ }, pad)
	b := bytes.Join([][]byte{
		rec(evNoteOn, pad, 0, 36, 100), ctl(evController, pad, 0, 7, 1), ctl(evNRPN, pad, 0, 7, 1),
		ctl(evBend, pad, 0, 0, 1), rec(evNoteOff, addr{30, 0}, 0, 36, 0),
	}, nil)
	r.take(b, 0) // the first grows the scratch space
	if a := testing.AllocsPerRun(100, func() { r.take(b, 0) }); a != 0 {
		t.Errorf("%v allocations for channel messages, want none", a)
	}
	if n == 0 {
		t.Error("nothing delivered")
	}
}

func BenchmarkReader(b *testing.B) {
	r := quiet(func(engine.Input) {}, pad, addr{21, 0}, addr{22, 0})
	in := ctl(evController, pad, 1, 7, 99)
	b.ReportAllocs()
	for b.Loop() {
		r.take(in, time.Second)
	}
}

func TestSysExInPieces(t *testing.T) {
	other := addr{21, 0}
	var got []engine.Input
	r := quiet(func(i engine.Input) { got = append(got, i) }, pad, other)
	r.take(bytes.Join([][]byte{
		ext(pad, 0xF0, 1, 2), ext(other, 0xF0, 9), rec(evStart, pad), ext(pad, 3), ext(other, 0xF7), ext(pad, 4, 0xF7, 0xF0, 5, 0xF7),
		ext(pad, 0xF0, 6), rec(evNoteOn, pad, 0, 1, 1), ext(pad, 7, 0xF7), // ended by the note
		ext(pad, 0x90, 1, 1), // no SysEx at all
	}, nil), 5)
	sysex := func(p engine.Port, b ...byte) engine.Input {
		return engine.Input{At: 5, Port: p, Message: engine.Message{Kind: engine.SysEx, Data: b}}
	}
	want := []engine.Input{
		{At: 5, Message: engine.Message{Kind: engine.Start}},
		sysex(1, 0xF0, 9, 0xF7),
		sysex(0, 0xF0, 1, 2, 3, 4, 0xF7), sysex(0, 0xF0, 5, 0xF7),
		{At: 5, Message: engine.Message{Kind: engine.NoteOn, Number: 1, Value: 1}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// FuzzReader: any bytes are taken without a panic, and it does not matter in how many reads
// the same records come.
func FuzzReader(f *testing.F) {
	f.Add(bytes.Join([][]byte{rec(evNoteOn, pad, 0, 36, 100), ext(pad, 0xF0, 1), ext(pad, 0xF7), ctl(evBend, pad, 0, 0, -1)}, nil), false)
	f.Add(ctl(evNRPN, pad, 0, 0xFFFFFFFF, -1), true)
	f.Add(rec(evUnsubscribed, pad, 20, 0, 128, 0), false)
	f.Add(ext(pad, bytes.Repeat([]byte{0xF0}, 60)...), true)
	f.Add(append(ext(pad, 0xF0, 1, 2, 3), 0xFF, 0xFF), false)
	f.Fuzz(func(t *testing.T, b []byte, verbatim bool) {
		for r, rest, ok := next(b); ok; r, rest, ok = next(rest) {
			if r.source.client == systemClient {
				return // these ask the kernel, of which there is none
			}
		}
		read := func(split bool) (got []engine.Input) {
			r := quiet(func(i engine.Input) { got = append(got, i) }, pad, addr{21, 0})
			r.opts.Verbatim = verbatim
			if !split {
				r.take(b, 0)
				return got
			}
			for _, rest, ok := next(b); ok; _, rest, ok = next(b) {
				r.take(b[:len(b)-len(rest)], 0)
				b = rest
			}
			return got
		}
		whole := read(false)
		if got := read(true); !reflect.DeepEqual(got, whole) {
			t.Errorf("record by record: got %v\nwant %v", got, whole)
		}
		for _, in := range whole {
			m := in.Message
			if m.Channel > 15 || m.Number > 127 || m.Value > 16383 || m.Value > 127 && m.Kind != engine.PitchBend && m.Kind != 0xF2 {
				t.Errorf("%v is out of range", m)
			}
		}
	})
}
