package effect

import (
	"path"
	"strings"
)

// Program is the first word of the command: all that may be shown of it.
func (s *Shell) Program() string {
	for word := range strings.FieldsSeq(s.Command) {
		return word
	}
	return ""
}

// Program is the name of what is started, without its folder.
func (l *Launch) Program() string { return path.Base(l.App) }

// Shown is what may be shown of the target: not what an address asks for, nor as whom.
func (o *Open) Shown() string {
	target := o.Target
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	if scheme, rest, ok := strings.Cut(target, "://"); ok {
		host, file, _ := strings.Cut(rest, "/")
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			target = scheme + "://" + strings.TrimSuffix(host[i+1:]+"/"+file, "/")
		}
	}
	return target
}

// TakesValue says whether an action works with the value of the control that it belongs to.
func TakesValue(a Action) bool {
	return !Within(a, func(a Action) bool { return !takes(a) })
}

func takes(a Action) bool {
	switch a := a.(type) {
	case *VolumeControl:
		return a.Operation == VolumeSet && !a.Level.Given
	case *SendMidi:
		switch a.Message {
		case SendCC, SendPitchBend, SendAftertouch, SendPolyAftertouch:
			return !a.Value.Given
		case SendNoteOn, SendNoteOff, SendProgramChange, SendSysEx, SendStart, SendContinue, SendStop:
		}
	case *Emit:
		return a.Text == "" && !a.Value.Given
	case *DBusCall:
		for _, arg := range a.Args {
			if v, ok := arg.(*Value); ok && !v.Given {
				return true
			}
		}
	}
	return false
}

// TakesSteps says whether an action multiplies by an encoder's steps. Others happen once a step.
func TakesSteps(a Action) bool {
	switch a := a.(type) {
	case *VolumeControl:
		return a.Operation == VolumeUp || a.Operation == VolumeDown
	case *MouseMove:
		return !a.Absolute
	case *Scroll, *Emit:
		return true
	}
	return false
}

// ValueOf is the value with which an action works, or nil.
func ValueOf(a Action) *Value {
	switch a := a.(type) {
	case *VolumeControl:
		if a.Operation == VolumeSet {
			return &a.Level
		}
	case *SendMidi:
		switch a.Message {
		case SendProgramChange, SendSysEx, SendStart, SendContinue, SendStop:
			return nil
		default:
			return &a.Value
		}
	case *Emit:
		if a.Text == "" {
			return &a.Value
		}
	case *DBusCall:
		for _, arg := range a.Args {
			if v, ok := arg.(*Value); ok {
				return v
			}
		}
	}
	return nil
}
