package config

import (
	"encoding/json"
	"slices"
	"strings"
)

// SchemaURL is where the JSON Schema of a configuration is found, and what it calls itself.
const SchemaURL = "https://raw.githubusercontent.com/amiable-dev/midimon/main/packaging/schema/midimon.schema.json"

// object is a JSON object.
type object = map[string]any

// JSONSchema is what a configuration may look like, for editors (draft 7, which they all
// know). It is made of the tables that a configuration is read by, and knows no more than one
// value at a time: what it refuses is never right, what it takes may still be wrong.
func JSONSchema() []byte {
	root := tableSchema(rootTable)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["$id"] = SchemaURL
	root["title"] = "midimon's configuration"
	root["definitions"] = object{
		"device":            tableSchema(deviceTable),
		"devices":           tableSchema(devicesTable),
		"advanced_settings": tableSchema(timingTable),
		"input":             tableSchema(inputTable),
		"logging":           tableSchema(loggingTable),
		"mode":              tableSchema(modeTable),
		"mapping":           tableSchema(mappingTable),
		"value":             tableSchema(levelTable),
		"trigger":           triggerSchema(),
		"action":            actionSchema(),
		"condition":         conditionSchema(),
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	return append(text, '\n')
}

// tableSchema is a table with those keys and no others.
func tableSchema(t described) object {
	properties := object{}
	required := []string{}
	var both []any
	for _, d := range t.describe() {
		s := shapeSchema(d.shape)
		if d.doc != "" {
			s["description"] = d.doc
		}
		properties[d.name] = s
		if d.also != "" {
			other := shapeSchema(d.shape)
			other["description"] = "The same as " + d.name + ". " + d.doc
			properties[d.also] = other
		}
		switch {
		case d.must && d.also != "":
			both = append(both, object{"anyOf": []any{
				object{"required": []string{d.name}}, object{"required": []string{d.also}},
			}})
		case d.must:
			required = append(required, d.name)
		}
	}
	out := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		slices.Sort(required)
		out["required"] = required
	}
	if len(both) > 0 {
		out["allOf"] = both
	}
	return out
}

func shapeSchema(s *shape) object {
	out := object{}
	switch {
	case s.ref != "":
		// What stands beside a reference does not count in draft 7.
		return object{"allOf": []any{object{"$ref": "#/definitions/" + s.ref}}}
	case len(s.either) > 0:
		var list []any
		for _, e := range s.either {
			list = append(list, shapeSchema(e))
		}
		return object{"anyOf": list}
	case s.kind != "":
		out["type"] = s.kind
	}
	switch {
	case s.kind == "array":
		if s.items != nil {
			out["items"] = shapeSchema(s.items)
		}
		if s.lo > 0 {
			out["minItems"] = int(s.lo)
		}
		if s.hi > 0 {
			out["maxItems"] = int(s.hi)
		}
	case s.bounded:
		out["minimum"], out["maximum"] = s.lo, s.hi
	}
	if len(s.words) > 0 {
		out["enum"] = s.words
	}
	if s.filled {
		out["minLength"] = 1
	}
	if s.pattern != "" {
		out["pattern"] = s.pattern
	}
	return out
}

// typedSchema is a table that its type chose.
func typedSchema(name, also, doc string, t described) object {
	s := tableSchema(t)
	kind := object{"const": name}
	if also != "" {
		kind = object{"enum": []string{name, also}}
	}
	kind["description"] = doc
	s["properties"].(object)["type"] = kind
	required, _ := s["required"].([]string)
	s["required"] = append([]string{"type"}, required...)
	s["title"], s["description"] = name, doc
	return s
}

// laterSchema are the types whose mappings are left out, whatever else they say.
func laterSchema(names []string) object {
	return object{
		"type": "object", "title": "Not supported yet", "description": "Mappings with " + strings.Join(names, ", ") + " are left out.",
		"properties": object{"type": object{"enum": names}}, "required": []string{"type"},
	}
}

func triggerSchema() object {
	var list []any
	for i := range triggerKinds {
		k := &triggerKinds[i]
		list = append(list, typedSchema(k.Type.String(), "", k.doc, k.table))
	}
	return object{"oneOf": append(list, laterSchema(laterTriggers))}
}

func actionSchema() object {
	var list []any
	for i := range actionKinds {
		k := &actionKinds[i]
		list = append(list, typedSchema(k.name, k.also, k.doc, k.table))
	}
	return object{"oneOf": append(list, laterSchema(laterActions))}
}

// conditionSchema has all three forms: the name alone, with the name as type, and with it as
// the only key.
func conditionSchema() object {
	var alone []string
	var list []any
	for i := range conditionKinds {
		k := &conditionKinds[i]
		if !slices.ContainsFunc(k.table.fields, func(f field[condition]) bool { return f.must }) {
			alone = append(alone, k.name)
		}
		list = append(list, typedSchema(k.name, "", k.doc, k.table), object{
			"type": "object", "title": k.name, "description": k.doc, "additionalProperties": false,
			"properties": object{k.name: tableSchema(k.table)}, "required": []string{k.name},
		})
	}
	return object{"oneOf": append([]any{object{"enum": alone}}, list...)}
}
