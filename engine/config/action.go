package config

import (
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// The bounds of what one mapping does.
const (
	maxNesting = 8      // actions in actions
	maxSteps   = 10_000 // with every pass of a Repeat
)

// actionKinds reads each type of action. It is filled by init because some hold others.
var actionKinds map[string]func(*reader, int32) effect.Action

func init() {
	actionKinds = map[string]func(*reader, int32) effect.Action{
		"Keystroke":     actionKind(keystrokeFields, (*reader).keystroke),
		"Text":          plainKind[effect.Text](textFields),
		"Launch":        plainKind[effect.Launch](launchFields),
		"Open":          plainKind[effect.Open](openFields),
		"Shell":         plainKind[effect.Shell](shellFields),
		"Sequence":      actionKind(sequenceFields, (*reader).sequence),
		"Delay":         actionKind(delayFields, (*reader).delay),
		"MouseClick":    actionKind(clickFields, (*reader).click),
		"MouseMove":     actionKind(moveFields, (*reader).move),
		"Scroll":        actionKind(scrollFields, (*reader).scroll),
		"VolumeControl": actionKind(volumeFields, (*reader).volume),
		"ModeChange":    actionKind(modeChangeFields, (*reader).modeChange),
		"Toggle":        actionKind(toggleFields, (*reader).toggle),
		"Repeat":        actionKind(repeatFields, (*reader).repeat),
		"Conditional":   plainKind[effect.Conditional](conditionalFields),
		"SendMidi":      actionKind(sendFields, (*reader).send),
		"Media":         plainKind[effect.Media](mediaFields),
		"Notify":        plainKind[effect.Notify](notifyFields),
		"DBusCall":      plainKind[effect.DBusCall](callFields),
		"Emit":          plainKind[effect.Emit](emitFields),
		"Panic":         plainKind[effect.Panic](nil),
	}
	actionKinds["SendMIDI"] = actionKinds["SendMidi"]
}

// actionNames are the types as they are shown.
var actionNames = strings.Fields(`Keystroke Text Launch Open Shell Sequence Delay MouseClick MouseMove Scroll VolumeControl ModeChange
	Toggle Repeat Conditional SendMidi Media Notify DBusCall Emit Panic`)

// laterActions are the types whose mappings are left out.
var laterActions = []string{"Plugin"}

// actionKind joins the fields of an action to what makes it of them.
func actionKind[A any](fields []field[A], done func(*reader, int32, *A) effect.Action) func(*reader, int32) effect.Action {
	fields = append(fields[:len(fields):len(fields)], quiet[A]("type"))
	return func(r *reader, id int32) effect.Action {
		a := new(A)
		readTable(r, id, fields, a)
		return done(r, id, a)
	}
}

// plainKind is an action that its fields make whole. The control's value, where it takes one,
// is 0 to 1.
func plainKind[A any, P interface {
	*A
	effect.Action
}](fields []field[A]) func(*reader, int32) effect.Action {
	fields = append(fields[:len(fields):len(fields)], quiet[A]("type"))
	return func(r *reader, id int32) effect.Action {
		a := P(new(A))
		if v := effect.ValueOf(a); v != nil {
			v.Max = 1
		}
		readTable(r, id, fields, (*A)(a))
		return a
	}
}

// action reads an action, or returns nil: then it was said why.
func (r *reader) action(id int32) effect.Action {
	at, name, ok := r.typeOf(id)
	if !ok {
		return nil
	}
	kind := actionKinds[name]
	if kind == nil {
		r.unknownType(at, actionNames, laterActions)
		return nil
	}
	return kind(r, id)
}

// within reads an action that stands in another one.
func (r *reader) within(id int32) effect.Action {
	if !r.is(id, tableNode) {
		return nil
	}
	if r.nesting == maxNesting {
		r.report(fault{code: TooDeep, off: r.nodes[id].off, node: id}, "actions are nested more than %d deep", maxNesting)
		return nil
	}
	r.nesting++
	a := r.action(id)
	r.nesting--
	return a
}

// topAction reads the action of a mapping, or of a mode, or returns nil.
func (r *reader) topAction(id int32) effect.Action {
	r.toggles = false
	a := r.action(id)
	if a == nil {
		return nil
	}
	if n := countSteps(a); n > maxSteps {
		r.report(fault{code: TooMany, off: r.nodes[id].off, node: id}, "%d steps are more than %d", n, maxSteps)
	}
	return a
}

// countSteps is how many actions an action is at most, with every pass of what repeats and
// the larger branch of what chooses.
func countSteps(a effect.Action) int {
	const enough = 100 * maxSteps // counting on would only overflow
	n := 1
	switch a := a.(type) {
	case nil:
		return 0
	case *effect.Sequence:
		n = 0
		for _, step := range a.Actions {
			n = min(n+countSteps(step), enough)
		}
	case *effect.Repeat:
		n = min(max(a.Count, 1)*countSteps(a.Action), enough)
	case *effect.Toggle:
		n = 1 + max(countSteps(a.On), countSteps(a.Off))
	case *effect.Conditional:
		n = 1 + max(countSteps(a.Then), countSteps(a.Else))
	}
	return n
}
