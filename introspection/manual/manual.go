// Package manual writes the page on the bus for people: what the contract says of every member,
// and how to use each from busctl, gdbus and a shell. The page is generated, and every command
// on it is run by the tests. What the contract is lives in package introspection.
package manual

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"

	"github.com/amiable-dev/midimon/introspection"
)

const (
	name = "com.amiable.Midimon1"
	root = "/com/amiable/Midimon1"
)

// Interfaces are those of the page, in its order.
var Interfaces = []string{
	name, name + ".Mappings", name + ".Monitor", name + ".Statistics", name + ".Device", "org.freedesktop.LogControl1",
}

const head = `<!-- Generated from introspection/*.xml by "go test ./cmd/midimon -run BusPage -update". Do not edit. -->

# midimon on D-Bus

The name is ` + "`com.amiable.Midimon1`" + ` on the session bus; the object ` + "`/com/amiable/Midimon1`" + ` is what most callers need. The
same objects are served peer to peer on the private socket, ` + "`unix:path=$XDG_RUNTIME_DIR/midimon/bus`" + `, to processes of the same
user: put ` + "`--address=unix:path=$XDG_RUNTIME_DIR/midimon/bus`" + ` in the place of ` + "`--user`" + ` (busctl) or ` + "`--session`" + ` (gdbus). That works without
a session bus. ` + "`Monitor.Subscribe` and `Device.SendMessage`" + ` answer there only.

Every change of a property that emits is told by ` + "`org.freedesktop.DBus.Properties.PropertiesChanged`" + `, one signal for all that changed
together, before the reply to the call that caused it. ` + "`org.freedesktop.DBus.ObjectManager`" + ` on the root object lists the devices and tells
when one comes or goes. A widget that only looks should not start midimon: call with NO_AUTO_START and watch NameOwnerChanged of the
name. Of busctl's verbs only ` + "`busctl --auto-start=no call`" + ` heeds that; ` + "`get-property` and `introspect`" + ` start midimon all the same.

A cookie ends with the connection that it was given to. Tools that connect for one call cannot hold anything; ` + "`midimonctl inhibit -- CMD`" + ` can.
`

// Page is the page, as Markdown.
func Page() (string, error) {
	all, err := introspection.Load()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString(head)
	for _, i := range Interfaces {
		docs, err := documentation(introspection.Source(i))
		if err != nil {
			return "", err
		}
		write(&out, all[i], docs)
	}
	return out.String(), nil
}

func write(out *strings.Builder, i *introspection.Interface, docs map[string]doc) {
	fmt.Fprintf(out, "\n## %s\n\n%s\n", i.Name, docs[i.Name].text)
	for n := range i.Properties {
		p := &i.Properties[n]
		emits := map[string]string{"true": "emits", "const": "constant", "false": "changes without a signal"}[p.Emits()]
		fmt.Fprintf(out, "\n### %s\n\nProperty `%s`, %s, %s.\n\n%s\n", p.Name, p.Type, p.Access, emits, docs[p.Name].text)
		examples(out, i.Name, p.Name)
	}
	for n := range i.Methods {
		m := &i.Methods[n]
		fmt.Fprintf(out, "\n### %s()\n\nMethod `%s(%s)", m.Name, m.Name, arguments(m, false))
		if m.Out() != "" {
			fmt.Fprintf(out, " -> (%s)", arguments(m, true))
		}
		out.WriteString("`.\n")
		describe(out, docs[m.Name], m)
		examples(out, i.Name, m.Name)
	}
	for n := range i.Signals {
		s := &i.Signals[n]
		fmt.Fprintf(out, "\n### %s (signal)\n\nSignal `%s(%s)`.\n", s.Name, s.Name, arguments(s, false))
		describe(out, docs[s.Name], s)
		examples(out, i.Name, s.Name)
	}
}

func arguments(m *introspection.Method, out bool) string {
	var all []string
	for _, a := range m.Args {
		if (a.Direction == "out") == out {
			all = append(all, a.Type+" "+a.Name)
		}
	}
	return strings.Join(all, ", ")
}

func describe(out *strings.Builder, d doc, m *introspection.Method) {
	for i, a := range m.Args {
		if i == 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(out, "- `%s`: %s\n", a.Name, d.args[a.Name])
	}
	fmt.Fprintf(out, "\n%s\n", d.text)
}

func examples(out *strings.Builder, iface, member string) {
	e := For(iface, member)
	out.WriteString("\n```sh\n")
	for _, c := range []string{e.Busctl, e.Gdbus, e.Shell} {
		if c != "" {
			out.WriteString(c + "\n")
		}
	}
	out.WriteString("```\n")
	if e.Note != "" {
		out.WriteString("\n" + e.Note + "\n")
	}
}

// doc is what the comment before an element says.
type doc struct {
	text string
	args map[string]string
}

// documentation finds the comment of the interface and of each member, by name.
func documentation(source []byte) (map[string]doc, error) {
	docs := map[string]doc{}
	in := xml.NewDecoder(strings.NewReader(string(source)))
	last := ""
	for {
		token, err := in.Token()
		if token == nil {
			return docs, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.Comment:
			last = string(token)
		case xml.StartElement:
			for _, a := range token.Attr {
				switch token.Name.Local {
				case "interface", "method", "property", "signal":
					if a.Name.Local == "name" {
						docs[a.Value] = parse(last)
					}
				}
			}
		}
	}
}

// link is how gtk-doc names a member of an interface.
var link = regexp.MustCompile(`#com\.amiable\.Midimon1[\w.]*?:+(\w+)`)

// parse takes a comment apart: the name, a line for each argument, paragraphs.
func parse(comment string) doc {
	d := doc{args: map[string]string{}}
	var paragraphs []string
	arg := ""
	for n, line := range strings.Split(strings.TrimSpace(comment), "\n") {
		line = link.ReplaceAllString(strings.TrimSpace(line), "`$1`")
		switch {
		case n == 0:
		case strings.HasPrefix(line, "@short_description"):
		case strings.HasPrefix(line, "@"):
			name, text, _ := strings.Cut(line[1:], ": ")
			arg = name
			d.args[arg] = text
		case line == "":
			arg = ""
			paragraphs = append(paragraphs, "")
		case arg != "":
			d.args[arg] += "\n  " + line
		default:
			if len(paragraphs) == 0 {
				paragraphs = append(paragraphs, "")
			}
			p := &paragraphs[len(paragraphs)-1]
			if *p != "" {
				*p += "\n"
			}
			*p += line
		}
	}
	for len(paragraphs) > 0 && paragraphs[0] == "" {
		paragraphs = paragraphs[1:]
	}
	d.text = strings.Join(paragraphs, "\n\n")
	return d
}
