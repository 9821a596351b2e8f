package effect

import (
	"strings"
	"time"
)

// Action is what a mapping does: one of the pointer types below, immutable once its
// program is compiled. The json form is the public one (--dry-run); what a user may
// want kept private is not in it.
type Action interface {
	// Type is the action's name in the configuration.
	Type() string
}

// Keystroke presses a chord: for 20 ms, or until the control's release when Hold is set.
type Keystroke struct {
	Keys      string   `json:"keys"` // as written
	Modifiers []string `json:"modifiers"`
	Hold      bool     `json:"hold"`
	Chord     Chord    `json:"-"` // modifiers as written, then keys
}

// Shell runs a command by the user's shell.
type Shell struct {
	Command string        `json:"-"`
	Timeout time.Duration `json:"-"` // 0: none
}

// Sequence performs its actions one after another; Delay among them waits.
type Sequence struct {
	Actions []Action `json:"-"`
}

// Delay waits. Outside a Sequence it does nothing.
type Delay struct {
	For time.Duration `json:"-"`
}

// ModeChange makes a mode the base mode.
type ModeChange struct {
	Mode  string `json:"target"` // its name
	Index int    `json:"-"`
}

// Type is Keystroke.
func (*Keystroke) Type() string { return "Keystroke" }

// Type is Shell.
func (*Shell) Type() string { return "Shell" }

// Type is Sequence.
func (*Sequence) Type() string { return "Sequence" }

// Type is Delay.
func (*Delay) Type() string { return "Delay" }

// Type is ModeChange.
func (*ModeChange) Type() string { return "ModeChange" }

// Program is the first word of the command: all that may be shown of it.
func (s *Shell) Program() string {
	for word := range strings.FieldsSeq(s.Command) {
		return word
	}
	return ""
}
