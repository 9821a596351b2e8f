package engine_test

import (
	"fmt"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// event plays one event. Called: what came of it is of no press.
func (p *player) event() (called bool) {
	switch n := p.pick.IntN(1000); {
	case n < 640:
		p.note()
	case n < 760:
		p.button()
	case n < 980:
		p.turn()
	default:
		return p.world()
	}
	return false
}

// step sends a message.
func (p *player) step(where spot, kind engine.Kind, value uint16) {
	in := engine.Input{At: p.at, Port: where.port, Message: engine.Message{Kind: kind, Channel: where.channel, Number: where.number, Value: value}}
	if kind == engine.SysEx {
		in.Data = []byte{0xf0, where.number, 0xf7}
	}
	p.came(moment{in: in})
	p.out = p.e.Step(&in, p.out)
}

// somewhere is a control with that number, mostly of the first port and channel.
func (p *player) somewhere(number int) spot {
	s := spot{number: uint8(number)}
	if n := p.pick.IntN(12); n >= 8 {
		s.port, s.channel = engine.Port(n-8), uint8(p.pick.IntN(p.size.channels))
	}
	return s
}

// note presses or releases a pad: often the one before again, or one beside it.
func (p *player) note() {
	n := int(p.last)
	switch p.pick.IntN(4) {
	case 0:
		n = p.pick.IntN(p.size.notes)
	case 1:
		n = (n + 1) % p.size.notes
	}
	p.last = uint8(n)
	where := p.somewhere(firstNote + n)
	where.note = true
	if p.hands.isDown(where) != (p.pick.IntN(20) == 0) {
		p.hands.lift(p.at, where)
		p.step(where, engine.NoteOff, 0)
		return
	}
	if p.hands.tells(p.at, where) {
		p.step(where, engine.NoteOn, uint16(p.hands.strike(p.at, where)))
	}
}

// button presses or releases a controller that is one.
func (p *player) button() {
	if p.size.buttons == 0 {
		p.note()
		return
	}
	where := p.somewhere(firstButton + p.pick.IntN(p.size.buttons))
	if p.hands.isDown(where) {
		p.hands.lift(p.at, where)
		p.step(where, engine.ControlChange, 0)
		return
	}
	if p.hands.tells(p.at, where) {
		p.step(where, engine.ControlChange, uint16(p.hands.strike(p.at, where)))
	}
}

// turn moves what has values, and sends what is over at once.
func (p *player) turn() {
	value := func(number, full int) uint16 { // not far from where it was, but sometimes
		v := int(p.values[number]) + p.pick.IntN(full/8) - full/16
		if p.pick.IntN(6) == 0 {
			v = p.pick.IntN(full + 1)
		}
		p.values[number] = uint16(max(0, min(v, full)))
		return p.values[number]
	}
	switch n := p.pick.IntN(20); {
	case n < 7:
		where := p.somewhere(1 + p.pick.IntN(12))
		p.step(where, engine.ControlChange, value(int(where.number), 127))
	case n < 12:
		where := p.somewhere(firstEncoder + p.pick.IntN(p.size.encoders))
		p.step(where, engine.ControlChange, []uint16{1, 127, 65, 63, 3, 64, 0}[p.pick.IntN(7)])
	case n < 14: // the lower halves
		where := p.somewhere(42 + p.pick.IntN(3))
		p.step(where, engine.ControlChange, value(int(where.number), 127))
	case n == 14: // a parameter is selected and set
		where := p.somewhere(0)
		for i, number := range [][3]uint8{{99, 98, dataEntry}, {101, 100, dataEntry}, {99, 98, 97}}[p.pick.IntN(3)] {
			if where.number = number; i < 2 {
				p.step(where, engine.ControlChange, uint16(p.pick.IntN(2)))
			}
		}
		p.step(where, engine.ControlChange, uint16(p.pick.IntN(128)))
	case n == 15: // or some of it
		where := p.somewhere([]int{98, 99, 100, 101, dataEntry, dataEntry + 32, 96, 97}[p.pick.IntN(8)])
		p.step(where, engine.ControlChange, uint16([]int{0, 1, 127, 64}[p.pick.IntN(4)]))
	case n == 16:
		p.step(p.somewhere(0), engine.PitchBend, value(126, 1<<14-1))
	case n == 17:
		p.step(p.somewhere(0), engine.ChannelPressure, value(127, 127))
	case n == 18:
		p.step(p.somewhere(firstNote+p.pick.IntN(2)), engine.PolyPressure, value(125, 127))
	default:
		kind := []engine.Kind{engine.ProgramChange, engine.Start, engine.Continue, engine.Stop, engine.SysEx}[p.pick.IntN(5)]
		p.step(p.somewhere(p.pick.IntN(4)), kind, 0)
	}
}

// worldly are the names of what world does.
var worldly = [16]string{
	"mode", "mode", "cycle", "hold mode", "release mode", "gate", "gate", "swap", "swap", "world", "world", "enabled", "trigger", "lost or overrun", "sink lost", "release",
}

// world is what comes from elsewhere than a control.
func (p *player) world() (called bool) {
	e, at := p.e, p.at
	mode, what := p.pick.IntN(p.size.modes+1), p.pick.IntN(16)
	p.came(moment{world: worldly[what], in: engine.Input{At: at}})
	switch what {
	case 0, 1:
		p.out = e.SetMode(mode, effect.ByCaller, at, p.out)
	case 2:
		p.out = e.CycleMode(1-2*p.pick.IntN(2), effect.ByCaller, at, p.out)
	case 3:
		var id uint32
		if id, p.out = e.HoldMode(mode, at, p.out); id != 0 {
			p.modes = append(p.modes, id)
		}
	case 4:
		if n := len(p.modes); n > 0 {
			_, p.out = e.ReleaseMode(p.modes[n-1], at, p.out)
			p.modes = p.modes[:n-1]
		}
	case 5, 6:
		closed := p.pick.IntN(16)
		for i, gate := range [...]effect.Cause{effect.Paused, effect.Inhibited, effect.Locked, effect.Inactive} {
			p.out = e.SetGate(gate, i == closed, at, p.out)
		}
	case 7, 8:
		p.out = e.Swap(p.programs[p.pick.IntN(len(p.programs))], at, p.out)
		p.attach()
	case 9, 10:
		w := &effect.World{Minute: uint16(p.pick.IntN(1440)), Weekday: uint8(p.pick.IntN(7)), Locked: p.pick.IntN(2) == 0, FocusKnown: p.pick.IntN(4) > 0, Focused: fmt.Sprintf("app%dx", p.pick.IntN(6))}
		w.Running = map[string]bool{fmt.Sprintf("app%dx", p.pick.IntN(6)): true}
		w.Present = map[string]bool{fmt.Sprint("device", p.pick.IntN(3)): true}
		p.out = e.SetWorld(w, at, p.out)
	case 11:
		p.out = e.Advance(at, p.out)
		m := p.pick.IntN(len(e.Program().Mappings))
		e.SetEnabled(m, p.pick.IntN(4) > 0)
	case 12:
		p.out = e.Advance(at, p.out)
		p.take(false)
		p.out = e.Trigger(p.pick.IntN(len(e.Program().Mappings)), at, p.out)
		return true
	case 13:
		port := engine.Port(p.pick.IntN(ports))
		kind := []engine.Kind{engine.PortLost, engine.Overrun}[p.pick.IntN(2)]
		p.step(spot{port: port}, kind, 0)
		p.hands.liftAll(at, port)
		p.attach()
	case 14:
		p.out = e.Advance(at, p.out)
		p.take(false)
		p.out = e.SinkLost(at, p.out)
		p.take(false)
		p.keys.lose()
		p.hands.lose()
	default:
		p.out = e.Release([]effect.Cause{effect.ByPanic, effect.Stopping}[p.pick.IntN(2)], at, p.out)
	}
	return false
}
