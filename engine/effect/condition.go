package effect

import (
	"path"
	"strings"
)

// Condition is a question about the world around the controls.
type Condition struct {
	Kind    ConditionKind
	From    uint16      // TimeRange: minutes since midnight, 0-1439
	To      uint16      // TimeRange: the last minute that counts; before From: over midnight
	Days    uint8       // DayOfWeek: bit 0 is Monday
	Name    string      // ModeIs, AppRunning, AppFocused, DevicePresent
	Unknown bool        // AppFocused: the answer while nobody can tell
	Of      []Condition // And, Or; Not has one
}

// ConditionKind is what is asked.
type ConditionKind uint8

// The kinds of condition.
const (
	Always ConditionKind = iota
	Never
	TimeRange
	DayOfWeek
	ModeIs
	AppRunning // a pattern over the names of programs, in lower case
	AppFocused // a pattern over the focused application's id, in lower case
	ScreenLocked
	DevicePresent // the name of a configured device
	And
	Or
	Not
)

// World is what conditions are asked of: a snapshot, which nobody changes after it is handed
// over. The mode is not in it; the engine knows that better.
type World struct {
	Minute     uint16          // of the day, local time, 0-1439
	Weekday    uint8           // 0 is Monday
	Locked     bool            // the screen is locked
	FocusKnown bool            // somebody can tell which application has the focus
	Focused    string          // its id, in lower case; empty: none has
	Running    map[string]bool // names of programs that run, in lower case
	Present    map[string]bool // names of configured devices that are connected
}

// Holds says whether a condition holds in a world, of which nil is an empty one, while a mode
// acts. No condition always holds.
func (c *Condition) Holds(w *World, mode string) bool {
	if c == nil {
		return true
	}
	if w == nil {
		w = &World{}
	}
	switch c.Kind {
	case Always:
		return true
	case Never:
	case TimeRange:
		if c.From <= c.To {
			return c.From <= w.Minute && w.Minute <= c.To
		}
		return c.From <= w.Minute || w.Minute <= c.To
	case DayOfWeek:
		return c.Days>>w.Weekday&1 != 0
	case ModeIs:
		return c.Name == mode
	case AppRunning:
		return w.runs(c.Name)
	case AppFocused:
		if !w.FocusKnown {
			return c.Unknown
		}
		return w.Focused != "" && fits(c.Name, w.Focused)
	case ScreenLocked:
		return w.Locked
	case DevicePresent:
		return w.Present[c.Name]
	case And:
		for i := range c.Of {
			if !c.Of[i].Holds(w, mode) {
				return false
			}
		}
		return true
	case Or:
		for i := range c.Of {
			if c.Of[i].Holds(w, mode) {
				return true
			}
		}
	case Not:
		return !c.Of[0].Holds(w, mode)
	}
	return false
}

func (w *World) runs(pattern string) bool {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return w.Running[pattern]
	}
	for name := range w.Running {
		if fits(pattern, name) {
			return true
		}
	}
	return false
}

func fits(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	return ok
}
