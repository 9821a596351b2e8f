package script

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// Run plays the performance and returns the effects, a line each as in Expect. The first
// configuration that was added, or config.toml if there is one, acts at the start. An error
// is a fault of the engine, or of an event that names what is not there.
func (p *Performance) Run() ([]string, error) {
	late, err := p.play(false)
	if err != nil {
		return late, err
	}
	early, err := p.play(true)
	if err != nil {
		return early, err
	}
	if d := Diff(late, early); d != "" {
		return late, fmt.Errorf("%s: when the engine is woken makes a difference: - late, + at each deadline:\n%s", p.Name, d)
	}
	return late, nil
}

// Check runs the performance and compares. Diff is empty if what came is what was expected.
func (p *Performance) Check() (diff string, err error) {
	got, err := p.Run()
	if err != nil {
		return "", err
	}
	return Diff(p.Expect, got), nil
}

// player is a run under way. It plays the part of the loop and of the sinks.
type player struct {
	*Performance
	*engine.Engine
	out   []effect.Effect
	lines []string
	world effect.World
	ports []bool // which are there
	holds []held // of modes, newest last
	keys  keyboard

	refuse bool // the next KeyDown
}

type held struct {
	name string
	id   uint32
}

func (p *Performance) play(wake bool) ([]string, error) {
	c := p.find(ConfigFile)
	if c == nil {
		if len(p.Configs) == 0 {
			return nil, fmt.Errorf("%s: there is no %s", p.Name, ConfigFile)
		}
		c = &p.Configs[0]
	}
	r := &player{Performance: p, Engine: engine.New(c.Program), keys: newKeyboard()}
	r.start()
	for i := range p.Events {
		ev := &p.Events[i]
		for wake {
			due, ok := r.Due()
			if !ok || due > ev.At {
				break
			}
			if r.out = r.Advance(due, r.out); len(r.out) == 0 {
				if again, ok := r.Due(); ok && again == due {
					return r.lines, p.fault(ev, fmt.Errorf("a deadline at %s does not pass", formatTime(due)))
				}
			}
			r.take()
		}
		if err := r.happen(ev); err != nil {
			return r.lines, p.fault(ev, err)
		}
		r.take()
		if r.keys.fault != nil {
			return r.lines, p.fault(ev, r.keys.fault)
		}
	}
	r.lines = append(r.lines, r.keys.rest()...)
	return r.lines, nil
}

// fault says where in the archive an error is.
func (p *Performance) fault(ev *Event, err error) error {
	if ev.line == 0 {
		return fmt.Errorf("%s: %s: %w", p.Name, ev.append(nil), err)
	}
	return fmt.Errorf("%s:%d: %w", p.Name, ev.line, err)
}

// start attaches every port that is heard of and tells the engine of the world.
func (r *player) start() {
	ports := engine.Port(0)
	for i := range r.Events {
		ports = max(ports, r.Events[i].Input.Port)
	}
	r.ports = make([]bool, ports+1)
	for port := range r.ports {
		r.attach(engine.Port(port))
	}
	r.world.Present = map[string]bool{}
	for i := range r.Program().Devices {
		r.world.Present[r.Program().Devices[i].Name] = true
	}
	r.tell(&Event{})
}

func (r *player) attach(port engine.Port) {
	device := engine.Any
	if int(port) < len(r.Program().Devices) {
		device = int(port)
	}
	r.Attach(port, device)
	r.ports[port] = true
}

// tell hands the engine the world as it is now. The engine keeps it: it is a copy.
func (r *player) tell(ev *Event) {
	w := r.world
	r.out = r.SetWorld(&w, ev.At, r.out)
}

func (r *player) happen(ev *Event) error {
	if _, ok := messageNamed(ev.Verb); !ok {
		v, ok := verbs[ev.Verb]
		if !ok {
			return fmt.Errorf("nothing is called %q", ev.Verb)
		}
		return v.do(r, ev)
	}
	in := ev.Input
	in.At = ev.At
	r.out = r.Step(&in, r.out)
	if in.Kind == engine.PortLost {
		r.ports[in.Port] = false
	}
	return nil
}

func (r *player) modeNamed(name string) (int, error) {
	for i := range r.Program().Modes {
		if r.Program().Modes[i].Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("there is no mode %q", name)
}

func (r *player) mappingNamed(id string) (int, error) {
	for i := range r.Program().Mappings {
		if r.Program().Mappings[i].ID == id {
			return i, nil
		}
	}
	return 0, fmt.Errorf("there is no mapping %q", id)
}

// take does what the sinks would with the effects that came.
func (r *player) take() {
	for i := range r.out {
		x := &r.out[i]
		if r.refuse && x.Kind == effect.KeyDown {
			r.refuse = false
			r.Refuse(x, r.out[i+1:])
			r.lines = append(r.lines, formatTime(x.At)+" refused "+shown(x)+" ("+effect.QueueFull.String()+")")
			continue
		}
		if r.keys.take(x) {
			r.lines = append(r.lines, formatTime(x.At)+" "+shown(x))
		}
	}
	r.out = r.out[:0]
}

// keyboard follows what is down as a kernel device would, and finds what must not be.
type keyboard struct {
	order []effect.Key // down, oldest first
	holds map[uint32]string
	last  time.Duration
	fault error
}

func newKeyboard() keyboard {
	return keyboard{holds: map[uint32]string{}}
}

// take takes one effect. It is false for the end of what was refused.
func (k *keyboard) take(x *effect.Effect) bool {
	if x.At < k.last {
		k.blame("time runs back from %s to %s", formatTime(k.last), formatTime(x.At))
	}
	k.last = max(k.last, x.At)
	switch x.Kind {
	case effect.KeyDown:
		if _, ok := k.holds[x.Hold]; ok || x.Hold == 0 {
			k.blame("hold %d begins twice", x.Hold)
		}
		k.holds[x.Hold] = shown(x)
		for _, key := range x.Keys.Keys() {
			k.press(key)
		}
	case effect.KeyUp:
		if x.Hold == 0 {
			return false
		}
		if _, ok := k.holds[x.Hold]; !ok {
			k.blame("hold %d ends without a beginning", x.Hold)
		}
		delete(k.holds, x.Hold)
		for _, key := range x.Keys.Keys() {
			k.release(key)
		}
	case effect.Act, effect.ModeChanged, effect.Refused:
	}
	return true
}

func (k *keyboard) press(key effect.Key) {
	for _, down := range k.order {
		if down == key {
			k.blame("%s goes down twice", keyName(key))
		}
	}
	k.order = append(k.order, key)
}

func (k *keyboard) release(key effect.Key) {
	for i, down := range k.order {
		if down == key {
			k.order = append(k.order[:i], k.order[i+1:]...)
			return
		}
	}
	k.blame("%s goes up and is not down", keyName(key))
}

func (k *keyboard) blame(format string, args ...any) {
	k.fault = errors.Join(k.fault, fmt.Errorf(format, args...))
}

// forget is what becomes of the keys when their device is gone. Notes are none.
func (k *keyboard) forget() {
	maps.DeleteFunc(k.holds, func(_ uint32, what string) bool { return !isNote(what) })
	k.order = nil
}
