package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// TestTriggers plays every trigger that is no gesture.
func TestTriggers(t *testing.T) {
	for _, c := range []struct{ name, program, script, want string }{
		{"release", "desk up 1 sh:a", "0 on 1;50 off 1;60 off 1", "50 m0 Shell"},
		{"release keeps its mode", "desk up 1 sh:a\nother", "0 on 1;10 mode 1;50 off 1", "10 mode desk>other (caller);50 m0 Shell"},
		{"velocity range", "desk vr 1 all:", "0 on 1 40;1 off 1;2 on 1 41;3 off 1;4 on 1 81", "0 m0 Panic hit 1;2 m0 Panic hit 2;4 m0 Panic hit 3"},
		{"program", "desk pc 5 sh:a\ndesk pc 0 any sh:b", "0 program 5;1 program 6", "0 m0 Shell;1 m1 Shell"},
		{"every program first as written", "desk pc 0 any sh:b\ndesk pc 5 sh:a", "0 program 5", "0 m0 Shell"},
		{"transport", "desk transport 8 sh:a\n* transport 10 sh:b", "0 start;1 continue;2 stop", "0 m0 Shell;2 m1 Shell"},
		{"sysex", "desk sysex 126 sh:a", "0 sysex 125;1 sysex 126", "1 m0 Shell"},
		{"14 bits: the lower half completes", "desk cc14 1 8192-16383 sh:a", "0 cc 33 0;1 cc 1 64;2 cc 33 0", "2 m0 Shell"},
		{"14 bits: without a lower half", "desk cc14 1 8192-16383 sh:a", "0 cc 1 63;1 cc 1 64", "1 m0 Shell"},
		{"14 bits: passed on", "desk cc14 1 emit:x", "0 cc 1 64;1 cc 33 1;2 cc 33 1", "0 m0 Emit =0.5;1 m0 Emit =0.5"},
		{"7 bits do not hear 14", "desk cc 1 0-127 emit:x\ndesk cc14 1 emit:y", "0 cc 1 127", "0 m0 Emit =1;0 m1 Emit =0.992"},
		{"parameter", "desk nrpn 1 emit:x", "0 cc 99 0;0 cc 98 1;1 cc 6 64;2 cc 96 0;3 cc 97 0;4 cc 98 2;5 cc 6 9", "1 m0 Emit =0.5;2 m0 Emit =0.5;3 m0 Emit =0.5"},
		{"parameter: the null ends it", "desk rpn 0 emit:x", "0 cc 101 0;0 cc 100 0;1 cc 6 127;1 cc 38 127;2 cc 101 127;2 cc 100 127;3 cc 6 3", "1 m0 Emit =0.992;1 m0 Emit =1"},
		{"parameter: RPN is not NRPN", "desk rpn 0 emit:x", "0 cc 99 0;0 cc 98 0;1 cc 6 127", ""},
		{"parameter: no data before a number", "desk rpn 0 emit:x", "0 cc 6 3;1 cc 101 0;2 cc 6 3;3 cc 100 0;4 cc 97 0", ""},
		{"bend is a button away from its rest", "desk bend 0 hold:1", "0 bend 0 8192;1 bend 0 8193;2 bend 0 9000;3 bend 0 8192", "1 m0 Keystroke;1 down 1;3 up 1 (mapping)"},
		{"pressure", "desk after 5 any sh:a", "0 pressure 0 3;1 pressure 0 0;2 poly 9 1;3 poly 9 0", "0 m0 Shell;2 m0 Shell"},
		{"pressure of one note", "desk after 9 sh:a\ndesk after 0 any sh:b", "0 poly 9 3;1 poly 8 3", "0 m0 Shell;1 m1 Shell"},
		{"a value that does not change", "desk cc 1 0-127 emit:x", "0 cc 1 5;1 cc 1 5;2 cc 1 127", "0 m0 Emit =0.0394;2 m0 Emit =1"},
		{"a range that follows", "desk cc 1 64-127 emit:x", "0 cc 1 5;1 cc 1 64;2 cc 1 127", "1 m0 Emit;2 m0 Emit =1"},
		{"encoder: every step", "desk enc 1 twos delta scroll:", "0 cc 1 3;1 cc 1 126", "0 m0 Scroll steps 3;1 m0 Scroll steps -2"},
		{"encoder: once a step", "desk enc 1 twos delta mode:desk", "0 cc 1 2", "0 m0 ModeChange;0 m0 ModeChange"},
		{"encoder: detents", "desk enc 1 twos detents2 scroll:", "0 cc 1 1;100 cc 1 1;200 cc 1 1;300 cc 1 127;400 cc 1 127", "100 m0 Scroll steps 1;400 m0 Scroll steps -1"},
		{"encoder: fast", "desk enc 1 twos speed5 scroll:", "0 cc 1 1;15 cc 1 1;100 cc 1 1", "0 m0 Scroll steps 1;15 m0 Scroll steps 4;100 m0 Scroll steps 1"},
		{"encoder: 14 bits", "desk enc 1 fine delta scroll:", "0 cc 1 64;0 cc 33 0;1 cc 33 5", "1 m0 Scroll steps 5"},
		{"latch", "desk note 1 latch hold:1", "0 on 1;10 off 1;40000 on 1;40010 off 1", "0 m0 Keystroke;0 down 1;40000 up 1 (mapping)"},
		{"latching", "desk note 1 latching sh:a", "0 off 1;10 on 1;20 off 1", "0 m0 Shell;10 m0 Shell;20 m0 Shell"},
		{"latching controller", "desk cc 1 latching sh:a", "0 cc 1 127;10 cc 1 0", "0 m0 Shell;10 m0 Shell"},
		{"latched controller", "desk cc 1 latch hold:1", "0 cc 1 9;10 cc 1 0;20 cc 1 9;30 cc 1 0", "0 m0 Keystroke;0 down 1;20 up 1 (mapping)"},
		{"hold on a controller", "desk cc 1 sh:tap\ndesk long 1 oncc sh:hold", "0 cc 1 127;100 cc 1 0;200 cc 1 127;900 cc 1 0", "100 m0 Shell;700 m1 Shell"},
		{"double on a controller", "desk cc 1 sh:tap\ndesk double 1 oncc sh:double", "0 cc 1 127;50 cc 1 0;100 cc 1 127;150 cc 1 0;900 cc 1 127;1200 advance", "100 m1 Shell;1100 m0 Shell"},
		{"press elsewhere by a controller", "desk note 1 sh:tap\ndesk double 1 sh:d\ndesk cc 2 sh:c", "0 on 1;10 off 1;20 cc 2 9", "20 m0 Shell;20 m2 Shell"},
		{"condition at the press", "desk note 1 when:other sh:a\ndesk note 1 sh:b\nother", "0 on 1", "0 m1 Shell"},
		{"condition of a value", "desk cc 1 9-127 when:other sh:a\ndesk cc 1 9-127 sh:b\nother", "0 cc 1 20", "0 m1 Shell"},
		{"disabled and enabled", "desk note 1 sh:a\ndesk note 1 sh:b", "0 disable 0;1 on 1;2 off 1;3 enable 0;4 on 1", "1 m1 Shell;4 m0 Shell"},
		{"by a caller", "desk note 1 hold:1", "0 trigger 0;50 advance", "0 m0 Keystroke;0 down 1;20 up 1"},
		{"chord on two ports of a device", "devices A\ndesk chord 1+2 sh:c", "0 attach 1 0;0 on 1;5 on 2 100 0 1", "5 m0 Shell"},
		{"no chord on two devices", "devices A B\ndesk chord 1+2 sh:c", "0 attach 1 1;0 on 1;5 on 2 100 0 1", ""},
		{"chord holds until the first release", "desk chord 1+2 hold:1", "0 on 1;5 on 2;60 off 1;70 off 2", "5 m0 Keystroke;5 down 1;60 up 1 (mapping)"},
		{"a larger chord that holds another note", "desk chord 1+2 sh:c\ndesk chord 1+3+4 sh:d", "0 on 1;5 on 2", "5 m0 Shell"},
		{"mode of the first tap", "desk double 1 sh:d\nother note 1 sh:o", "0 on 1;10 off 1;20 mode 1;30 on 1", "20 mode desk>other (caller);30 m0 Shell"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := play(t, program(t, c.program), c.script), lines(c.want); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// TestActions plays what actions do by themselves, and modes.
func TestActions(t *testing.T) {
	for _, c := range []struct{ name, program, script, want string }{
		{"toggle", "desk note 1 toggle:t/sh:a/sh:b\ndesk note 2 toggle:t/sh:c/sh:d", "0 on 1;1 off 1;2 on 2;3 off 2;4 on 1", "0 m0 Toggle =1;0 m0 Shell;2 m1 Toggle;2 m1 Shell;4 m0 Toggle =1;4 m0 Shell"},
		{"toggle in a sequence", "desk note 1 [toggle:t/sh:a/sh:b,toggle:t/sh:a/sh:b]", "0 on 1", "0 m0 Sequence;0 m0.1 Toggle =1;0 m0.2 Shell;0 m0.3 Toggle;0 m0.4 Shell"},
		{"condition", "desk note 1 if:desk/sh:a\ndesk note 2 if:x/sh:a", "0 on 1;1 on 2", "0 m0 Conditional =1;0 m0 Shell;1 m1 Conditional"},
		{"repeat", "desk note 1 [again:2*sh:a,sh:b]", "0 on 1;900 advance", "0 m0 Sequence;0 m0.1 Shell;10 m0.2 Shell;10 m0.3 Shell"},
		{"repeat ends with the release", "desk note 1 again:4*sh:a", "0 on 1;15 off 1;900 advance", "0 m0 Repeat;0 m0.1 Shell;10 m0.2 Shell"},
		{"repeat without end", "desk note 1 again:0*key:1", "0 on 1;70 off 1;900 advance", "0 m0 Repeat;0 m0.1 Keystroke;0 down 1;20 up 1;30 m0.2 Keystroke;30 down 1;50 up 1;60 m0.3 Keystroke;60 down 1;80 up 1"},
		{"repeat without a release is once", "desk cc 1 0-127 again:0*sh:a", "0 cc 1 1;900 advance", "0 m0 Repeat;0 m0.1 Shell"},
		{"repeat ends with the mode", "desk note 1 turbo:sh:a\nother", "0 on 1;150 mode 1;900 advance", "0 m0 Repeat;0 m0.1 Shell;100 m0.2 Shell;150 mode desk>other (caller)"},
		{"click", "desk note 1 click:", "0 on 1;50 off 1", "0 m0 MouseClick;0 down 272;50 up 272 (mapping)"},
		{"note", "desk note 1 play:", "0 on 1 127;50 off 1", "0 m0 SendMidi =127;0 down;50 up (mapping)"},
		{"panic", "desk note 1 hold:1\ndesk note 2 all:", "0 on 1;10 on 2;20 off 1", "0 m0 Keystroke;0 down 1;10 m1 Panic;10 up 1 (panic)"},
		{"panic ends a held mode", "desk note 1 holdmode:other\nother note 2 all:", "0 on 1;10 on 2;20 off 1", "0 m0 ModeChange;0 mode desk>other (hold);10 m1 Panic;10 mode other>desk (hold)"},
		{"held mode", "desk note 1 holdmode:other\nother", "0 on 1;10 off 1", "0 m0 ModeChange;0 mode desk>other (hold);10 mode other>desk (hold)"},
		{"held mode without a release", "desk cc 1 9-127 holdmode:other\nother", "0 cc 1 10", "0 m0 ModeChange;0 mode desk>other (mapping)"},
		{"base mode below a held one", "desk note 1 holdmode:other\nother note 2 mode:third\nthird", "0 on 1;5 on 2;10 off 1", "0 m0 ModeChange;0 mode desk>other (hold);5 m1 ModeChange;5 mode other>other (mapping);10 mode other>third (hold)"},
		{"modes in turn", "desk note 1 cycle:1\nother note 1 cycle:1", "0 on 1;1 off 1;2 on 1;3 off 1;4 cycle -1", "0 m0 ModeChange;0 mode desk>other (mapping);2 m1 ModeChange;2 mode other>desk (mapping);4 mode desk>other (caller)"},
		{"held by a caller", "desk\nother", "0 holdmode 1;1 releasemode;2 releasemode;3 holdmode 7", "0 mode desk>other (hold);1 mode other>desk (hold)"},
		{"commands have a rate", "desk note 1 sh:a", "0 on 1;1 off 1;2 on 1;3 off 1;4 on 1;5 off 1;6 on 1;7 off 1;8 on 1;9 off 1;10 on 1;1100 on 1", "0 m0 Shell;2 m0 Shell;4 m0 Shell;6 m0 Shell;8 m0 Shell;10 m0 refused (rate);1100 m0 Shell"},
		{"a rate of its own", "desk note 1 rate2 key:1", "0 on 1;1 off 1;400 on 1;401 off 1;500 on 1;600 off 1", "0 m0 Keystroke;0 down 1;20 up 1;400 m0 refused (rate);500 m0 Keystroke;500 down 1;520 up 1"},
		{"the newest value comes late", "desk cc 1 0-127 rate2 emit:x", "0 cc 1 0;10 cc 1 64;20 cc 1 127;900 advance", "0 m0 Emit;500 m0 Emit =1"},
		{"what is late is forgotten by panic", "desk cc 1 0-127 rate2 emit:x", "0 cc 1 0;10 cc 1 64;20 release;900 advance", "0 m0 Emit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := play(t, program(t, c.program), c.script), lines(c.want); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// TestModesThatFollow: enter and exit, and modes of applications.
func TestModesThatFollow(t *testing.T) {
	p := program(t, "desk\nedit\nweb")
	step := func(id string) *engine.Mapping {
		return &engine.Mapping{Origin: effect.Origin{ID: id}, Action: &effect.Media{}}
	}
	p.Modes[0].Exit, p.Modes[1].Enter, p.Modes[1].Exit = step("exit0"), step("enter1"), step("exit1")
	p.Modes[1].Apps, p.Modes[2].Apps = []string{"*gimp*"}, []string{"Firefox"}
	got := play(t, p, "0 focus org.gimp.gimp;1 focus firefox;2 mode 0;3 focus firefox x;4 focus firefox;5 focus")
	want := lines(`0 exit0 Media; 0 mode desk>edit (focus); 0 enter1 Media
1 exit1 Media; 1 mode edit>web (focus)
2 mode web>desk (caller)
4 exit0 Media; 4 mode desk>web (focus)
5 mode web>desk (focus)`)
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	p.Modes[1].Enter.Action = &effect.ModeChange{Mode: "web"}
	if got := play(t, p, "0 mode 1"); got != lines("0 exit0 Media;0 mode desk>edit (caller);0 enter1 ModeChange;0 exit1 Media;0 mode edit>web (mapping)") && got != lines("0 exit0 Media;0 mode desk>edit (caller);0 enter1 ModeChange;0 mode edit>web (mapping)") {
		t.Errorf("a mode that changes the mode:\n%s", got)
	}
}

// TestPortComesAgain has a port go and another come: of the new one's controls nothing is known, and it
// takes no memory.
func TestPortComesAgain(t *testing.T) {
	e := engine.New(program(t, "desk cc 3 4-9 sh:c\ndesk note 1 sh:a"))
	out := make([]effect.Effect, 0, 8)
	at := time.Duration(0)
	step := func(id engine.Port, m engine.Message) int {
		at += time.Second
		out = e.Step(&engine.Input{At: at, Port: id, Message: m}, out[:0])
		return len(out)
	}
	plays := func(id engine.Port) {
		e.Attach(id, engine.Any)
		for _, value := range []uint16{5, 6} { // it stands in the range, and stays there
			if n, want := step(id, engine.Message{Kind: engine.ControlChange, Number: 3, Value: value}), int(6-value); n != want {
				t.Errorf("port %d: %d effects of value %d, want %d", id, n, value, want)
			}
		}
		if n := step(id, engine.Message{Kind: engine.NoteOn, Number: 1, Value: 80}); n != 1 {
			t.Errorf("port %d: %d effects of a pad", id, n)
		}
		step(id, engine.Message{Kind: engine.PortLost})
	}
	plays(0)
	id := engine.Port(0)
	if n := testing.AllocsPerRun(20, func() { id++; plays(id) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestToggleStates(t *testing.T) {
	p := program(t, "desk note 1 toggle:t/sh:a/sh:b")
	e := engine.New(p)
	e.Attach(0, engine.Any)
	e.SetToggle("t", true)
	out := e.Trigger(0, 0, nil)
	if len(out) != 2 || out[0].Level != 0 || e.Toggles()["t"] {
		t.Errorf("%+v, %v", out, e.Toggles())
	}
	e.SetToggle("u", true)
	if got := e.Toggles(); !got["u"] || len(got) != 2 {
		t.Error(got)
	}
	if !e.Enabled(0) {
		t.Error("a mapping is switched off")
	}
}

func TestUsesClock(t *testing.T) {
	clock := effect.Condition{Kind: effect.And, Of: []effect.Condition{{}, {Kind: effect.DayOfWeek}}}
	for name, change := range map[string]func(*engine.Program){
		"when": func(p *engine.Program) { p.Mappings[0].When = &clock },
		"action": func(p *engine.Program) {
			p.Mappings[0].Action = &effect.Sequence{Actions: []effect.Action{&effect.Conditional{If: clock}}}
		},
		"enter": func(p *engine.Program) { p.Modes[0].Enter = &engine.Mapping{Action: &effect.Conditional{If: clock}} },
	} {
		p := program(t, "desk note 1 sh:a")
		if p.UsesClock() {
			t.Error("it asks for no time")
		}
		if change(p); !p.UsesClock() {
			t.Errorf("%s asks for the day", name)
		}
	}
}

func TestValuesAndSteps(t *testing.T) {
	given, taken := effect.Value{Given: true}, effect.Value{}
	takes := []effect.Action{
		&effect.VolumeControl{Operation: effect.VolumeSet}, &effect.SendMidi{Message: effect.SendCC}, &effect.Emit{}, &effect.DBusCall{Args: []any{1, &taken}},
		&effect.Conditional{Then: &effect.Text{}, Else: &effect.Emit{}},
	}
	other := []effect.Action{
		&effect.VolumeControl{}, &effect.VolumeControl{Operation: effect.VolumeSet, Level: given}, &effect.SendMidi{}, &effect.SendMidi{Message: effect.SendCC, Value: given},
		&effect.Emit{Text: "a"}, &effect.DBusCall{Args: []any{1, &given}}, &effect.Launch{}, &effect.Open{}, &effect.Notify{}, &effect.MouseMove{},
	}
	for _, a := range takes {
		if !effect.TakesValue(a) {
			t.Errorf("%s takes the value", a.Type())
		}
	}
	for _, a := range other {
		if effect.TakesValue(a) {
			t.Errorf("%s takes no value: %+v", a.Type(), a)
		}
	}
	steps := []bool{effect.TakesSteps(&effect.VolumeControl{}), effect.TakesSteps(&effect.MouseMove{}), effect.TakesSteps(&effect.Scroll{}), effect.TakesSteps(&effect.MouseMove{Absolute: true}), effect.TakesSteps(&effect.Text{})}
	if !slices.Equal(steps, []bool{true, true, true, false, false}) {
		t.Error(steps)
	}
	if effect.ValueOf(&effect.VolumeControl{}) != nil || effect.ValueOf(takes[0]) == nil || effect.ValueOf(takes[3]) != &taken || effect.ValueOf(other[6]) != nil {
		t.Error("the value of an action")
	}
}

func TestActionNames(t *testing.T) {
	for name, a := range map[string]effect.Action{
		"Text": &effect.Text{}, "MouseMove": &effect.MouseMove{}, "Launch": &effect.Launch{}, "Open": &effect.Open{}, "VolumeControl": &effect.VolumeControl{},
		"Notify": &effect.Notify{}, "DBusCall": &effect.DBusCall{}, "SendMidi": &effect.SendMidi{}, "Repeat": &effect.Repeat{}, "Panic": &effect.Panic{},
	} {
		if a.Type() != name {
			t.Errorf("%s is called %s", name, a.Type())
		}
	}
}

// TestRates: each kind of action that has a rate has its own.
func TestRates(t *testing.T) {
	for _, c := range []struct {
		action effect.Action
		most   int
	}{
		{&effect.Shell{}, 5},
		{&effect.Launch{}, 5},
		{&effect.Notify{}, 5},
		{&effect.DBusCall{}, 25},
		{&effect.Emit{Text: "a"}, 25},
		{&effect.Media{}, 100},
	} {
		p := program(t, "desk note 1 sh:a")
		p.Mappings[0].Action = c.action
		p.Compile()
		e := engine.New(p)
		n := 0
		for i := range 100 {
			for _, x := range e.Trigger(0, time.Duration(i)*time.Millisecond, nil) {
				if x.Kind == effect.Act {
					n++
				}
			}
		}
		if n != c.most {
			t.Errorf("%s acts %d times a second, want %d", c.action.Type(), n, c.most)
		}
	}
}
