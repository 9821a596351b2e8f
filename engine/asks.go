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

// asks says whether some condition is of one of the kinds.
func (p *Program) asks(kinds ...effect.ConditionKind) bool {
	for i := range p.Mappings {
		m := &p.Mappings[i]
		if asks(m.When, kinds) || actionAsks(m.Action, kinds) {
			return true
		}
	}
	for i := range p.Modes {
		for _, m := range [...]*Mapping{p.Modes[i].Enter, p.Modes[i].Exit} {
			if m != nil && actionAsks(m.Action, kinds) {
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
