// Package introspection is the contract of midimon on D-Bus: one documented XML file for each
// interface, embedded. What the daemon exports is checked against it at start and what it
// answers to Introspect is cut out of it. No code that exports anything lives here.
package introspection

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed *.xml
var files embed.FS

// An Interface is the contract of one D-Bus interface, in the order of its file.
type Interface struct {
	Name       string     `xml:"name,attr"`
	Methods    []Method   `xml:"method"`
	Signals    []Method   `xml:"signal"`
	Properties []Property `xml:"property"`

	// XML is the interface element without comments, as Introspect answers it.
	XML string `xml:"-"`
}

// A Method is a method or a signal.
type Method struct {
	Name string `xml:"name,attr"`
	Args []Arg  `xml:"arg"`
}

// An Arg is an argument of a method or signal.
type Arg struct {
	Name      string `xml:"name,attr"`
	Type      string `xml:"type,attr"`
	Direction string `xml:"direction,attr"` // "out", else in
}

// A Property is a property.
type Property struct {
	Name        string       `xml:"name,attr"`
	Type        string       `xml:"type,attr"`
	Access      string       `xml:"access,attr"` // "read" or "readwrite"
	Annotations []Annotation `xml:"annotation"`
}

// An Annotation says more of a property.
type Annotation struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// In is the signature of what a method takes.
func (m *Method) In() string { return m.signature(false) }

// Out is the signature of what a method returns.
func (m *Method) Out() string { return m.signature(true) }

func (m *Method) signature(out bool) string {
	var s strings.Builder
	for _, a := range m.Args {
		if (a.Direction == "out") == out {
			s.WriteString(a.Type)
		}
	}
	return s.String()
}

// Emits is how a change is told: "true", "const" or "false". The D-Bus specification takes
// a property without the annotation for one that emits.
func (p *Property) Emits() string {
	for _, a := range p.Annotations {
		if a.Name == "org.freedesktop.DBus.Property.EmitsChangedSignal" {
			return a.Value
		}
	}
	return "true"
}

// Load reads the contract, by the name of the interface. An error is a fault in the XML.
func Load() (map[string]*Interface, error) { return load(files) }

// Source is the XML of an interface with its documentation, or nil.
func Source(name string) []byte {
	text, err := files.ReadFile(name + ".xml")
	if err != nil {
		return nil
	}
	return text
}

func load(fsys fs.FS) (map[string]*Interface, error) {
	names, err := fs.Glob(fsys, "*.xml")
	if err != nil {
		return nil, err
	}
	all := make(map[string]*Interface, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		i, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", name, err)
		}
		if i.Name+".xml" != name {
			return nil, fmt.Errorf("cannot read %s: it is about %q", name, i.Name)
		}
		all[i.Name] = i
	}
	return all, nil
}

// bare is a text without its comments, each with the blanks before it and the end of its line.
// It is much the smaller part, and all that is parsed at every start.
func bare(text string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<!--")
		if !found {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(strings.TrimRight(before, " \t"))
		_, rest, _ = strings.Cut(rest, "-->")
		text = strings.TrimPrefix(rest, "\n")
	}
}

// element is the interface's, with the blanks before it and the end of its last line.
func element(text string) string {
	from, to := strings.Index(text, "<interface"), strings.LastIndex(text, "</interface>\n")
	if from < 0 || to < from {
		return ""
	}
	from = len(strings.TrimRight(text[:from], " \t"))
	return text[from : to+len("</interface>\n")]
}

func parse(text []byte) (*Interface, error) {
	short := bare(string(text))
	var s scanner
	if err := s.scan(short); err != nil {
		return nil, err
	}
	if n := len(s.all); n != 1 {
		return nil, fmt.Errorf("%d interfaces, want 1", n)
	}
	i := &s.all[0]
	i.XML = element(short)
	return i, nil
}
