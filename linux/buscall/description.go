package buscall

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// description is what an object says that it can do.
type description struct {
	methods    map[string]map[string]string // what each takes, by interface and name
	properties map[string]map[string]string // their types, likewise
}

// maxDescription is how long a description may be.
const maxDescription = 4 << 20

// describe reads the introspection format of the D-Bus specification.
func describe(text string) (*description, error) {
	if len(text) > maxDescription {
		return nil, fmt.Errorf("a description of %d bytes is too long", len(text))
	}
	var node struct {
		Interfaces []struct {
			Name    string `xml:"name,attr"`
			Methods []struct {
				Name string `xml:"name,attr"`
				Args []struct {
					Type      string `xml:"type,attr"`
					Direction string `xml:"direction,attr"`
				} `xml:"arg"`
			} `xml:"method"`
			Properties []struct {
				Name string `xml:"name,attr"`
				Type string `xml:"type,attr"`
			} `xml:"property"`
		} `xml:"interface"`
	}
	if err := xml.Unmarshal([]byte(text), &node); err != nil {
		return nil, fmt.Errorf("cannot read how it describes itself: %w", err)
	}
	d := &description{map[string]map[string]string{}, map[string]map[string]string{}}
	for _, i := range node.Interfaces {
		methods, properties := map[string]string{}, map[string]string{}
		for _, m := range i.Methods {
			takes := ""
			for _, a := range m.Args {
				if a.Direction != "out" { // in is the default of methods
					takes += a.Type
				}
			}
			methods[m.Name] = takes
		}
		for _, p := range i.Properties {
			properties[p.Name] = p.Type
		}
		d.methods[i.Name], d.properties[i.Name] = methods, properties
	}
	return d, nil
}

const propertiesInterface = "org.freedesktop.DBus.Properties"

// standard are interfaces that objects have and do not all describe.
var standard = map[string]map[string]string{
	propertiesInterface:                   {"Get": "ss", "GetAll": "s", "Set": "ssv"},
	"org.freedesktop.DBus.Introspectable": {"Introspect": ""},
	"org.freedesktop.DBus.Peer":           {"Ping": "", "GetMachineId": ""},
}

// takes is what a call's method takes. Known is false if the object does not describe the
// interface: then it may be there all the same.
func (d *description) takes(a *effect.DBusCall) (kinds []kind, known bool, err error) {
	methods, known := d.methods[a.Interface]
	if !known {
		methods, known = standard[a.Interface]
	}
	if !known {
		return nil, false, nil
	}
	signature, there := methods[a.Member]
	if !there {
		return nil, true, fmt.Errorf("%s has no method %s; it has %s", a.Interface, a.Member, listed(methods))
	}
	kinds, err = parse(signature)
	if err == nil && a.Interface == propertiesInterface && a.Member == "Set" && signature == "ssv" {
		kinds = d.setter(a, kinds)
	}
	return kinds, true, err
}

// setter gives the value of Properties.Set the type of the property, if that is described.
func (d *description) setter(a *effect.DBusCall, kinds []kind) []kind {
	if len(a.Args) != 3 {
		return kinds
	}
	iface, _ := a.Args[0].(string)
	name, _ := a.Args[1].(string)
	is, err := parse(d.properties[iface][name])
	if err != nil || len(is) != 1 || is[0].code == 'v' {
		return kinds
	}
	kinds[2] = kind{code: known, elem: is, spells: is[0].spells}
	return kinds
}

func listed(methods map[string]string) string {
	var out []string
	for name := range methods {
		out = append(out, name)
	}
	slices.Sort(out)
	if len(out) == 0 {
		return "none"
	}
	const most = 12
	if len(out) > most {
		out = append(out[:most], "...")
	}
	return strings.Join(out, ", ")
}
