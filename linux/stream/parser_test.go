//go:build linux

package stream

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine"
)

// unhex reads "90 3C 64".
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(p *Parser, pieces ...[]byte) []engine.Message {
	var out []engine.Message
	for _, b := range pieces {
		p.Feed(b, func(m engine.Message) { out = append(out, m) })
	}
	return out
}

func TestParser(t *testing.T) {
	on := func(n uint8, v uint16) engine.Message {
		return engine.Message{Kind: engine.NoteOn, Number: n, Value: v}
	}
	off := func(n uint8) engine.Message { return engine.Message{Kind: engine.NoteOff, Number: n} }
	cc := engine.Message{Kind: engine.ControlChange, Number: 7, Value: 127}
	start := engine.Message{Kind: engine.Start}
	sysex := func(s string) engine.Message {
		return engine.Message{Kind: engine.SysEx, Data: unhex(t, s)}
	}
	for _, c := range []struct {
		name, in string
		verbatim bool
		want     []engine.Message
	}{
		{name: "note on", in: "90 3C 64", want: []engine.Message{on(60, 100)}},
		{name: "velocity 0 is a release", in: "90 3C 00", want: []engine.Message{off(60)}},
		{name: "note off with velocity", in: "8F 3C 40", want: []engine.Message{{Kind: engine.NoteOff, Channel: 15, Number: 60, Value: 64}}},
		{name: "poly pressure", in: "A1 3C 10", want: []engine.Message{{Kind: engine.PolyPressure, Channel: 1, Number: 60, Value: 16}}},
		{name: "program", in: "C2 05", want: []engine.Message{{Kind: engine.ProgramChange, Channel: 2, Number: 5}}},
		{name: "channel pressure", in: "D3 7F", want: []engine.Message{{Kind: engine.ChannelPressure, Channel: 3, Value: 127}}},
		{name: "bend, low bits first", in: "E0 01 40", want: []engine.Message{{Kind: engine.PitchBend, Value: 8193}}},
		{name: "transport", in: "FA FB FC", want: []engine.Message{start, {Kind: engine.Continue}, {Kind: engine.Stop}}},
		{name: "running status", in: "90 3C 64 40 64 3C 00", want: []engine.Message{on(60, 100), on(64, 100), off(60)}},
		{name: "real time within a message", in: "90 FA 3C FE 64", want: []engine.Message{start, on(60, 100)}},
		{name: "real time keeps running status", in: "90 3C 64 F8 40 64", want: []engine.Message{on(60, 100), on(64, 100)}},
		{name: "real time within sysex", in: "F0 01 FA 02 F7", want: []engine.Message{start, sysex("F0 01 02 F7")}},
		{name: "status ends a message begun", in: "90 3C B0 07 7F", want: []engine.Message{cc}},
		{name: "status ends a sysex", in: "F0 01 02 B0 07 7F F7", want: []engine.Message{cc}},
		{name: "sysex after sysex without end", in: "F0 01 F0 02 F7", want: []engine.Message{sysex("F0 02 F7")}},
		{name: "sysex ends running status", in: "90 3C 64 F0 F7 40 64", want: []engine.Message{on(60, 100), sysex("F0 F7")}},
		{name: "F7 alone is legal, and ends running status", in: "F7 90 3C 64 F7 40 64", want: []engine.Message{on(60, 100)}},
		{name: "song position swallows no status", in: "F2 01 90 3C 64", want: []engine.Message{on(60, 100)}},
		{name: "system common ends running status", in: "90 3C 64 F6 40 64", want: []engine.Message{on(60, 100)}},
		{name: "undefined status", in: "F4 01 F5 F9 FD 90 3C 64", want: []engine.Message{on(60, 100)}},
		{name: "data from nowhere", in: "3C 64 90 3C 64", want: []engine.Message{on(60, 100)}},
		{name: "verbatim", in: "90 3C 00 F1 12 F2 01 02 F3 05 F6 F8 F9 FD FE FF", verbatim: true, want: []engine.Message{
			on(60, 0),
			{Kind: 0xF1, Number: 0x12},
			{Kind: 0xF2, Value: 257},
			{Kind: 0xF3, Number: 5},
			{Kind: 0xF6},
			{Kind: 0xF8},
			{Kind: 0xF9},
			{Kind: 0xFE},
			{Kind: 0xFF},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := unhex(t, c.in)
			if got := parse(&Parser{Verbatim: c.verbatim}, in); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestParserBoundsSysEx(t *testing.T) {
	var p Parser
	body := bytes.Repeat([]byte{1}, MaxSysEx-2)
	fits := append(append([]byte{0xF0}, body...), 0xF7)
	if got := parse(&p, fits); len(got) != 1 || !bytes.Equal(got[0].Data, fits) {
		t.Fatalf("a message of MaxSysEx bytes: got %d messages", len(got))
	}
	got := parse(&p, []byte{0xF0, 2}, body, []byte{0xF7}, unhex(t, "F0 05 F7"))
	if len(got) != 1 || len(got[0].Data) != 3 {
		t.Errorf("after one too long: got %v, want the short one only", got)
	}
	if p.Dropped != 1 {
		t.Errorf("Dropped = %d, want 1", p.Dropped)
	}
}

func TestParserGivesSysExAway(t *testing.T) {
	var p Parser
	got := parse(&p, unhex(t, "F0 01 F7 F0 02 F7"))
	if got[0].Data[1] != 1 || got[1].Data[1] != 2 {
		t.Errorf("got %v: the second overwrote the first", got)
	}
}

func TestParserReset(t *testing.T) {
	var p Parser
	if got := append(parse(&p, unhex(t, "90 3C 64 40")), func() []engine.Message {
		p.Reset()
		return parse(&p, unhex(t, "64 3C 64"))
	}()...); len(got) != 1 {
		t.Errorf("got %v, want one message and nothing after Reset", got)
	}
}

func TestParserAllocatesNothing(t *testing.T) {
	var p Parser
	in := unhex(t, "90 3C 64 3C 00 B0 07 7F E0 00 40 C0 01 D0 01 F8 FE")
	n := 0
	emit := func(engine.Message) { n++ }
	if a := testing.AllocsPerRun(100, func() { p.Feed(in, emit) }); a != 0 {
		t.Errorf("%v allocations for channel messages, want none", a)
	}
	if n == 0 {
		t.Error("nothing parsed")
	}
}

func BenchmarkParser(b *testing.B) {
	var p Parser
	in := unhex(b, "90 3C 64 3C 00 B0 07 7F 07 40")
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		p.Feed(in, func(engine.Message) {})
	}
}

// FuzzParser: any bytes in any pieces give the same messages, each of them in range.
func FuzzParser(f *testing.F) {
	for _, s := range []string{
		"90 3C 64 40 64", "F0 01 FA 02 F7", "F0 01 B0 07 7F", "F2 01 02 F3 05", "90 FA 3C F7 64", "E0 01 40 E0 7F 7F F0 F7",
	} {
		f.Add(unhex(f, s), uint8(1), true)
		f.Add(unhex(f, s), uint8(3), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, step uint8, verbatim bool) {
		whole := parse(&Parser{Verbatim: verbatim}, in)
		var pieces [][]byte
		for rest := in; len(rest) > 0; {
			n := min(int(step)+1, len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if got := parse(&Parser{Verbatim: verbatim}, pieces...); !reflect.DeepEqual(got, whole) {
			t.Errorf("in pieces of %d: got %v\nwant %v", step+1, got, whole)
		}
		for _, m := range whole {
			if err := check(m, verbatim); err != nil {
				t.Errorf("%v: %v", m, err)
			}
		}
	})
}

func check(m engine.Message, verbatim bool) error {
	limit := uint16(127)
	switch {
	case m.Kind == engine.PitchBend || m.Kind == 0xF2:
		limit = 16383
	case m.Kind >= 0xF0 && !verbatim, m.Kind == engine.PortLost, m.Kind == engine.Overrun:
		return fmt.Errorf("unexpected kind %d", m.Kind)
	case m.Kind == engine.NoteOn && m.Value == 0 && !verbatim:
		return fmt.Errorf("note-on without velocity")
	case m.Kind == engine.SysEx:
		end := len(m.Data) - 1
		if end < 1 || end >= MaxSysEx || m.Data[0] != sysexStart || m.Data[end] != sysexEnd {
			return fmt.Errorf("malformed sysex")
		}
		if i := bytes.IndexFunc(m.Data[1:end], func(r rune) bool { return r >= 0x80 }); i >= 0 {
			return fmt.Errorf("status byte within sysex at %d", i)
		}
	}
	if m.Channel > 15 || m.Number > 127 || m.Value > limit {
		return fmt.Errorf("out of range")
	}
	return nil
}
