package config

import (
	"embed"
	"path"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine"
)

// shipped are the configurations that come with midimon, as data of its own: the starter and
// one for each kind of device that it knows, with the numbers of its controls.
//
//go:embed templates/*.toml
var shipped embed.FS

// StarterName is what Starter is called as a Template.
const StarterName = "starter"

const templateExt = ".toml"

// Starter is the configuration for somebody who has none. The caller owns the copy.
func Starter() []byte { return Template(StarterName) }

// Templates are the names of the devices that there is a template for, sorted.
func Templates() []string {
	files, err := shipped.ReadDir("templates")
	if err != nil {
		panic(err) // a build without its data
	}
	var names []string
	for _, f := range files {
		if name := strings.TrimSuffix(f.Name(), templateExt); name != StarterName {
			names = append(names, name)
		}
	}
	return names
}

// Template is a shipped configuration, or nil if there is none of that name. The caller owns
// the copy.
func Template(name string) []byte {
	text, err := shipped.ReadFile(path.Join("templates", path.Base(name)+templateExt))
	if err != nil {
		return nil
	}
	return text
}

// template reads the name of one, and takes over how it finds its device.
func (r *reader) template(id int32, d *engine.Device, match bool) {
	name, ok := r.label(id)
	if !ok {
		return
	}
	known := Templates()
	if !slices.Contains(known, name) {
		r.report(fault{
			code: UnknownValue, off: r.nodes[id].off, node: id, word: name, among: known,
			hint: "it is one of " + strings.Join(known, ", "),
		}, "there is no template %q", name)
		return
	}
	if !match {
		return
	}
	src := Template(name)
	t := newTree(&problems{}, name, string(src))
	t.parse(src)
	device, _ := t.list(0, "devices")
	if device == 0 { // of no maker
		r.missing(r.nodes[id].parent, "match")
		return
	}
	from := &reader{tree: t}
	from.matches(t.find(device, "match"), d)
}
