package config

import (
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// keystroke is a Keystroke while it is read: modifiers go down before keys, whichever is
// written first.
type keystroke struct {
	effect.Keystroke
	keys, modifiers int32 // the nodes, or 0
}

var keystrokeFields = []field[keystroke]{
	{name: "keys", must: true, read: func(r *reader, id int32, k *keystroke) {
		if s, ok := r.word(id); ok {
			k.Keys, k.keys = s, id
		}
	}},
	{name: "modifiers", read: func(r *reader, id int32, k *keystroke) {
		if r.is(id, arrayNode) {
			k.modifiers = id
		}
	}},
	flag("hold", func(k *keystroke, b bool) { k.Hold = b }),
}

// modifiers are the keys that may stand in the list of that name, in all their spellings.
var modifiers = strings.Fields("cmd super meta win alt option opt ctrl control shift fn")

// noModifiers is shown as an empty list, where nil would be shown as null.
var noModifiers = []string{}

func (r *reader) keystroke(_ int32, k *keystroke) effect.Action {
	k.Modifiers = noModifiers
	if k.modifiers != 0 {
		for c := r.nodes[k.modifiers].first; c != 0; c = r.nodes[c].next {
			if s, ok := r.text(c); ok {
				r.press(c, &k.Chord, s, modifiers, "modifier")
				k.Modifiers = append(k.Modifiers, s)
			}
		}
	}
	for rest, more := k.Keys, k.keys != 0; more; {
		var name string
		name, rest, more = cutKey(rest)
		r.press(k.keys, &k.Chord, name, nil, "key")
	}
	return &k.Keystroke
}

// cutKey takes the first key of "ctrl+shift+t". A plus that stands where a key is due is the
// key itself: "ctrl++".
func cutKey(s string) (name, rest string, more bool) {
	if i := strings.IndexByte(s[min(1, len(s)):], '+'); i >= 0 {
		return s[:i+1], s[i+2:], true
	}
	return s, "", false
}

// press adds a named key to the chord. Among are the names allowed; nil: all that there are.
func (r *reader) press(id int32, chord *effect.Chord, name string, among []string, what string) {
	name = strings.TrimSpace(name)
	code, ok := effect.KeyNamed(name)
	if among != nil && ok {
		ok = slices.Contains(among, strings.ToLower(name))
	}
	f := fault{off: r.nodes[id].off, node: id}
	switch {
	case !ok:
		f.code, f.word, f.among = UnknownValue, name, among
		if among == nil {
			f.among, f.hint = effect.KeyNames(), shifted(name)
		} else {
			f.hint = "it is one of " + strings.Join(among, ", ")
		}
		r.report(f, "%q is no %s", name, what)
	case slices.Contains(chord.Keys(), code):
	case chord.Len() == effect.MaxChord:
		f.code = TooMany
		r.report(f, "a keystroke has at most %d keys", effect.MaxChord)
	default:
		chord.Add(code)
	}
}

// shifted is a hint for a character that needs Shift where the keyboard's layout is English.
func shifted(name string) string {
	const pairs = `!1@2#3$4%5^6&7*8(9)0_-{[}]|\:;"'<,>.?/~` + "`"
	if i := strings.Index(pairs, name); len(name) == 1 && i >= 0 && i%2 == 0 {
		return "on an English keyboard it is shift+" + pairs[i+1:i+2]
	}
	return ""
}
