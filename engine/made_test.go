package engine_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// The controls that made programs listen to, and that random events come from.
const (
	firstNote, firstButton, firstEncoder = 36, 70, 20
	dataEntry                            = 6
)

// size is how many controls of each kind there are, and what they are mapped in.
type size struct {
	mappings, modes, devices           int
	notes, buttons, encoders, channels int
}

// maker makes programs at random, of every trigger, action, condition and kind of mode, such as a
// configuration could have described.
type maker struct {
	*rand.Rand
	size
}

// makeProgram makes a program. The first mappings are of each trigger with each action.
func makeProgram(r *rand.Rand, s size) *engine.Program {
	k := maker{r, s}
	p := &engine.Program{Timing: engine.DefaultTiming}
	p.Timing.MaxHold = 5 * time.Second
	for i := range s.devices {
		p.Devices = append(p.Devices, engine.Device{Name: fmt.Sprint("device", i), Enabled: true})
	}
	for i := range s.modes {
		m := engine.Mode{Name: fmt.Sprint("mode", i)}
		if i%3 == 2 {
			m.Apps = []string{fmt.Sprintf("app%d*", i)}
		}
		if i%2 == 1 {
			m.Enter, m.Exit = k.passage(m.Name+".enter"), k.passage(m.Name+".exit")
		}
		p.Modes = append(p.Modes, m)
	}
	for i := range s.mappings {
		kinds, triggers := k.kinds(), len(engine.TriggerTypes)
		t := engine.TriggerType(i % triggers)
		do := kinds[k.IntN(len(kinds))]
		if i < triggers*len(kinds) {
			do = kinds[i/triggers]
		}
		m := engine.Mapping{Mode: k.IntN(s.modes+1) - 1, Trigger: k.trigger(t), Action: do(0), Enabled: k.IntN(20) > 0, WhenLocked: k.IntN(3) == 0}
		m.ID = fmt.Sprint("m", i)
		m.Eager = t <= engine.VelocityRange && t != engine.NoteRelease && k.IntN(5) == 0
		if k.IntN(10) == 0 {
			c := k.condition(0)
			m.When = &c
		}
		if k.IntN(20) == 0 {
			m.MaxRate = float64(1 + k.IntN(20))
		}
		if _, ok := m.Action.(*effect.Panic); ok { // it ends so much that it should be rare
			m.Trigger.Channel = int8(s.channels - 1)
		}
		p.Mappings = append(p.Mappings, m)
	}
	slices.SortStableFunc(p.Mappings, func(a, b engine.Mapping) int { return cmp.Compare(uint(a.Mode), uint(b.Mode)) })
	p.Compile()
	return p
}

func (k *maker) passage(id string) *engine.Mapping {
	return &engine.Mapping{Origin: effect.Origin{ID: id}, WhenLocked: k.IntN(2) == 0, Action: k.action(1)}
}

func (k *maker) ms(least, most int) time.Duration {
	return time.Duration(least+k.IntN(most-least+1)) * time.Millisecond
}

// trigger is a trigger of that type. A hold is always longer than the windows of chords.
func (k *maker) trigger(of engine.TriggerType) engine.Trigger {
	t := engine.Trigger{Type: of, Device: int16(k.IntN(k.devices+1) - 1), Channel: int8(k.IntN(k.channels+1) - 1), Min: 1, Max: 127}
	t.Number = int16(firstNote + k.IntN(k.notes))
	if k.IntN(4) == 0 {
		t.Min = uint16(1 + k.IntN(80))
		t.Max = t.Min + uint16(k.IntN(48))
	}
	if k.IntN(4) == 0 && of != engine.NoteChord {
		t.Button = engine.Button(1 + k.IntN(2))
		if t.Button == engine.Latching && of != engine.Note && of < engine.CC {
			t.Button = engine.Latch
		}
	}
	if of == engine.NoteRelease || of >= engine.LongPress && of <= engine.MultiTap {
		if t.OnCC = k.buttons > 0 && k.IntN(4) == 0; t.OnCC {
			t.Number = int16(firstButton + k.IntN(k.buttons))
		}
	}
	switch of {
	case engine.Note:
	case engine.VelocityRange:
		t.Soft, t.Medium = 40, 80
	case engine.NoteRelease:
		t.Button = engine.Momentary
	case engine.LongPress:
		t.Duration = k.ms(100, 900)
	case engine.DoubleTap, engine.MultiTap:
		t.Taps, t.Duration = 2, k.ms(100, 400)
		if of == engine.MultiTap {
			t.Taps = uint8(2 + k.IntN(engine.MaxTaps-1))
		}
	case engine.NoteChord:
		t.Duration = k.ms(20, 60)
		first := k.IntN(k.notes - 1)
		for n := range min(2+k.IntN(3), k.notes-first) {
			t.Notes = append(t.Notes, uint8(firstNote+first+n))
		}
	case engine.EncoderTurn:
		t.Number = int16(firstEncoder + k.IntN(k.encoders))
		t.Direction, t.Encoding = engine.Direction(k.IntN(3)), engine.Encoding(k.IntN(4))
		t.Delta, t.Fine = k.IntN(2) == 0, k.IntN(8) == 0
		t.Detents, t.Speed, t.Button = uint8(k.IntN(4)), uint8(k.IntN(5)), engine.Momentary
	case engine.ProgramChanged:
		t.Number = int16(k.IntN(4) - 1)
	case engine.Transport:
		t.Message = []engine.Kind{engine.Start, engine.Continue, engine.Stop}[k.IntN(3)]
	case engine.SysExclusive:
		t.Data = []byte{0xf0, byte(k.IntN(3))}
	case engine.CC, engine.CC14, engine.NRPN, engine.RPN, engine.Aftertouch, engine.Bend:
		k.values(&t)
	}
	return t
}

// values is for a trigger of a value: of which control, and in which range.
func (k *maker) values(t *engine.Trigger) {
	t.Min, t.Max, t.Margin = 0, t.Type.MaxValue(), engine.Margin7
	if t.Max > 127 {
		t.Margin = engine.Margin14
	}
	switch t.Type {
	case engine.CC:
		if t.Number = int16(1 + k.IntN(8)); k.buttons > 0 && k.IntN(2) == 0 {
			t.Number = int16(firstButton + k.IntN(k.buttons))
		}
	case engine.CC14:
		t.Number = int16(10 + k.IntN(3))
	case engine.Aftertouch:
		t.Number = []int16{engine.Any, firstNote, firstNote + 1}[k.IntN(3)]
	case engine.NRPN, engine.RPN:
		t.Number = int16([]int{0, 1, 128}[k.IntN(3)])
	default:
		t.Number = 0
	}
	if t.Ranged = k.IntN(3) > 0; t.Ranged {
		t.Min = uint16(k.IntN(int(t.Max)))
		t.Max = t.Min + uint16(k.IntN(int(t.Max-t.Min)+1))
	}
}

// kinds make an action each, that stands so deep in others.
func (k *maker) kinds() []func(depth int) effect.Action {
	plain := func(make func() effect.Action) func(int) effect.Action {
		return func(int) effect.Action { return make() }
	}
	return []func(int) effect.Action{
		plain(func() effect.Action {
			a := &effect.Keystroke{Hold: k.IntN(2) == 0}
			for _, key := range k.Perm(16)[:1+k.IntN(3)] {
				a.Chord.Add(effect.Key(1 + key))
			}
			return a
		}),
		plain(func() effect.Action { return &effect.Text{Text: "text"} }),
		plain(func() effect.Action {
			return &effect.MouseClick{Hold: k.IntN(2) == 0, Chord: effect.NewChord(effect.Key(0x110 + k.IntN(3)))}
		}),
		plain(func() effect.Action {
			return &effect.MouseMove{X: 3, Y: int32(k.IntN(9)), Absolute: k.IntN(2) == 0}
		}),
		plain(func() effect.Action { return &effect.Scroll{Y: 1} }),
		plain(func() effect.Action { return &effect.Launch{App: "app"} }),
		plain(func() effect.Action { return &effect.Open{Target: "target"} }),
		plain(func() effect.Action { return &effect.Shell{Command: "true"} }),
		plain(func() effect.Action {
			return &effect.VolumeControl{Operation: effect.VolumeOperation(k.IntN(len(effect.VolumeOperations))), Level: k.value(100)}
		}),
		plain(func() effect.Action {
			return &effect.Media{Operation: effect.MediaOperations[k.IntN(len(effect.MediaOperations))]}
		}),
		plain(func() effect.Action { return &effect.Notify{Summary: "summary"} }),
		plain(func() effect.Action { v := k.value(1); return &effect.DBusCall{Member: "Go", Args: []any{"a", &v}} }),
		plain(func() effect.Action { return &effect.Emit{Name: "name", Value: k.value(1)} }),
		plain(func() effect.Action { return &effect.Panic{} }),
		plain(func() effect.Action { return &effect.Delay{For: k.ms(1, 200)} }),
		plain(func() effect.Action {
			a := &effect.ModeChange{Mode: fmt.Sprint("mode", k.IntN(k.modes+1)), Hold: k.IntN(2) == 0}
			if k.IntN(3) == 0 {
				a.Mode, a.Step = "", 1-2*k.IntN(2)
			}
			return a
		}),
		plain(func() effect.Action {
			return &effect.SendMidi{Port: "port", Message: effect.MidiKind(k.IntN(len(effect.MidiKinds))), Hold: k.IntN(2) == 0, Value: k.value(127)}
		}),
		func(depth int) effect.Action {
			a := &effect.Sequence{Cancel: effect.Cancel(k.IntN(len(effect.Cancels)))}
			for range k.IntN(4) {
				a.Actions = append(a.Actions, k.action(depth+1))
			}
			return a
		},
		func(depth int) effect.Action {
			a := &effect.Repeat{Count: 1 + k.IntN(4), Delay: k.ms(0, 90), Cancel: effect.Cancel(k.IntN(len(effect.Cancels))), Action: k.action(depth + 1)}
			if k.IntN(4) == 0 && a.Cancel != effect.CancelNever {
				a.Count, a.Delay = 0, k.ms(50, 200)
			}
			return a
		},
		func(depth int) effect.Action {
			return &effect.Toggle{State: fmt.Sprint("state", k.IntN(4)), On: k.action(depth + 1), Off: k.perhaps(depth + 1)}
		},
		func(depth int) effect.Action {
			return &effect.Conditional{If: k.condition(0), Then: k.action(depth + 1), Else: k.perhaps(depth + 1)}
		},
	}
}

// action is any action; deep down one that has no others in it. Panic within others would leave
// little for what is around it.
func (k *maker) action(depth int) effect.Action {
	kinds := k.kinds()
	n := len(kinds)
	if depth > 3 {
		n -= 4
	}
	a := kinds[k.IntN(n)](depth)
	if _, panics := a.(*effect.Panic); panics && depth > 0 {
		return &effect.Text{Text: "no panic"}
	}
	return a
}

// perhaps is an action or none.
func (k *maker) perhaps(depth int) effect.Action {
	if k.IntN(3) == 0 {
		return nil
	}
	return k.action(depth)
}

func (k *maker) value(most float64) effect.Value {
	v := effect.Value{Max: most, Invert: k.IntN(4) == 0, Curve: effect.Curve(k.IntN(len(effect.Curves))), Bend: k.Float64(), Graded: k.IntN(6) == 0, Hits: [4]float64{0, 1, 2, 3}}
	if k.IntN(4) == 0 {
		v.Given, v.Fixed = true, most/2
	}
	return v
}

func (k *maker) condition(depth int) effect.Condition {
	kind := effect.ConditionKind(k.IntN(int(effect.Not) + 1))
	if depth > 1 {
		kind = effect.ConditionKind(k.IntN(int(effect.And)))
	}
	c := effect.Condition{Kind: kind, From: uint16(k.IntN(1440)), To: uint16(k.IntN(1440)), Days: uint8(k.IntN(128)), Unknown: k.IntN(2) == 0}
	switch kind {
	case effect.ModeIs:
		c.Name = fmt.Sprint("mode", k.IntN(k.modes))
	case effect.AppRunning, effect.AppFocused:
		c.Name = fmt.Sprintf("app%d*", k.IntN(6))
	case effect.DevicePresent:
		c.Name = fmt.Sprint("device", k.IntN(k.devices+1))
	case effect.And, effect.Or:
		c.Of = []effect.Condition{k.condition(depth + 1), k.condition(depth + 1)}
	case effect.Not:
		c.Of = []effect.Condition{k.condition(depth + 1)}
	default:
	}
	return c
}
