package engine

import "github.com/amiable-dev/midimon/engine/effect"

// UsesClock says whether some condition asks for the time or the day.
func (p *Program) UsesClock() bool { return p.asks(effect.TimeRange, effect.DayOfWeek) }

// UsesRunning says whether some condition asks which programs run.
func (p *Program) UsesRunning() bool { return p.asks(effect.AppRunning) }

// UsesFocus says whether some condition, or a mode's apps, ask which application has the focus.
func (p *Program) UsesFocus() bool {
	for i := range p.Modes {
		if len(p.Modes[i].Apps) > 0 {
			return true
		}
	}
	return p.asks(effect.AppFocused)
}

// HasToggle says whether some Toggle switches a state.
func (p *Program) HasToggle(state string) bool {
	switches := func(a effect.Action) bool {
		t, ok := a.(*effect.Toggle)
		return ok && t.State == state
	}
	return p.some(func(m *Mapping) bool {
		return !effect.Within(m.Action, func(a effect.Action) bool { return !switches(a) })
	})
}

// asks says whether some condition is of one of the kinds.
func (p *Program) asks(kinds ...effect.ConditionKind) bool {
	return p.some(func(m *Mapping) bool { return asks(m.When, kinds) || actionAsks(m.Action, kinds) })
}

// some says whether a mapping, or what a mode does when it begins or ends, is meant.
func (p *Program) some(meant func(m *Mapping) bool) bool {
	for i := range p.Mappings {
		if meant(&p.Mappings[i]) {
			return true
		}
	}
	for i := range p.Modes {
		for _, m := range [...]*Mapping{p.Modes[i].Enter, p.Modes[i].Exit} {
			if m != nil && meant(m) {
				return true
			}
		}
	}
	return false
}

func actionAsks(a effect.Action, kinds []effect.ConditionKind) bool {
	return !effect.Within(a, func(a effect.Action) bool {
		c, ok := a.(*effect.Conditional)
		return !ok || !asks(&c.If, kinds)
	})
}

func asks(c *effect.Condition, kinds []effect.ConditionKind) bool {
	if c == nil {
		return false
	}
	for _, k := range kinds {
		if c.Kind == k {
			return true
		}
	}
	for i := range c.Of {
		if asks(&c.Of[i], kinds) {
			return true
		}
	}
	return false
}
