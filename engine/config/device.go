package config

import (
	"path"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine"
)

// maxDevices is how many devices may be configured: no more ports can be open.
const maxDevices = engine.MaxPorts

// deviceTable is [device], the form of the days when there was one.
var deviceTable = tableOf(
	label("name", func(d *engine.Device, s string) {
		d.Name, d.Match = s, []engine.Match{{{Kind: engine.MatchContains, Value: s}}}
	}).required().says("A part of the name that its port shows. Upper and lower case differ."),
	flag("auto_connect", func(d *engine.Device, b bool) { d.Enabled = b }).says("false: midimon leaves it alone. true."),
	flag("auto_reconnect", func(d *engine.Device, b bool) { d.Once = !b }).says("false: when it was unplugged midimon leaves it alone until the configuration is read again. true."),
	ignored[engine.Device]("port", &shape{kind: "integer"}, "a device is found by its name, whatever its port's number"),
)

// devicesTable is an element of [[devices]].
var devicesTable = tableOf(
	label("name", func(d *engine.Device, s string) { d.Name = s }).required().says("What triggers, the status and the bus call it."),
	field[engine.Device]{
		name: "match", doc: "Which device is meant: name:GLOB, usb:VENDOR:PRODUCT, serial:NUMBER, path:USB-PATH or raw:FILE, several joined by spaces. Of a list the first that fits decides.",
		shape: either(wordShape, manyOf(wordShape, 1, 0)), read: (*reader).matches,
	},
	field[engine.Device]{
		name: "template", doc: "What kind of device it is: where match says nothing, it is the one of the template.",
		shape: oneOf(Templates()...), read: func(*reader, int32, *engine.Device) {},
	},
	flag("enabled", func(d *engine.Device, b bool) { d.Enabled = b }).says("false: midimon leaves it alone. true."),
	flag("optional", func(d *engine.Device, b bool) { d.Optional = b }).says("Its absence is no problem. false."),
	flag("sysex", func(d *engine.Device, b bool) { d.Sysex = b }).says("Hear its system exclusive messages. false."),
)

func (r *reader) device(id int32) {
	d := engine.Device{Enabled: true}
	readTable(r, id, devicesTable, &d)
	match, template := r.find(id, "match"), r.find(id, "template")
	switch {
	case template != 0:
		r.template(template, &d, match == 0)
	case match == 0:
		r.missing(id, "match")
	}
	if len(r.prog.Devices) == maxDevices {
		r.report(fault{code: TooMany, off: r.nodes[id].off, node: id}, "there may be at most %d devices", maxDevices)
	}
	r.prog.Devices = append(r.prog.Devices, d)
}

// matches reads one description of a device or a list of them.
func (r *reader) matches(id int32, d *engine.Device) {
	if r.nodes[id].kind == textNode {
		r.match(id, d)
		return
	}
	if !r.is(id, arrayNode) {
		return
	}
	if r.nodes[id].size == 0 {
		r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
	}
	for c := r.first(id); c != 0; c = r.nodes[c].next {
		r.match(c, d)
	}
}

// matchKeys are the keys of a description, in the order of engine.MatchKind.
var matchKeys = []string{"serial:", "usb:", "path:", "name:", "raw:"}

// match reads keys joined by spaces. Values may have spaces too, so a new key begins only
// where one of the known ones does.
func (r *reader) match(id int32, d *engine.Device) {
	s, ok := r.label(id)
	if !ok {
		return
	}
	var m engine.Match
	for word := range strings.SplitSeq(strings.TrimSpace(s), " ") {
		kind := slices.IndexFunc(matchKeys, func(k string) bool { return strings.HasPrefix(word, k) })
		switch {
		case kind >= 0:
			m = append(m, engine.MatchKey{Kind: engine.MatchKind(kind), Value: word[len(matchKeys[kind]):]})
		case len(m) == 0:
			key, _, _ := strings.Cut(word, ":")
			r.report(fault{
				code: UnknownValue, off: r.nodes[id].off, node: id, word: key + ":", among: matchKeys,
				hint: "write name:*LPD8*, usb:09e8:0075, serial:…, path:… or raw:…",
			}, "%q says not what to compare", s)
			return
		default:
			m[len(m)-1].Value += " " + word
		}
	}
	for i := range m {
		m[i].Value = strings.TrimSpace(m[i].Value)
		if problem := checkMatch(&m[i]); problem != "" {
			r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id}, "%s%s %s", matchKeys[m[i].Kind], m[i].Value, problem)
		}
	}
	d.Match = append(d.Match, m)
}

// checkMatch says what is wrong with the value of a key, and writes it as it is compared.
func checkMatch(k *engine.MatchKey) string {
	if k.Value == "" {
		return "needs a value"
	}
	switch k.Kind {
	case engine.MatchUSB:
		k.Value = strings.ToLower(k.Value)
		if len(k.Value) != 9 || k.Value[4] != ':' || strings.Trim(k.Value, "0123456789abcdef") != ":" {
			return "is no vendor and product, like 17cc:1700"
		}
	case engine.MatchName:
		if _, err := path.Match(k.Value, ""); err != nil {
			return "is no pattern: a [ is not closed"
		}
	case engine.MatchRaw:
		if !path.IsAbs(k.Value) {
			return "is no absolute path"
		}
	case engine.MatchSerial, engine.MatchPath, engine.MatchContains, engine.MatchAny:
	}
	return ""
}
