package engine_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

func TestWhy(t *testing.T) {
	p := program(t, "desk note 1 80-127 sh:a\ndesk note 1 sh:b\ndesk long 1 sh:h\ndesk note 2 off sh:x\ndesk cc 3 4-9 sh:c\ndesk note 4 sh:lock")
	e := engine.New(p)
	e.Attach(0, engine.Any)
	at := time.Duration(0)
	step := func(kind engine.Kind, number uint8, value uint16) {
		at += time.Millisecond
		e.Step(&engine.Input{At: at, Message: engine.Message{Kind: kind, Number: number, Value: value}}, nil)
		e.Stamp(at+time.Microsecond, at+3*time.Microsecond)
	}
	step(engine.NoteOn, 1, 20)
	step(engine.NoteOff, 1, 0)
	step(engine.NoteOn, 2, 20)
	step(engine.NoteOn, 9, 20)
	step(engine.ControlChange, 3, 20)
	step(engine.NoteOn, 1, 20)
	at += time.Second
	e.Advance(at, nil)
	e.SetGate(effect.Locked, true, at, nil)
	step(engine.NoteOn, 4, 20)
	e.Swap(program(t, "other note 1 sh:a"), at, nil)
	e.Trigger(0, at, nil)
	var got []string
	for _, d := range e.Why(1000) {
		got = append(got, strings.TrimSpace(fmt.Sprint(d.Kind, " ", d.Number, " ", d.Mode, " ", d.Candidates, " ", d.Outcome, " ", d.Mapping, " ", d.Trigger, " ", d.Reason, " ", d.WaitsFor, " ", d.Until, " ", d.Handed)))
	}
	want := []string{
		"note-on 1 desk 3 waits    [hold] 501ms 3µs",
		"note-off 1 desk 0 fired m1 Note  [] 0s 3µs",
		"note-on 2 desk 1 no-match   disabled [] 0s 3µs",
		"note-on 9 desk 0 no-mapping    [] 0s 3µs",
		"control-change 3 desk 1 no-match   range [] 0s 3µs",
		"note-on 1 desk 3 waits    [hold] 506ms 3µs",
		"note-on 1 desk 0 fired m2 LongPress  [] 0s 501.003ms",
		"note-on 4 desk 1 refused m5 Note locked [] 0s 3µs",
		" 0 other 0 refused m0 Note locked [] 0s 0s",
	}
	for i := range want {
		want[i] = strings.TrimSpace(want[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(e.Why(2)); n != 2 {
		t.Errorf("%d of two", n)
	}
	e.SetWhy(false)
	if e.Trigger(0, at, nil); e.Why(1)[0].Seq != 9 {
		t.Error("it remembers although switched off")
	}
}

// TestWhyAcrossPrograms replaces the program after few notes and after many: each decision says what the
// program said that made it.
func TestWhyAcrossPrograms(t *testing.T) {
	e := engine.New(program(t, "first note 0 sh:a\nfirst note 1 sh:b"))
	e.Attach(0, engine.Any)
	mode, at := "first", time.Duration(0)
	var before weak.Pointer[engine.Mapping]
	var want []string
	for round := range 60 {
		for n := range round * 37 % 300 {
			at += time.Millisecond
			number := uint8(n * n / 7 % 2)
			e.Step(&engine.Input{At: at, Message: engine.Message{Kind: engine.NoteOn, Number: number, Value: 20}}, nil)
			e.Step(&engine.Input{At: at, Message: engine.Message{Kind: engine.NoteOff, Number: number}}, nil)
			want = append(want, fmt.Sprintf("%s m%d", mode, number), mode+" ")
		}
		for i, d := range e.Why(256) {
			if got, want := d.Mode+" "+d.Mapping, want[max(0, len(want)-256):][i]; got != want {
				t.Fatalf("round %d, decision %d: %q, want %q", round, i, got, want)
			}
		}
		mode = fmt.Sprint("mode", round)
		next := program(t, fmt.Sprintf("%[1]s note 0 sh:a\n%[1]s note 1 sh:b", mode))
		e.Swap(next, at, nil)
		if runtime.GC(); before.Value() != nil {
			t.Fatalf("round %d: the mappings before are still in memory", round)
		}
		before = weak.Make(&next.Mappings[0])
	}
}

func TestWhySaysHowHard(t *testing.T) {
	e := engine.New(program(t, "desk vr 1 sh:a\ndesk long 1 sh:h\ndesk vr 2 sh:b\ndesk note 3 sh:c"))
	e.Attach(0, engine.Any)
	for i, n := range []uint8{1, 2, 3} {
		e.Step(&engine.Input{At: time.Duration(i), Message: engine.Message{Kind: engine.NoteOn, Number: n, Value: 80}}, nil)
		e.Step(&engine.Input{At: time.Duration(i), Message: engine.Message{Kind: engine.NoteOff, Number: n}}, nil)
	}
	var got []string
	for _, d := range e.Why(6) {
		got = append(got, d.Outcome+" "+d.Hit)
	}
	if want := []string{"waits ", "fired medium", "fired medium", "no-mapping ", "fired ", "no-mapping "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWhyOfWhatFailed has what was fired come to nothing later: the decision that fired it says so, also
// after its program was replaced and after the same pad was hit again, and no other does.
func TestWhyOfWhatFailed(t *testing.T) {
	p := program(t, "desk note 1 sh:a\ndesk note 2 sh:b\ndesk note 3 sh:c")
	p.Mappings[2].Action = &effect.Sequence{Actions: []effect.Action{p.Mappings[2].Action, &effect.Delay{For: 100 * time.Millisecond}, p.Mappings[1].Action}}
	p.Compile()
	e := engine.New(p)
	e.Attach(0, engine.Any)
	at := time.Duration(0)
	hit := func(number uint8) *effect.Effect {
		at += time.Millisecond
		out := e.Step(&engine.Input{At: at, Message: engine.Message{Kind: engine.NoteOn, Number: number, Value: 20}}, nil)
		e.Step(&engine.Input{At: at, Message: engine.Message{Kind: engine.NoteOff, Number: number}}, nil)
		return &out[0]
	}
	want := func(want ...string) {
		t.Helper()
		var got []string
		for _, d := range e.Why(256) {
			if d.Kind == "note-on" {
				got = append(got, strings.TrimSpace(fmt.Sprint(d.Outcome, " ", d.Mapping, " ", d.Reason)))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	first, other := hit(1), hit(2)
	hit(1)
	e.Failed(first, "too bad")
	e.Failed(first, "the first that fails is told")
	want("failed m0 too bad", "fired m1", "fired m0")

	hit(3) // and again, before its last step
	hit(3)
	steps := e.Advance(at+100*time.Millisecond-1, nil)
	if at += 100 * time.Millisecond; len(steps) == 0 || steps[len(steps)-1].Step != 3 {
		t.Fatalf("%+v is no last step", steps)
	}
	e.Failed(&steps[len(steps)-1], "a late step")
	want("failed m0 too bad", "fired m1", "fired m0", "failed m2 a late step", "fired m2")

	stray := *other
	stray.Origin = &effect.Origin{ID: "m7"}
	e.Failed(&stray, "nobody's")
	stray.Origin = nil
	e.Failed(&stray, "nobody's")
	at += 2 * time.Second // there is a rate
	e.Advance(at, nil)
	last := hit(1)
	e.Swap(program(t, "other note 1 sh:a"), at, nil)
	e.Failed(last, "gone")
	want("failed m0 too bad", "fired m1", "fired m0", "failed m2 a late step", "fired m2", "failed m0 gone")
	for range 200 {
		hit(1)
	}
	e.Failed(other, "too late") // it is forgotten
	for _, d := range e.Why(256) {
		if d.Outcome == "failed" {
			t.Errorf("%+v", d)
		}
	}
}
