package engine_test

import (
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// chance is what decides which events come: a source of random numbers, or the bytes of a fuzzer.
type chance interface{ IntN(n int) int }

// player plays events as they come by chance, and looks at what comes of them: nothing goes down
// twice or up without having been down, every hold ends with its press, no press means two things,
// and time does not run back. What it plays does not depend on what comes of it.
type player struct {
	t        testing.TB
	name     string // for who reads what went wrong
	pick     chance
	size     size
	programs []*engine.Program
	e        *engine.Engine
	at       time.Duration
	out      []effect.Effect
	early    bool // wakes the engine at every deadline, and between
	refuse   bool // now and then a KeyDown finds no place. When depends on when the engine is woken.
	keys     keyboard
	hands    *hands
	modes    []uint32 // held by callers
	values   [128]uint16
	last     uint8 // note
	events   int
	effects  int
	most     int // places in the engine
	acts     map[string]int
	sum      uint64     // of all effects
	sums     []uint64   // after each event
	recent   [48]moment // the newest, for who reads what went wrong
	moments  int
}

// moment is something that came: a message, something else that happened, or an effect.
type moment struct {
	event  int
	in     engine.Input
	world  string
	effect *effect.Effect
}

func (p *player) came(m moment) {
	m.event = p.events
	p.recent[p.moments%len(p.recent)] = m
	p.moments++
}

// story is what came last.
func (p *player) story() string {
	var b strings.Builder
	for i := range p.recent {
		m := &p.recent[(p.moments+i)%len(p.recent)]
		switch {
		case m.effect != nil:
			fmt.Fprintf(&b, "%d     ", m.event)
			fmt.Fprintf(&b, "value %d hold %x ", m.effect.Value, m.effect.Hold)
			if by := p.hands.of[m.effect.Origin]; by != nil {
				fmt.Fprintf(&b, "%s of %d %v button %d eager %v ", by.Trigger.Type, by.Trigger.Number, by.Trigger.Notes, by.Trigger.Button, by.Eager)
			}
			show(&b, m.effect)
		case m.world != "":
			fmt.Fprintf(&b, "%d %v: %s\n", m.event, m.in.At, m.world)
		case m.event > 0:
			fmt.Fprintf(&b, "%d %+v\n", m.event, m.in)
		}
	}
	return b.String()
}

func newPlayer(t testing.TB, name string, pick chance, s size, programs ...*engine.Program) *player {
	p := &player{t: t, name: name, pick: pick, size: s, programs: programs, e: engine.New(programs[0]), acts: map[string]int{}}
	p.keys = keyboard{t: blame(p.fail), down: map[effect.Key]bool{}, holds: map[uint32]effect.Action{}}
	p.hands = newHands(p.fail, programs...)
	p.attach()
	return p
}

func (p *player) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s, event %d: %s, after\n%s", p.name, p.events, fmt.Sprintf(format, args...), p.story())
}

// blame fails with a story.
type blame func(format string, args ...any)

// Fatalf fails.
func (b blame) Fatalf(format string, args ...any) { b(format, args...) }

// ports are two of the first device, one of the second, and one of none.
const ports = 4

func (p *player) attach() {
	for port := range engine.Port(ports) {
		device := max(0, int(port)-1)
		if port == ports-1 || device >= len(p.e.Program().Devices) {
			device = engine.Any
		}
		p.e.Attach(port, device)
	}
}

// take looks at what came.
func (p *player) take(called bool) {
	p.keys.take(p.out)
	for i := range p.out {
		x := &p.out[i]
		copied := *x
		p.came(moment{effect: &copied})
		p.hands.take(x, called)
		p.add(x)
	}
	p.out = p.out[:0]
}

var textSeed = maphash.MakeSeed()

// add adds an effect to the sum, with all that is in it.
func (p *player) add(x *effect.Effect) {
	p.effects++
	if x.Kind == effect.Act {
		p.acts[x.Action.Type()]++
		if m := p.hands.of[x.Origin]; m != nil && x.Step == 0 {
			p.acts["on "+m.Trigger.Type.String()]++
		}
	} else {
		p.acts[[...]string{"", "down", "up", "mode", "refused"}[x.Kind]+" "+x.Cause.String()]++
	}
	mix := func(n uint64) { p.sum = (p.sum ^ n) * 0x100000001b3 } // FNV-1a, by words
	mix(uint64(x.At))
	mix(uint64(x.Arrived))
	mix(uint64(x.Kind) | uint64(x.Cause)<<8 | uint64(x.Step)<<16 | uint64(uint16(x.Steps))<<32 | uint64(x.Value)<<48)
	mix(uint64(x.Hit) | uint64(x.Hold)<<8)
	mix(math.Float64bits(x.Level))
	for _, k := range x.Keys.Keys() {
		mix(uint64(k))
	}
	if x.Origin != nil {
		mix(maphash.String(textSeed, x.Origin.ID))
	}
	if x.Action != nil {
		mix(maphash.String(textSeed, x.Action.Type()))
	}
	mix(maphash.String(textSeed, x.Mode))
	mix(maphash.String(textSeed, x.Old))
}

// play lets some time pass and plays one event.
func (p *player) play(gap time.Duration) {
	p.at += gap
	if p.early {
		p.wake()
	}
	p.events++
	called := p.event()
	p.out = p.e.Advance(p.at, p.out) // not every event is one for the engine
	if p.refuse && p.events%7 == 0 {
		p.noPlace(called)
	}
	p.take(called)
	p.hands.look(p.at, p.e.Program().Timing.MaxHold)
	if p.events%64 == 0 {
		_, places := p.e.InUse()
		p.most = max(p.most, places)
	}
	p.sums = append(p.sums, p.sum)
}

// wake wakes the engine at each deadline until now, and where there is none as well.
func (p *player) wake() {
	for {
		due, ok := p.e.Due()
		if !ok || due > p.at {
			break
		}
		p.out = p.e.Advance(due-1, p.out)
		p.out = p.e.Advance(due, p.out)
		p.take(false)
	}
	p.out = p.e.Advance(p.at, p.out)
	p.take(false)
}

// noPlace refuses some KeyDown that came, as a full queue would, and takes what came before.
func (p *player) noPlace(called bool) {
	for i, n := 0, p.events%3; i < len(p.out); i++ {
		if p.out[i].Kind != effect.KeyDown {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		all := p.out
		p.out = all[:i]
		p.take(called)
		p.e.Refuse(&all[i], all[i+1:])
		p.out = slices.DeleteFunc(all[i+1:], func(x effect.Effect) bool { return x.Kind == effect.KeyUp && x.Hold == 0 })
		p.came(moment{world: "refused"})
		return
	}
}

// rest ends it: when all presses are over and time has passed no key is down, and after a panic the
// engine has nothing to do.
func (p *player) rest() {
	for port := range engine.Port(ports) {
		p.out = p.e.Step(&engine.Input{At: p.at, Port: port, Message: engine.Message{Kind: engine.PortLost}}, p.out)
		p.hands.liftAll(p.at, port)
		p.take(false)
	}
	p.at += p.e.Program().Timing.MaxHold
	p.out = p.e.Advance(p.at, p.out)
	p.take(false)
	p.hands.look(p.at, p.e.Program().Timing.MaxHold)
	p.out = p.e.Release(effect.ByPanic, p.at, p.out)
	p.take(true)
	for _, id := range p.modes {
		_, p.out = p.e.ReleaseMode(id, p.at, p.out)
	}
	p.take(true)
	p.out = p.e.Advance(p.at+p.e.Program().Timing.MaxHold, p.out)
	p.out = p.e.Release(effect.Stopping, p.at+time.Minute, p.out)
	p.take(true)
	if len(p.keys.down) > 0 || len(p.keys.holds) > 0 || p.e.Held() > 0 {
		p.fail("still down: %v, holds %v, engine says %d", p.keys.down, p.keys.holds, p.e.Held())
	}
	if due, ok := p.e.Due(); ok {
		p.fail("does not come to rest: due %v", due)
	}
	if inUse, _ := p.e.InUse(); inUse > 0 {
		p.fail("%d places are in use at rest", inUse)
	}
	p.sums = append(p.sums, p.sum)
}
