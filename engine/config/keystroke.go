package config

import (
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// keystroke is a Keystroke while it is read: modifiers go down before keys, whichever is
// written first.
type keystroke struct {
	*effect.Keystroke
	keys, modifiers int32 // the nodes, or 0
}

// A block of keystrokes, or of words, takes less time than so many single ones. In a small file it has
// one for each mapping. In a large one it is what Go gives back as a whole (16 KiB, and what has more than
// 32): many small ones would stand between what other programs left.
const (
	keystrokesInBlock = 512
	wordsInBlock      = 1000
)

// take is n things out of a block, or out of the next one, which has most of them.
func take[T any](r *reader, block *[]T, n, most int) []T {
	if len(*block) < n {
		*block = make([]T, max(n, min(most, len(r.prog.Mappings))))
	}
	taken := (*block)[:n:n]
	*block = (*block)[n:]
	return taken
}

// readKeystroke is not made by madeOf: most actions are keystrokes, and this is faster.
func readKeystroke(r *reader, id int32) effect.Action {
	k := &r.pressing
	*k = keystroke{Keystroke: &take(r, &r.keystrokes, 1, keystrokesInBlock)[0]}
	readTable(r, id, keystrokeOwn, k)
	return r.keystroke(k)
}

var keystrokeTable = tableOf(
	flag("hold", func(k *keystroke, b bool) { k.Hold = b }).says("true: down until the control is let go of. false: a tap."),
	field[keystroke]{
		name: "modifiers", doc: "Keys that go down before the others.", shape: manyOf(wordShape, 0, 0),
		read: func(r *reader, id int32, k *keystroke) {
			if r.is(id, arrayNode) {
				k.modifiers = id
			}
		},
	},
	field[keystroke]{
		name: "keys", must: true, doc: `Which, joined by a plus: "ctrl+shift+t".`, shape: wordShape,
		read: func(r *reader, id int32, k *keystroke) {
			if s, ok := r.word(id); ok {
				k.Keys, k.keys = s, id
			}
		},
	},
)

var keystrokeOwn = typed(keystrokeTable)

// modifiers are the keys that may stand in the list of that name, in all their spellings.
var modifiers = strings.Fields("cmd super meta win alt option opt ctrl control shift fn")

// noModifiers is shown as an empty list, where nil would be shown as null.
var noModifiers = []string{}

func (r *reader) keystroke(k *keystroke) effect.Action {
	k.Modifiers = noModifiers
	if n := r.nodes[k.modifiers].size; k.modifiers != 0 && n > 0 {
		k.Modifiers = take(r, &r.words, int(n), wordsInBlock)[:0]
		for c := r.first(k.modifiers); c != 0; c = r.nodes[c].next {
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
	return k.Keystroke
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
	switch {
	case !ok:
		r.noKey(id, name, among, what)
	case slices.Contains(chord.Keys(), code):
	case chord.Len() == effect.MaxChord:
		r.report(fault{code: TooMany, off: r.nodes[id].off, node: id}, "a keystroke has at most %d keys", effect.MaxChord)
	default:
		chord.Add(code)
	}
}

func (r *reader) noKey(id int32, name string, among []string, what string) {
	f := fault{code: UnknownValue, off: r.nodes[id].off, node: id, word: name, among: among}
	if among == nil {
		f.among, f.hint = effect.KeyNames(), shifted(name)
	} else {
		f.hint = "it is one of " + strings.Join(among, ", ")
	}
	r.report(f, "%q is no %s", name, what)
}

// shifted is a hint for a character that needs Shift where the keyboard's layout is English.
func shifted(name string) string {
	const pairs = `!1@2#3$4%5^6&7*8(9)0_-{[}]|\:;"'<,>.?/~` + "`"
	if i := strings.Index(pairs, name); len(name) == 1 && i >= 0 && i%2 == 0 {
		return "on an English keyboard it is shift+" + pairs[i+1:i+2]
	}
	return ""
}
