package report

import "time"

// Mode is a mode of the configuration.
type Mode struct {
	Name     string
	Color    string
	Apps     []string // patterns of the applications that it follows
	Mappings int      // its own
	Active   bool     // it acts
	Base     bool     // it is the base mode
}

// Mapping is a mapping of the configuration, without what may be nobody's business.
type Mapping struct {
	ID, Label   string
	Mode        string // empty: global
	Device      string // empty: any
	Trigger     string // type
	Action      string // type
	TriggerText string // for people
	ActionText  string
	Enabled     bool
	Eager       bool
	WhenLocked  bool
	Conditional bool
	MaxRate     float64 // times a second; 0: only the action's own rate
	// What else the configuration says of them, by its key: string, bool, int, float64, []int or []string.
	TriggerFields, ActionFields map[string]any
}

// MappingFilter says which mappings are wanted; nil and empty: all.
type MappingFilter struct {
	Mode, Device, Trigger, Action *string
	Enabled                       *bool
	Text                          string // occurs in the id, the label or a text, in any case
}

// Inhibitor is somebody who asked for quiet.
type Inhibitor struct{ Who, Why string }

// Seen is a message that came in, and what it made act; or the passing of time that did.
type Seen struct {
	At      time.Duration // monotonic
	Time    time.Time     // the same, as people tell the time
	Device  string
	Status  byte // of MIDI, with the channel; 0: time made the mapping act
	Data1   byte // note, controller or program
	Value   uint16
	Mapping string // that acted, or empty
}
