package man

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A schema is what is read of a JSON Schema.
type schema struct {
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Type        string            `json:"type"`
	Ref         string            `json:"$ref"`
	Const       any               `json:"const"`
	Enum        []any             `json:"enum"`
	Minimum     *float64          `json:"minimum"`
	Maximum     *float64          `json:"maximum"`
	MinItems    int               `json:"minItems"`
	MaxItems    int               `json:"maxItems"`
	Pattern     string            `json:"pattern"`
	Items       *schema           `json:"items"`
	Properties  map[string]schema `json:"properties"`
	Required    []string          `json:"required"`
	OneOf       []schema          `json:"oneOf"`
	AnyOf       []schema          `json:"anyOf"`
	AllOf       []schema          `json:"allOf"`
	Definitions map[string]schema `json:"definitions"`
}

// tables are the definitions in the order in which a reader meets them, and their headings.
var tables = []struct{ name, heading string }{
	{"device", "[device]"},
	{"devices", "[[devices]]"},
	{"advanced_settings", "[advanced_settings]"},
	{"input", "[input]"},
	{"logging", "[logging]"},
	{"mode", "[[modes]]"},
	{"mapping", "Mappings: [[modes.mappings]], [[global_mappings]]"},
	{"trigger", "Triggers"},
	{"action", "Actions"},
	{"condition", "Conditions: when"},
	{"value", "Values from a control"},
}

// Schema writes what a JSON Schema says of a file.
func (p *Page) Schema(text []byte) error {
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		return fmt.Errorf("cannot read the schema: %w", err)
	}
	p.Section("Tables and keys")
	p.properties(0, &root)
	known := map[string]bool{}
	for _, t := range tables {
		known[t.name] = true
		d, ok := root.Definitions[t.name]
		if !ok {
			return fmt.Errorf("the schema defines no %q", t.name)
		}
		p.Part(t.heading)
		if d.Description != "" {
			p.Text(d.Description)
		}
		p.properties(0, &d)
		p.choices(&d)
	}
	for name := range root.Definitions {
		if !known[name] {
			return fmt.Errorf("nothing says where to describe %q", name)
		}
	}
	return nil
}

// choices are the kinds of a trigger, an action or a condition, each once.
func (p *Page) choices(s *schema) {
	told := map[string]bool{}
	for i := range s.OneOf {
		kind := &s.OneOf[i]
		switch {
		case kind.Title == "":
			p.Text("A name alone: " + words(kind.Enum) + ".")
		case !told[kind.Title]:
			told[kind.Title] = true
			p.Item(0, kind.Title, kind.Description)
			p.properties(1, kind)
		}
	}
}

func (p *Page) properties(depth int, s *schema) {
	var names []string
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		v := s.Properties[name]
		if name == "type" && v.Const != nil { // it is the heading
			continue
		}
		text := sentence(v.Description)
		if what := v.what(); what != "" {
			text += "\n" + strings.ToUpper(what[:1]) + what[1:] + "."
		}
		if slices.Contains(s.Required, name) {
			text += "\nIt must be given."
		}
		p.Item(depth, name, strings.TrimSpace(text))
	}
}

func sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// what is what a value may be, in words.
func (s *schema) what() string {
	switch {
	case s.Ref != "":
		return "see " + s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case len(s.AllOf) == 1:
		return s.AllOf[0].what()
	case len(s.AnyOf) > 0:
		var all []string
		for i := range s.AnyOf {
			all = append(all, s.AnyOf[i].what())
		}
		return strings.Join(slices.Compact(all), ", or ")
	case len(s.Enum) > 0:
		return "one of " + words(s.Enum)
	case s.Type == "array":
		items := "values"
		if s.Items != nil && s.Items.what() != "" {
			items = s.Items.what()
		}
		return "a list, each " + items + between(s.MinItems, s.MaxItems)
	case s.Minimum != nil && s.Maximum != nil:
		return fmt.Sprintf("%s of %v to %v", kinds[s.Type], *s.Minimum, *s.Maximum)
	case s.Pattern != "" && strings.HasPrefix(s.Pattern, "^[A-Ga-g]"):
		return "the name of a note (C4 is 60)"
	}
	return kinds[s.Type]
}

var kinds = map[string]string{
	"integer": "a whole number", "number": "a number", "string": "a text", "boolean": "true or false", "object": "a table",
}

func between(lo, hi int) string {
	switch {
	case lo > 0 && hi > 0:
		return fmt.Sprintf(", %d to %d of them", lo, hi)
	case lo > 0:
		return fmt.Sprintf(", at least %d", lo)
	}
	return ""
}

func words(list []any) string {
	var out []string
	for _, w := range list {
		out = append(out, fmt.Sprint(w))
	}
	return strings.Join(out, ", ")
}
