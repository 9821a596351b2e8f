package effect

import "time"

// Sequence performs its actions one after another; Delay among them waits.
type Sequence struct {
	Actions []Action `json:"-"`
	Cancel  Cancel   `json:"-"`
}

// Repeat performs an action several times.
type Repeat struct {
	Action Action        `json:"-"`
	Count  int           `json:"count"` // 0: until cancelled, and then Cancel says by what
	Delay  time.Duration `json:"-"`     // between the end of one time and the next
	Cancel Cancel        `json:"-"`
}

// Cancel says what ends a Sequence or Repeat before its time. Panic always does.
type Cancel uint8

// What may end it.
const (
	CancelNever   Cancel = iota
	CancelRelease        // the control's release
	CancelMode           // another mode acts
)

// Cancels are their names in a configuration, in the order of the constants.
var Cancels = []string{"never", "release", "mode"}

// Delay waits. Outside a Sequence or Repeat it does nothing.
type Delay struct {
	For time.Duration `json:"-"`
}

// Toggle performs On and Off in turn.
type Toggle struct {
	State string `json:"state"` // toggles with the same one change together
	On    Action `json:"-"`     // nil: nothing
	Off   Action `json:"-"`     // nil: nothing
}

// Conditional performs Then if its condition holds when its turn comes, else Else.
type Conditional struct {
	If   Condition `json:"-"`
	Then Action    `json:"-"`
	Else Action    `json:"-"` // nil: nothing
}

// ModeChange makes a mode the base mode, or holds it until the control's release.
type ModeChange struct {
	Mode  string `json:"target,omitempty"` // its name; empty: by Step
	Step  int    `json:"by,omitempty"`     // so many modes on, in file order and round
	Hold  bool   `json:"hold,omitempty"`
	Index int    `json:"-"`
}

// Type is Sequence.
func (*Sequence) Type() string { return "Sequence" }

// Type is Repeat.
func (*Repeat) Type() string { return "Repeat" }

// Type is Delay.
func (*Delay) Type() string { return "Delay" }

// Type is Toggle.
func (*Toggle) Type() string { return "Toggle" }

// Type is Conditional.
func (*Conditional) Type() string { return "Conditional" }

// Type is ModeChange.
func (*ModeChange) Type() string { return "ModeChange" }

// Within calls f for an action and every action in it, until f returns false.
func Within(a Action, f func(Action) bool) bool {
	if a == nil {
		return true
	}
	if !f(a) {
		return false
	}
	switch a := a.(type) {
	case *Sequence:
		for _, step := range a.Actions {
			if !Within(step, f) {
				return false
			}
		}
	case *Repeat:
		return Within(a.Action, f)
	case *Toggle:
		return Within(a.On, f) && Within(a.Off, f)
	case *Conditional:
		return Within(a.Then, f) && Within(a.Else, f)
	}
	return true
}
