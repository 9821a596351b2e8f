//go:build darwin

package darwin

import "github.com/amiable-dev/midimon/engine/report"

// Problems are the rows of health for what is missing on macOS.
func Problems() []report.Check {
	return []report.Check{
		{Name: "midi", Status: report.Failed, Message: "there is no MIDI driver for macOS yet: no controller is heard", Fix: "none yet: use midimon on Linux"},
		{Name: "keys", Status: report.Failed, Message: "there is no keyboard driver for macOS yet: no key is pressed", Fix: "none yet: use midimon on Linux"},
	}
}
