package config

import (
	"github.com/amiable-dev/midimon/engine/effect"
)

// The bounds of what one mapping does.
const (
	maxNesting = 8      // actions in actions
	maxSteps   = 10_000 // with every pass of a Repeat
)

// actionKind is one type of action and who reads it.
type actionKind struct {
	name  string
	also  string // another spelling, or empty
	doc   string
	table described
	read  func(*reader, int32) effect.Action
}

// actionKinds are the types of action, the most used first. They are filled by init because
// some hold others.
var actionKinds []actionKind

func init() {
	actionKinds = []actionKind{
		{name: "Keystroke", doc: "Presses keys and lets them go.", table: keystrokeTable, read: readKeystroke},
		plain("Shell", "Runs a command in the user's shell.", shellTable),
		madeOf("ModeChange", "Lets another mode act.", modeChangeTable, (*reader).modeChange),
		madeOf("VolumeControl", "Changes how loud something is.", volumeTable, (*reader).volume),
		plain("Text", "Types a text, whatever the keyboard's layout.", textTable),
		plain("Launch", "Starts an application.", launchTable),
		plain("Open", "Opens a file or an address with what is preferred for it.", openTable),
		madeOf("Sequence", "Does one thing after another.", sequenceTable, (*reader).sequence),
		madeOf("Delay", "Waits, in a Sequence or Repeat.", delayTable, (*reader).delay),
		madeOf("MouseClick", "Presses a button of the mouse.", clickTable, (*reader).click),
		madeOf("MouseMove", "Moves the mouse.", moveTable, (*reader).move),
		madeOf("Scroll", "Turns the wheel.", scrollTable, (*reader).scroll),
		madeOf("Toggle", "Does one thing and another, in turn.", toggleTable, (*reader).toggle),
		madeOf("Repeat", "Does something several times.", repeatTable, (*reader).repeat),
		plain("Conditional", "Does one thing or another.", conditionalTable),
		madeOf("SendMidi", "Sends a MIDI message.", sendTable, (*reader).send),
		plain("Media", "Controls a player.", mediaTable),
		plain("Notify", "Shows a notification.", notifyTable),
		plain("DBusCall", "Calls a method on the bus.", callTable),
		plain("Emit", "Sends midimon's signal Emitted, for scripts and widgets.", emitTable),
		plain("Panic", "Lets go of everything and silences what was played.", tableOf[effect.Panic]()),
	}
	for i := range actionKinds {
		k := &actionKinds[i]
		actionNames = append(actionNames, k.name)
		if k.name == "SendMidi" {
			k.also = "SendMIDI"
		}
	}
}

// actionNames are the types as they are shown.
var actionNames []string

// laterActions are the types whose mappings are left out.
var laterActions = []string{"Plugin"}

// typeKey is the key that chooses a table, and is read before it.
const typeKey = "type"

// typed is a table with the key that chose it.
func typed[A any](t *table[A]) *table[A] {
	own := *t
	own.names, own.typed = append(t.names[:len(t.names):len(t.names)], typeKey), true
	return &own
}

// madeOf joins the fields of an action to what makes it of them.
func madeOf[A any](name, doc string, t *table[A], done func(*reader, int32, *A) effect.Action) actionKind {
	own := typed(t)
	return actionKind{name: name, doc: doc, table: t, read: func(r *reader, id int32) effect.Action {
		a := new(A)
		readTable(r, id, own, a)
		return done(r, id, a)
	}}
}

// plain is an action that its fields make whole. The control's value, where it takes one, is
// 0 to 1.
func plain[A any, P interface {
	*A
	effect.Action
}](name, doc string, t *table[A]) actionKind {
	own := typed(t)
	return actionKind{name: name, doc: doc, table: t, read: func(r *reader, id int32) effect.Action {
		a := P(new(A))
		if v := effect.ValueOf(a); v != nil {
			v.Max = 1
		}
		readTable(r, id, own, (*A)(a))
		return a
	}}
}

// action reads an action, or returns nil: then it was said why.
func (r *reader) action(id int32) effect.Action {
	at, name, ok := r.typeOf(id)
	if !ok {
		return nil
	}
	for i := range actionKinds {
		if k := &actionKinds[i]; k.name == name || k.also == name && name != "" {
			return k.read(r, id)
		}
	}
	r.unknownType(at, actionNames, laterActions)
	return nil
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
