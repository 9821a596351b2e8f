package keymap

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxSize is how large a keymap may be, in bytes. Real ones have 70 kB.
const MaxSize = 4 << 20

// maxGroups is how many layouts a keymap may have.
const maxGroups = 32

// A Keymap is what the keys of a keyboard type, in each of its layouts (groups). It is not
// changed after it is made.
type Keymap struct {
	Groups []string // the names of its layouts

	keys  []key
	types map[string]*keyType
}

// key is what one key types.
type key struct {
	code   uint16   // as the kernel counts: X's code less 8
	groups [][]Sym  // by group and level
	types  []string // by group; empty: it follows from the symbols
}

// keyType says which level of a key modifiers select.
type keyType struct {
	of     []string       // the modifiers that count
	levels map[string]int // from 0, by modifiers joined
}

// Parse reads a keymap as compositors hand them out: text, without includes.
func Parse(text []byte) (*Keymap, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("cannot read the keymap: %d bytes are more than %d", len(text), MaxSize)
	}
	p := &parser{lexer: lexer{text: strings.TrimRight(string(text), "\x00")}, codes: map[string]uint16{}, aliases: map[string]string{}}
	p.keymap.types = map[string]*keyType{}
	p.next()
	if err := p.parse(); err != nil {
		return nil, fmt.Errorf("cannot read the keymap: %w", err)
	}
	return &p.keymap, nil
}

// parser is a Parse under way. One word is looked at ahead.
type parser struct {
	lexer
	word    string // empty: the end
	keymap  Keymap
	codes   map[string]uint16 // X's, by the name of a key
	aliases map[string]string
}

var errEnd = errors.New("it ends too early")

func (p *parser) next() { p.word = p.lexer.word() }

// take returns the word and goes on.
func (p *parser) take() string {
	w := p.word
	p.next()
	return w
}

func (p *parser) accept(word string) bool {
	if p.word != word {
		return false
	}
	p.next()
	return true
}

// skip goes past the next such word outside of any brackets.
func (p *parser) skip(end string) error {
	depth := 0
	for {
		w := p.take()
		switch {
		case w == "":
			return errEnd
		case depth == 0 && w == end:
			return nil
		case w == "{" || w == "[" || w == "(":
			depth++
		case w == "}" || w == "]" || w == ")":
			if depth--; depth < 0 {
				return fmt.Errorf("line %d: %q without its beginning", p.line, w)
			}
		}
	}
}

func (p *parser) parse() error {
	for p.word != "xkb_keymap" {
		if p.take() == "" {
			return errors.New("it is none")
		}
	}
	if err := p.until("{"); err != nil {
		return err
	}
	for !p.accept("}") {
		section := p.take()
		if section == "" {
			return errEnd
		}
		if err := p.until("{"); err != nil {
			return err
		}
		each := func() error { return p.skip(";") }
		switch section {
		case "xkb_keycodes":
			each = p.keycode
		case "xkb_types":
			each = p.keyType
		case "xkb_symbols":
			each = p.symbols
		}
		for !p.accept("}") {
			if p.word == "" {
				return errEnd
			}
			if err := each(); err != nil {
				return err
			}
		}
		p.accept(";")
	}
	if len(p.keymap.keys) == 0 {
		return errors.New("it has no keys")
	}
	if len(p.keymap.Groups) == 0 {
		p.keymap.Groups = []string{""}
	}
	return nil
}

// until goes past the word, which must be near.
func (p *parser) until(word string) error {
	for range 4 {
		if p.accept(word) {
			return nil
		}
		p.next()
	}
	return fmt.Errorf("line %d: no %q", p.line, word)
}

// keycode: <AE01> = 10; alias <LatQ> = <AD01>; and what we do not need.
func (p *parser) keycode() error {
	alias := p.accept("alias")
	name := p.take()
	if !strings.HasPrefix(name, "<") || !p.accept("=") {
		return p.skip(";")
	}
	switch value := p.take(); {
	case alias:
		p.aliases[name] = value
	default:
		if n, err := strconv.ParseUint(value, 0, 16); err == nil {
			p.codes[name] = uint16(n)
		}
	}
	return p.skip(";")
}

// keyType: type "TWO_LEVEL" { modifiers= Shift; map[Shift]= Level2; ... };
func (p *parser) keyType() error {
	if !p.accept("type") {
		return p.skip(";")
	}
	t := &keyType{levels: map[string]int{}}
	p.keymap.types[unquote(p.take())] = t
	if err := p.until("{"); err != nil {
		return err
	}
	for !p.accept("}") {
		switch {
		case p.word == "":
			return errEnd
		case p.accept("modifiers"):
			t.of = p.modifiers()
		case p.accept("map"):
			of := joined(p.modifiers())
			if n, ok := number(p.take(), "level"); ok {
				t.levels[of] = n - 1
			}
		}
		if err := p.skip(";"); err != nil {
			return err
		}
	}
	return p.skip(";")
}

// modifiers reads "= Shift+Lock" or "[Shift+Lock] =", up to what follows.
func (p *parser) modifiers() []string {
	var of []string
	for {
		switch p.word {
		case ";", "":
			return of
		case "=":
			if p.next(); len(of) > 0 {
				return of // what is mapped follows
			}
		case "[", "]", "+":
			p.next()
		default:
			if m := p.take(); m != "none" {
				of = append(of, m)
			}
			if p.word == "]" {
				p.next()
				p.accept("=")
				return of
			}
		}
	}
}

// symbols: name[Group1]="German"; key <AD03> { [ e, E, EuroSign ] };
func (p *parser) symbols() error {
	switch {
	case p.accept("name"):
		if p.accept("[") {
			g, ok := number(p.take(), "group")
			if ok && p.accept("]") && p.accept("=") {
				for len(p.keymap.Groups) < g {
					p.keymap.Groups = append(p.keymap.Groups, "")
				}
				p.keymap.Groups[g-1] = unquote(p.take())
			}
		}
	case p.accept("key"):
		return p.key()
	}
	return p.skip(";")
}

func (p *parser) key() error {
	name := p.take()
	if real, ok := p.aliases[name]; ok {
		name = real
	}
	k := key{}
	if code, ok := p.codes[name]; ok && code >= 8 {
		k.code = code - 8
	}
	if !p.accept("{") {
		return p.skip(";")
	}
	for !p.accept("}") {
		var err error
		switch {
		case p.word == "":
			return errEnd
		case p.word == "[": // of the next group
			err = p.levels(&k, len(k.groups))
		case p.accept("symbols"):
			if g := p.group(); g >= 0 && p.word == "[" {
				err = p.levels(&k, g)
			}
		case p.accept("type"):
			g := max(p.group(), 0)
			for len(k.types) <= g {
				k.types = append(k.types, "")
			}
			k.types[g] = unquote(p.take())
		default: // actions, repeat, virtualMods
			err = p.skipField()
		}
		if err != nil {
			return err
		}
		p.accept(",")
	}
	if k.code != 0 && len(k.groups) > 0 {
		p.keymap.keys = append(p.keymap.keys, k)
	}
	return p.skip(";")
}

// group reads "[Group2]=" or "=", for which it is -1.
func (p *parser) group() int {
	g := -1
	if p.accept("[") {
		if n, ok := number(p.take(), "group"); ok {
			g = n - 1
		}
		p.accept("]")
	}
	p.accept("=")
	return g
}

var brackets = map[string]string{"[": "]", "(": ")", "{": "}"}

// skipField goes to the comma or the brace that ends a field of a key.
func (p *parser) skipField() error {
	for p.word != "," && p.word != "}" {
		w := p.take()
		if w == "" {
			return errEnd
		}
		if end := brackets[w]; end != "" {
			if err := p.skip(end); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *parser) levels(k *key, group int) error {
	var syms []Sym
	p.next()
	for !p.accept("]") {
		switch w := p.take(); w {
		case "":
			return errEnd
		case ",":
		case "{": // several at once: no character
			if err := p.skip("}"); err != nil {
				return err
			}
			syms = append(syms, None)
		default:
			syms = append(syms, Named(w))
		}
	}
	if group >= maxGroups {
		return fmt.Errorf("line %d: more than %d layouts", p.line, maxGroups)
	}
	for len(k.groups) <= group {
		k.groups = append(k.groups, nil)
	}
	k.groups[group] = syms
	return nil
}

// number reads "Group2", "Level2" or "2". It is at least 1 and at most maxGroups.
func number(word, prefix string) (int, bool) {
	if len(word) > len(prefix) && strings.EqualFold(word[:len(prefix)], prefix) {
		word = word[len(prefix):]
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 1 && n <= maxGroups
}

func unquote(word string) string { return strings.Trim(word, `"`) }
