package introspection

import (
	"errors"
	"fmt"
	"strings"
)

// tag is a tag of an XML document.
type tag struct {
	name        string
	attributes  string
	open, close bool // both: an element without content
}

// nextTag cuts the next tag out of a document without comments. Instructions and the document
// type are passed over. At the end there is none.
func nextTag(text string) (t tag, rest string, err error) {
	for {
		_, after, found := strings.Cut(text, "<")
		if !found {
			return tag{}, "", nil
		}
		inside, rest, found := strings.Cut(after, ">")
		if !found || inside == "" {
			return tag{}, "", errors.New("a tag does not end")
		}
		if text = rest; inside[0] == '?' || inside[0] == '!' {
			continue
		}
		t := tag{open: true}
		if inside[0] == '/' {
			t.open, t.close, inside = false, true, inside[1:]
		}
		if end := len(inside) - 1; inside[end] == '/' {
			t.close, inside = true, inside[:end]
		}
		t.name, t.attributes, _ = strings.Cut(inside, " ")
		return t, rest, nil
	}
}

// attribute is the value of an attribute, or empty.
func (t *tag) attribute(name string) string {
	for rest := t.attributes; ; {
		key, after, found := strings.Cut(rest, `="`)
		if !found {
			return ""
		}
		value, after, _ := strings.Cut(after, `"`)
		if strings.TrimSpace(key) == name {
			return value
		}
		rest = after
	}
}

// scanner reads the interfaces of a document without comments. It knows what our own files have: no
// entities and no text. A parser of all XML takes ten times as long, at every start.
type scanner struct {
	all      []Interface
	within   []string  // the elements that are open
	member   *Method   // the last method or signal
	property *Property // the last one
}

func (s *scanner) scan(text string) error {
	for {
		t, rest, err := nextTag(text)
		if err != nil {
			return err
		}
		if t.name == "" {
			break
		}
		text = rest
		if t.open {
			if err := s.begin(&t); err != nil {
				return err
			}
			s.within = append(s.within, t.name)
		}
		if t.close {
			if s.parent() != t.name {
				return fmt.Errorf("%s ends where it did not begin", t.name)
			}
			s.within = s.within[:len(s.within)-1]
		}
	}
	if open := s.parent(); open != "" {
		return fmt.Errorf("%s does not end", open)
	}
	return nil
}

// parent is the innermost element that is open, or empty.
func (s *scanner) parent() string {
	if len(s.within) == 0 {
		return ""
	}
	return s.within[len(s.within)-1]
}

// begin takes an element in.
func (s *scanner) begin(t *tag) error {
	parent, name := s.parent(), t.attribute("name")
	last := len(s.all) - 1
	switch place := parent + "/" + t.name; place {
	case "/node":
	case "node/interface":
		s.all = append(s.all, Interface{Name: name})
	case "interface/method":
		members := append(s.all[last].Methods, Method{Name: name})
		s.all[last].Methods, s.member = members, &members[len(members)-1]
	case "interface/signal":
		members := append(s.all[last].Signals, Method{Name: name})
		s.all[last].Signals, s.member = members, &members[len(members)-1]
	case "interface/property":
		all := append(s.all[last].Properties, Property{Name: name, Type: t.attribute("type"), Access: t.attribute("access")})
		s.all[last].Properties, s.property = all, &all[len(all)-1]
	case "method/arg", "signal/arg":
		s.member.Args = append(s.member.Args, Arg{Name: name, Type: t.attribute("type"), Direction: t.attribute("direction")})
	case "property/annotation":
		s.property.Annotations = append(s.property.Annotations, Annotation{Name: name, Value: t.attribute("value")})
	default:
		return fmt.Errorf("%s is not known in %s", t.name, parent)
	}
	return nil
}
