package script

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// verb is something that happens to the engine and is no message.
type verb struct {
	least, most int                  // words that it takes
	check       func([]string) error // nil: any words will do
	do          func(*player, *Event) error
}

// many is more words than any line has.
const many = math.MaxInt

func (v verb) words() string {
	switch {
	case v.most == 0:
		return "nothing"
	case v.least == v.most:
		return strconv.Itoa(v.least) + " word(s)"
	case v.most == many:
		return "words"
	}
	return fmt.Sprintf("%d to %d words", v.least, v.most)
}

var verbs map[string]verb

func init() { // a literal would refer to itself
	verbs = map[string]verb{
		"attach":       {do: func(p *player, ev *Event) error { p.attach(ev.Input.Port); return nil }},
		"mode":         {least: 1, most: 1, do: (*player).mode},
		"cycle":        {least: 1, most: 1, check: checkSteps, do: (*player).cycle},
		"hold-mode":    {least: 1, most: 1, do: (*player).holdMode},
		"release-mode": {most: 1, do: (*player).releaseMode},
		"pause":        gate(effect.Paused, true),
		"resume":       gate(effect.Paused, false),
		"inhibit":      gate(effect.Inhibited, true),
		"uninhibit":    gate(effect.Inhibited, false),
		"lock":         gate(effect.Locked, true),
		"unlock":       gate(effect.Locked, false),
		"inactive":     gate(effect.Inactive, true),
		"active":       gate(effect.Inactive, false),
		"focus": world(0, 1, nil, func(w *effect.World, words []string) {
			app := strings.ToLower(strings.Join(words, ""))
			if w.Focused, w.FocusKnown = app, app != "?"; !w.FocusKnown {
				w.Focused = ""
			}
		}),
		"clock": world(2, 2, checkClock, func(w *effect.World, words []string) {
			w.Weekday, w.Minute, _ = clock(words)
		}),
		"running": world(0, many, nil, func(w *effect.World, words []string) { w.Running = set(words, strings.ToLower) }),
		"present": world(0, many, nil, func(w *effect.World, words []string) { w.Present = set(words, strings.Clone) }),
		"reload":  {least: 1, most: 1, do: (*player).reload},
		"enable":  {least: 1, most: 1, do: enabled(true)},
		"disable": {least: 1, most: 1, do: enabled(false)},
		"trigger": {least: 1, most: 1, do: (*player).trigger},
		"toggle": {least: 2, most: 2, check: checkToggle, do: func(p *player, ev *Event) error {
			p.SetToggle(ev.Words[0], ev.Words[1] == "on")
			return nil
		}},
		"refuse":   {do: func(p *player, _ *Event) error { p.refuse = true; return nil }},
		"panic":    released(effect.ByPanic),
		"stopping": released(effect.Stopping),
		"sink-lost": {do: func(p *player, ev *Event) error {
			p.out = p.SinkLost(ev.At, p.out)
			p.take()
			p.keys.forget()
			return nil
		}},
		"advance": {do: func(p *player, ev *Event) error { p.out = p.Advance(ev.At, p.out); return nil }},
	}
}

func gate(cause effect.Cause, closed bool) verb {
	return verb{do: func(p *player, ev *Event) error {
		if cause == effect.Locked {
			p.world.Locked = closed
			p.tell(ev)
		}
		p.out = p.SetGate(cause, closed, ev.At, p.out)
		return nil
	}}
}

func world(least, most int, check func([]string) error, change func(*effect.World, []string)) verb {
	return verb{least, most, check, func(p *player, ev *Event) error {
		change(&p.world, ev.Words)
		p.tell(ev)
		return nil
	}}
}

func released(cause effect.Cause) verb {
	return verb{do: func(p *player, ev *Event) error { p.out = p.Release(cause, ev.At, p.out); return nil }}
}

func enabled(on bool) func(*player, *Event) error {
	return func(p *player, ev *Event) error {
		i, err := p.mappingNamed(ev.Words[0])
		if err == nil {
			p.SetEnabled(i, on)
		}
		return err
	}
}

func set(words []string, f func(string) string) map[string]bool {
	m := map[string]bool{}
	for _, w := range words {
		m[f(w)] = true
	}
	return m
}

func checkSteps(words []string) error {
	_, err := strconv.ParseInt(words[0], 10, 16)
	if err != nil {
		return fmt.Errorf("%q is no number of steps", words[0])
	}
	return nil
}

func checkToggle(words []string) error {
	if words[1] != "on" && words[1] != "off" {
		return errors.New("a toggle is on or off")
	}
	return nil
}

func checkClock(words []string) error {
	_, _, err := clock(words)
	return err
}

var days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func clock(words []string) (weekday uint8, minute uint16, err error) {
	day := slices.Index(days, strings.ToLower(words[0]))
	hour, rest, ok := strings.Cut(words[1], ":")
	h, errH := number("hour", hour, 23)
	m, errM := number("minute", rest, 59)
	if day < 0 || !ok || len(rest) != 2 || errH != nil || errM != nil {
		return 0, 0, errors.New("a clock shows a day and time as Mon 09:30")
	}
	return uint8(day), h*60 + m, nil
}

func (p *player) mode(ev *Event) error {
	i, err := p.modeNamed(ev.Words[0])
	if err == nil {
		p.out = p.SetMode(i, effect.ByCaller, ev.At, p.out)
	}
	return err
}

func (p *player) cycle(ev *Event) error {
	n, err := strconv.ParseInt(ev.Words[0], 10, 16)
	p.out = p.CycleMode(int(n), effect.ByCaller, ev.At, p.out)
	return err
}

func (p *player) holdMode(ev *Event) error {
	i, err := p.modeNamed(ev.Words[0])
	if err == nil {
		h := held{name: ev.Words[0]}
		h.id, p.out = p.HoldMode(i, ev.At, p.out)
		p.holds = append(p.holds, h)
	}
	return err
}

func (p *player) releaseMode(ev *Event) error {
	for i := len(p.holds) - 1; i >= 0; i-- {
		if len(ev.Words) > 0 && p.holds[i].name != ev.Words[0] {
			continue
		}
		_, p.out = p.ReleaseMode(p.holds[i].id, ev.At, p.out)
		p.holds = slices.Delete(p.holds, i, i+1)
		return nil
	}
	return errors.New("no such mode is held")
}

func (p *player) reload(ev *Event) error {
	c := p.find(ev.Words[0])
	if c == nil {
		return fmt.Errorf("there is no configuration %q", ev.Words[0])
	}
	p.out = p.Swap(c.Program, ev.At, p.out)
	for port, there := range p.ports {
		if there {
			p.attach(engine.Port(port))
		}
	}
	return nil
}

func (p *player) trigger(ev *Event) error {
	i, err := p.mappingNamed(ev.Words[0])
	if err == nil {
		p.out = p.Trigger(i, ev.At, p.out)
	}
	return err
}
