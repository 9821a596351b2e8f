package loop

import "github.com/amiable-dev/midimon/engine/effect"

// route says which backend an action needs.
type route uint8

const (
	alone route = iota // none: the engine or the loop does it
	toKeys
	toProcess
	toAudio
	toMedia
	toNotify
	toBus
	toMidi
	routes
)

// backends are the names of the backends, in the order of the constants. One that is not
// there, or does not perform an action that comes its way, makes the action fail with its
// name in the word: "audio-unavailable".
var backends = [routes]string{"", "keys", "process", "audio", "media", "notify", "dbus", "midi"}

// BackendOf is the name of the backend that an action needs, or empty if it needs none. Of
// actions that consist of others it is empty.
func BackendOf(a effect.Action) string { return backends[routeOf(a)] }

func routeOf(a effect.Action) route {
	switch a.(type) {
	case *effect.Keystroke, *effect.MouseClick, *effect.Text, *effect.MouseMove, *effect.Scroll:
		return toKeys
	case *effect.Shell, *effect.Launch, *effect.Open:
		return toProcess
	case *effect.VolumeControl:
		return toAudio
	case *effect.Media:
		return toMedia
	case *effect.Notify:
		return toNotify
	case *effect.DBusCall:
		return toBus
	case *effect.SendMidi:
		return toMidi
	}
	return alone
}

// pressed says whether KeyDown and KeyUp do the work of an action, and its Act only says so.
func pressed(a effect.Action) bool {
	switch a := a.(type) {
	case *effect.Keystroke, *effect.MouseClick:
		return true
	case *effect.SendMidi:
		return a.Hold && a.Message == effect.SendNoteOn
	}
	return false
}

// lasting says whether an action holds something down until the control's release.
func lasting(a effect.Action) bool {
	switch a := a.(type) {
	case *effect.Keystroke:
		return a.Hold
	case *effect.MouseClick:
		return a.Hold
	}
	return pressed(a)
}
