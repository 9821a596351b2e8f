package engine_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// program builds a compiled program from one mapping a line:
//
//	desk  note 36 80-127 ch1 dev0 eager  key:29+42+20
//
// The first word is a mode ("*" is global); modes come to be as they are named.
func program(t testing.TB, text string) *engine.Program {
	t.Helper()
	p := &engine.Program{Timing: engine.DefaultTiming}
	modes := map[string]int{"*": engine.Global}
	var global []engine.Mapping
	add := func(m engine.Mapping) {
		if m.Mode == engine.Global {
			global = append(global, m)
		} else {
			p.Mappings = append(p.Mappings, m)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if f[0] == "devices" {
			for _, name := range f[1:] {
				p.Devices = append(p.Devices, engine.Device{Name: name, Enabled: true})
			}
			continue
		}
		if _, ok := modes[f[0]]; !ok {
			modes[f[0]] = len(p.Modes)
			p.Modes = append(p.Modes, engine.Mode{Name: f[0]})
		}
		if len(f) == 1 {
			continue
		}
		m := engine.Mapping{Mode: modes[f[0]], Enabled: true}
		m.ID = fmt.Sprintf("m%d", len(p.Mappings)+len(global))
		m.Trigger = engine.Trigger{Device: engine.Any, Channel: engine.Any, Min: 1, Max: 127, Margin: engine.Margin7}
		for _, n := range strings.Split(f[2], "+") {
			m.Trigger.Notes = append(m.Trigger.Notes, uint8(number(t, n)))
		}
		m.Trigger.Number = int16(m.Trigger.Notes[0])
		switch f[1] {
		case "note":
		case "double", "triple":
			m.Trigger.Type, m.Trigger.Duration, m.Trigger.Taps = engine.MultiTap, 200*time.Millisecond, 2
			if f[1] == "triple" {
				m.Trigger.Taps = 3
			}
		case "chord":
			m.Trigger.Type, m.Trigger.Duration = engine.NoteChord, 50*time.Millisecond
		case "up":
			m.Trigger.Type = engine.NoteRelease
		case "vr":
			m.Trigger.Type, m.Trigger.Soft, m.Trigger.Medium = engine.VelocityRange, 40, 80
		case "pc":
			m.Trigger.Type = engine.ProgramChanged
		case "transport":
			m.Trigger.Type, m.Trigger.Message = engine.Transport, engine.Kind(m.Trigger.Number)
		case "sysex":
			m.Trigger.Type, m.Trigger.Data = engine.SysExclusive, []byte{0xf0, byte(m.Trigger.Number)}
		case "rpn":
			m.Trigger.Type, m.Trigger.Max, m.Trigger.Min = engine.RPN, 16383, 0
		case "bend":
			m.Trigger.Type, m.Trigger.Max, m.Trigger.Min = engine.Bend, 16383, 0
		case "cc14":
			m.Trigger.Type, m.Trigger.Max, m.Trigger.Min = engine.CC14, 16383, 0
		case "nrpn":
			m.Trigger.Type, m.Trigger.Max, m.Trigger.Min = engine.NRPN, 16383, 0
		case "after":
			m.Trigger.Type, m.Trigger.Min = engine.Aftertouch, 0
		case "long":
			m.Trigger.Type, m.Trigger.Duration = engine.LongPress, 500*time.Millisecond
		case "cc":
			m.Trigger.Type = engine.CC
		case "enc":
			m.Trigger.Type = engine.EncoderTurn
		default:
			t.Fatalf("program: %q in %q", f[1], line)
		}
		for _, w := range f[3 : len(f)-1] {
			lo, hi, isRange := strings.Cut(w, "-")
			switch {
			case w == "any":
				m.Trigger.Number = engine.Any
			case w == "delta":
				m.Trigger.Delta = true
			case w == "fine":
				m.Trigger.Fine = true
			case strings.HasPrefix(w, "detents"):
				m.Trigger.Detents = uint8(number(t, w[7:]))
			case strings.HasPrefix(w, "speed"):
				m.Trigger.Speed = uint8(number(t, w[5:]))
			case strings.HasPrefix(w, "rate"):
				m.MaxRate = float64(number(t, w[4:]))
			case strings.HasPrefix(w, "when:"):
				m.When = &effect.Condition{Kind: effect.ModeIs, Name: w[5:]}
			case w == "latch":
				m.Trigger.Button = engine.Latch
			case w == "latching":
				m.Trigger.Button = engine.Latching
			case w == "oncc":
				m.Trigger.OnCC = true
			case w == "off":
				m.Enabled = false
			case w == "eager":
				m.Eager = true
			case w == "locked":
				m.WhenLocked = true
			case w == "cw":
				m.Trigger.Direction = engine.Clockwise
			case w == "ccw":
				m.Trigger.Direction = engine.CounterClockwise
			case w == "twos":
				m.Trigger.Encoding = engine.TwosComplement
			case w == "offset":
				m.Trigger.Encoding = engine.BinaryOffset
			case w == "sign":
				m.Trigger.Encoding = engine.SignedBit
			case strings.HasPrefix(w, "ch"):
				m.Trigger.Channel = int8(number(t, w[2:]))
			case strings.HasPrefix(w, "dev"):
				m.Trigger.Device = int16(number(t, w[3:]))
			case isRange:
				m.Trigger.Ranged = m.Trigger.Type >= engine.CC
				m.Trigger.Min, m.Trigger.Max = uint16(number(t, lo)), uint16(number(t, hi))
			case strings.HasSuffix(w, "ms"):
				m.Trigger.Duration = time.Duration(number(t, strings.TrimSuffix(w, "ms"))) * time.Millisecond
			default:
				t.Fatalf("program: %q in %q", w, line)
			}
		}
		m.Action = action(t, f[len(f)-1])
		add(m)
	}
	p.Mappings = append(p.Mappings, global...)
	p.Compile()
	return p
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// action reads key:1+2 hold:1+2 sh:CMD mode:NAME wait:MS or a sequence [a,b,[c]].
func action(t testing.TB, s string) effect.Action {
	t.Helper()
	if strings.HasPrefix(s, "[") {
		seq, depth, start := &effect.Sequence{}, 0, 1
		for i := 1; i < len(s); i++ {
			switch c := s[i]; {
			case c == '[':
				depth++
			case (c == ',' || c == ']') && depth == 0:
				if i > start {
					seq.Actions = append(seq.Actions, action(t, s[start:i]))
				}
				start = i + 1
			case c == ']':
				depth--
			}
		}
		return seq
	}
	verb, rest, _ := strings.Cut(s, ":")
	switch verb {
	case "key", "hold":
		k := &effect.Keystroke{Hold: verb == "hold"}
		for _, code := range strings.Split(rest, "+") {
			k.Chord.Add(effect.Key(number(t, code)))
		}
		return k
	case "sh":
		return &effect.Shell{Command: rest}
	case "mode":
		return &effect.ModeChange{Mode: rest}
	case "holdmode":
		return &effect.ModeChange{Mode: rest, Hold: true}
	case "all":
		return &effect.Panic{}
	case "click":
		return &effect.MouseClick{Hold: true, Chord: effect.NewChord(0x110)}
	case "play":
		return &effect.SendMidi{Hold: true, Value: effect.Value{Max: 127}}
	case "scroll":
		return &effect.Scroll{Y: 1}
	case "cycle":
		return &effect.ModeChange{Step: number(t, rest)}
	case "if":
		mode, then, _ := strings.Cut(rest, "/")
		return &effect.Conditional{If: effect.Condition{Kind: effect.ModeIs, Name: mode}, Then: action(t, then)}
	case "turbo":
		return &effect.Repeat{Action: action(t, rest), Cancel: effect.CancelMode, Count: 1000, Delay: 100 * time.Millisecond}
	case "volume":
		return &effect.VolumeControl{Operation: effect.VolumeSet, Level: effect.Value{Max: 100}}
	case "text":
		return &effect.Text{Text: rest}
	case "emit":
		return &effect.Emit{Name: rest, Value: effect.Value{Max: 1}}
	case "toggle":
		parts := strings.Split(rest, "/")
		return &effect.Toggle{State: parts[0], On: action(t, parts[1]), Off: action(t, parts[2])}
	case "again":
		n, what, _ := strings.Cut(rest, "*")
		return &effect.Repeat{Count: number(t, n), Action: action(t, what), Cancel: effect.CancelRelease, Delay: 10 * time.Millisecond}
	case "wait":
		return &effect.Delay{For: time.Duration(number(t, rest)) * time.Millisecond}
	}
	t.Fatalf("action: %q", s)
	return nil
}

// play runs a performance of lines "MS on|off|cc|lost|overrun|mode|pause|resume|lock|unlock|
// release|sinklost|swap …" and gives the effects, a line each. Waking early and often, or
// only at the next line, must make no difference: it runs both and compares.
func play(t testing.TB, p *engine.Program, script string, swaps ...*engine.Program) string {
	t.Helper()
	lazy, eager := playOnce(t, p, script, false, swaps), playOnce(t, p, script, true, swaps)
	if lazy != eager {
		t.Errorf("woken late:\n%swoken at each deadline:\n%s", lazy, eager)
	}
	return lazy
}

func playOnce(t testing.TB, p *engine.Program, script string, wake bool, swaps []*engine.Program) string {
	e := engine.New(p)
	e.Attach(0, 0)
	var got strings.Builder
	var out []effect.Effect
	held := uint32(0)
	flush := func() {
		for i := range out {
			show(&got, &out[i])
			decided(t, e, &out[i])
		}
		out = out[:0]
	}
	for _, line := range strings.FieldsFunc(script, func(r rune) bool { return r == '\n' || r == ';' }) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		at := time.Duration(number(t, f[0])) * time.Millisecond
		for wake {
			due, ok := e.Due()
			if !ok || due > at {
				break
			}
			out = e.Advance(due, out)
		}
		arg := func(i, or int) int {
			if len(f) <= i {
				return or
			}
			return number(t, f[i])
		}
		in := engine.Input{At: at}
		in.Number, in.Value, in.Channel, in.Port = uint8(arg2(f, 2)), uint16(arg2(f, 3)), uint8(arg2(f, 4)), engine.Port(arg2(f, 5))
		switch f[1] {
		case "on":
			in.Kind, in.Value = engine.NoteOn, uint16(arg(3, 100))
			out = e.Step(&in, out)
		case "off":
			in.Kind, in.Value = engine.NoteOff, 0
			out = e.Step(&in, out)
		case "cc":
			in.Kind = engine.ControlChange
			out = e.Step(&in, out)
		case "bend", "poly", "pressure", "program", "start", "continue", "stop", "sysex":
			in.Kind = map[string]engine.Kind{
				"bend": engine.PitchBend, "poly": engine.PolyPressure, "pressure": engine.ChannelPressure, "program": engine.ProgramChange,
				"start": engine.Start, "continue": engine.Continue, "stop": engine.Stop, "sysex": engine.SysEx,
			}[f[1]]
			in.Data = []byte{0xf0, in.Number, 0xf7}
			out = e.Step(&in, out)
		case "cycle":
			out = e.CycleMode(arg(2, 1), effect.ByCaller, at, out)
		case "holdmode":
			held, out = e.HoldMode(arg(2, 0), at, out)
		case "releasemode":
			_, out = e.ReleaseMode(held, at, out)
		case "focus":
			out = e.SetWorld(&effect.World{FocusKnown: len(f) > 2, Focused: strings.Join(f[2:], " ")}, at, out)
		case "enable", "disable":
			e.SetEnabled(arg(2, 0), f[1] == "enable")
		case "trigger":
			out = e.Trigger(arg(2, 0), at, out)
		case "lost":
			out = e.Step(&engine.Input{At: at, Message: engine.Message{Kind: engine.PortLost}}, out)
		case "overrun":
			out = e.Step(&engine.Input{At: at, Message: engine.Message{Kind: engine.Overrun}}, out)
		case "attach":
			e.Attach(engine.Port(arg(2, 0)), arg(3, 0))
		case "mode":
			out = e.SetMode(arg(2, 0), effect.ByCaller, at, out)
		case "pause", "resume":
			out = e.SetGate(effect.Paused, f[1] == "pause", at, out)
		case "lock", "unlock":
			out = e.SetGate(effect.Locked, f[1] == "lock", at, out)
		case "release":
			out = e.Release(effect.ByPanic, at, out)
		case "sinklost":
			out = e.SinkLost(at, out)
		case "swap":
			out = e.Swap(swaps[arg(2, 0)], at, out)
		case "advance":
			out = e.Advance(at, out)
		case "refuse": // the last KeyDown of what the rest of the line steps
			n := len(out)
			in.Kind, in.Value = engine.NoteOn, 100
			out = e.Step(&in, out)
			for i := len(out) - 1; i >= n; i-- {
				if out[i].Kind == effect.KeyDown {
					e.Refuse(&out[i], out[i+1:])
					out = append(out[:i], out[i+1:]...)
					break
				}
			}
		default:
			t.Fatalf("script: %q", line)
		}
		flush()
	}
	return got.String()
}

func arg2(f []string, i int) int {
	if len(f) <= i {
		return 0
	}
	n, _ := strconv.Atoi(f[i])
	return n
}

func show(w *strings.Builder, x *effect.Effect) {
	fmt.Fprintf(w, "%d ", x.At.Milliseconds())
	keys := strings.Trim(fmt.Sprint(x.Keys.Keys()), "[]")
	switch x.Kind {
	case effect.KeyDown:
		fmt.Fprint(w, strings.TrimSpace("down "+keys))
	case effect.KeyUp:
		fmt.Fprint(w, strings.TrimSpace("up "+keys))
	case effect.ModeChanged:
		fmt.Fprintf(w, "mode %s>%s", x.Old, x.Mode)
	case effect.Act, effect.Refused:
		fmt.Fprintf(w, "%s", x.Origin.ID)
		if x.Step > 0 {
			fmt.Fprintf(w, ".%d", x.Step)
		}
		if x.Kind == effect.Refused {
			fmt.Fprint(w, " refused")
		} else {
			fmt.Fprintf(w, " %s", x.Action.Type())
		}
		if x.Level != 0 {
			fmt.Fprintf(w, " =%.3g", x.Level)
		}
		if x.Steps != 0 {
			fmt.Fprintf(w, " steps %d", x.Steps)
		}
		if x.Hit != 0 {
			fmt.Fprintf(w, " hit %d", uint8(x.Hit))
		}
	}
	if x.Cause != effect.None {
		fmt.Fprintf(w, " (%v)", x.Cause)
	}
	fmt.Fprintln(w)
}

// lines makes the expectation of a test comparable to what play gives.
func lines(s string) string {
	var b strings.Builder
	for _, l := range strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == ';' }) {
		if l = strings.TrimSpace(l); l != "" {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

// decided holds that an effect that a mapping fired names the decision that fired it, which names the
// mapping, or another that the same press fired before; and that no other effect names one.
func decided(t testing.TB, e *engine.Engine, x *effect.Effect) {
	t.Helper()
	if x.Kind != effect.Act && x.Kind != effect.KeyDown {
		if x.Kind != effect.Refused && x.Of != 0 {
			t.Errorf("%+v was not fired", x)
		}
		return
	}
	if p := e.Program(); x.Of == 0 && !slices.ContainsFunc(p.Mappings, func(m engine.Mapping) bool { return m.ID == x.Origin.ID }) {
		return // it is what a mode does at its beginning or end
	}
	for _, d := range e.Why(256) {
		if uint32(d.Seq) == x.Of {
			if d.At > x.At || d.At < x.At && x.Step == 0 || d.Mapping == "" {
				t.Errorf("%+v does not come of %+v", x, d)
			}
			return
		}
	}
	t.Errorf("%+v comes of nothing", x)
}

// said is what play gives with the commands of Shell actions instead of mappings.
func said(t testing.TB, text, script string) string {
	t.Helper()
	p := program(t, text)
	for i := range p.Mappings {
		p.Mappings[i].ID = p.Mappings[i].Action.(*effect.Shell).Command
	}
	return strings.ReplaceAll(strings.TrimSuffix(strings.ReplaceAll(play(t, p, script), " Shell\n", ";"), ";"), "\n", ";")
}
