package effect

import "time"

// Action is what a mapping does: one of the pointer types of this package, immutable once
// its program is compiled. The json form is the public one (--dry-run); what a user may
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

// Text types a text, whatever the keyboard's layout.
type Text struct {
	Text string `json:"-"`
}

// MouseClick presses a button of the mouse, as a Keystroke presses keys.
type MouseClick struct {
	Button string `json:"button"` // left, right, middle, back or forward
	Place  *Place `json:"at,omitempty"`
	Hold   bool   `json:"hold"`
	Chord  Chord  `json:"-"` // the button
}

// Place is a place on the screen, in pixels from its upper left corner.
type Place struct {
	X int32 `json:"x"`
	Y int32 `json:"y"`
}

// MouseMove moves the mouse by X and Y pixels, or to that place. An encoder's steps multiply
// a relative move.
type MouseMove struct {
	X        int32 `json:"x"`
	Y        int32 `json:"y"`
	Absolute bool  `json:"absolute"`
}

// Scroll turns the wheel: positive is down and right. An encoder's steps multiply it.
type Scroll struct {
	X int32 `json:"x"` // in notches of the wheel
	Y int32 `json:"y"`
}

// Launch starts an application: a desktop id, else a path, a name on $PATH or the name that
// people know it by.
type Launch struct {
	App  string   `json:"app"`
	Args []string `json:"-"`
}

// Open opens a file or an address with what the user prefers for it.
type Open struct {
	Target string `json:"-"`
}

// Shell runs a command by the user's shell.
type Shell struct {
	Command string        `json:"-"`
	Timeout time.Duration `json:"-"` // 0: none
}

// VolumeControl changes how loud something is.
type VolumeControl struct {
	Operation VolumeOperation `json:"-"`
	Level     Value           `json:"-"` // Set: percent, 0-150
	Step      float64         `json:"-"` // Up, Down: percent
	Limit     float64         `json:"-"` // never above, percent
	Input     bool            `json:"-"` // a source (microphone), not a sink
	Device    string          `json:"-"` // name of the sink or source; empty: the default one
	App       string          `json:"-"` // of one application; "focused": the one in front
}

// VolumeOperation is what VolumeControl does.
type VolumeOperation uint8

// The operations.
const (
	VolumeUp VolumeOperation = iota
	VolumeDown
	VolumeSet
	VolumeMute
	VolumeUnmute
	VolumeToggle
)

// VolumeOperations are their names in a configuration, in the order of the constants.
var VolumeOperations = []string{"Up", "Down", "Set", "Mute", "Unmute", "Toggle"}

// Media tells a player what to do.
type Media struct {
	Operation string `json:"operation"`        // one of MediaOperations
	Player    string `json:"player,omitempty"` // its name; empty: the one that plays
}

// MediaOperations are the words of Media.Operation.
var MediaOperations = []string{"PlayPause", "Play", "Pause", "Stop", "Next", "Previous"}

// Notify shows a notification.
type Notify struct {
	Summary string        `json:"summary"`
	Body    string        `json:"-"`
	Icon    string        `json:"icon,omitempty"`
	Slot    string        `json:"slot,omitempty"` // notifications of one slot replace each other
	Timeout time.Duration `json:"-"`              // 0: as the desktop likes
}

// DBusCall calls a method.
type DBusCall struct {
	System      bool   `json:"system"` // on the system bus, not the session's
	Destination string `json:"destination"`
	Path        string `json:"path"`
	Interface   string `json:"interface"`
	Member      string `json:"member"`
	Args        []any  `json:"-"` // string, int64, float64, bool, []any, map[string]any, or *Value for the control's
}

// Emit sends the signal Emitted, for scripts and widgets.
type Emit struct {
	Name  string `json:"name"`
	Text  string `json:"text,omitempty"` // sent instead of Value when not empty
	Value Value  `json:"-"`
}

// Panic lets go of everything, ends every sequence and silences what was played.
type Panic struct{}

// Type is Keystroke.
func (*Keystroke) Type() string { return "Keystroke" }

// Type is Text.
func (*Text) Type() string { return "Text" }

// Type is MouseClick.
func (*MouseClick) Type() string { return "MouseClick" }

// Type is MouseMove.
func (*MouseMove) Type() string { return "MouseMove" }

// Type is Scroll.
func (*Scroll) Type() string { return "Scroll" }

// Type is Launch.
func (*Launch) Type() string { return "Launch" }

// Type is Open.
func (*Open) Type() string { return "Open" }

// Type is Shell.
func (*Shell) Type() string { return "Shell" }

// Type is VolumeControl.
func (*VolumeControl) Type() string { return "VolumeControl" }

// Type is Media.
func (*Media) Type() string { return "Media" }

// Type is Notify.
func (*Notify) Type() string { return "Notify" }

// Type is DBusCall.
func (*DBusCall) Type() string { return "DBusCall" }

// Type is Emit.
func (*Emit) Type() string { return "Emit" }

// Type is Panic.
func (*Panic) Type() string { return "Panic" }
