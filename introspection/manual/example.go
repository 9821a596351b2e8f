package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/introspection"
)

// An Example is how to use a member. The device is called LPD8, the modes are Default and Media, a
// mapping is called play.
type Example struct {
	Busctl string
	Gdbus  string // empty: it cannot
	Shell  string
	Fails  string // the error that a command meets for want of a connection that lasts
	Note   string
	Kind   string // "property", "method" or "signal"
}

// An argument as busctl and as gdbus take it.
type argument struct{ busctl, gdbus string }

func text(s string) argument { return argument{quote(s), quote(s)} }
func word(s string) argument { return argument{s, s} }

var noFilter = argument{"0", "{}"}

// sample is what an example calls a method with, and what there is to say.
type sample struct {
	args    []argument
	private bool // on the private socket only
	fails   string
	note    string
}

const cookieNote = "From a shell it fails with `UnknownCookie`: the cookie ended with the connection that had it."

var samples = map[string]sample{
	name + ".Reload":         {},
	name + ".GetDiagnostics": {},
	name + ".Validate":       {args: []argument{text(`[[modes]] name = 1`)}},
	name + ".ArmRevert":      {args: []argument{word("20000")}},
	name + ".Keep":           {args: []argument{word("2")}},
	name + ".Revert":         {},
	name + ".ListModes":      {},
	name + ".CycleMode":      {args: []argument{word("1")}},
	name + ".HoldMode":       {args: []argument{text("Media"), text("a film"), text("org.example.Player")}, note: "It ends with the command: the connection does."},
	name + ".ReleaseMode":    {args: []argument{word("1")}, fails: "UnknownCookie", note: cookieNote},
	name + ".Pause":          {},
	name + ".Resume":         {},
	name + ".Inhibit":        {args: []argument{text("Player"), text("a film")}, note: "It ends with the command; `midimonctl inhibit -- CMD` lasts as long as CMD."},
	name + ".Uninhibit":      {args: []argument{word("1")}, fails: "UnknownCookie", note: cookieNote},
	name + ".ReportFocus":    {args: []argument{text("org.gimp.GIMP"), text("Untitled")}, note: "It ends with the command; who reports the focus keeps its connection."},
	name + ".Panic":          {},

	name + ".Mappings.List":       {args: []argument{{"1 mode s Media", `"{'mode': <'Media'>}"`}}},
	name + ".Mappings.Get":        {args: []argument{text("play")}},
	name + ".Mappings.Trigger":    {args: []argument{text("play")}},
	name + ".Mappings.SetEnabled": {args: []argument{text("play"), word("true")}},

	name + ".Monitor.Subscribe":     {args: []argument{noFilter}, private: true, note: "It ends with the command; `midimonctl monitor` keeps its connection."},
	name + ".Monitor.Unsubscribe":   {args: []argument{word("1")}, private: true, fails: "UnknownCookie", note: cookieNote},
	name + ".Monitor.EnableSignals": {args: []argument{word("10"), word("25"), {"1 device s LPD8", `"{'device': <'LPD8'>}"`}}},
	name + ".Monitor.Why":           {args: []argument{word("20")}},

	name + ".Statistics.Snapshot": {},
	name + ".Statistics.Reset":    {},

	name + ".Device.Reconnect":   {},
	name + ".Device.Identify":    {},
	name + ".Device.SendMessage": {args: []argument{{"3 0x90 36 127", `"[byte 0x90, 36, 127]"`}}, private: true},
}

// values are what the writable properties are set to.
var values = map[string]argument{
	name + ".Mode":                         text("Media"),
	name + ".Device.Enabled":               word("true"),
	"org.freedesktop.LogControl1.LogLevel": text("debug"),
}

// notes are on signals.
var notes = map[string]string{
	name + ".ModeHoldReleased": "It is sent to the holder alone; a monitor of the bus sees it all the same.",
}

// path is where an interface is.
func path(iface string) string {
	switch iface {
	case name + ".Device":
		return root + "/devices/LPD8"
	case "org.freedesktop.LogControl1":
		return "/org/freedesktop/LogControl1"
	}
	return root
}

// For is how to use a member of an interface. The shell's own way ends in the plain value as
// JSON, or says that it was done.
func For(iface, member string) Example {
	all, err := introspection.Load()
	i := all[iface]
	if err != nil || i == nil {
		return Example{}
	}
	full := iface + "." + member
	if n := slices.IndexFunc(i.Properties, func(p introspection.Property) bool { return p.Name == member }); n >= 0 {
		return ofProperty(i, &i.Properties[n])
	}
	if slices.ContainsFunc(i.Signals, func(m introspection.Method) bool { return m.Name == member }) {
		return ofSignal(iface, member, notes[full])
	}
	n := slices.IndexFunc(i.Methods, func(m introspection.Method) bool { return m.Name == member })
	s, ok := samples[full]
	if n < 0 || !ok {
		return Example{}
	}
	return ofMethod(iface, &i.Methods[n], &s)
}

const data = ` | sed 's/^.*"data"://; s/}$//'`

func ofProperty(i *introspection.Interface, p *introspection.Property) Example {
	at := fmt.Sprintf("%s %s %s %s", name, path(i.Name), i.Name, p.Name)
	gdbus := "gdbus call --session --dest " + name + " --object-path " + path(i.Name) + " --method org.freedesktop.DBus.Properties."
	e := Example{
		Kind:   "property",
		Busctl: "busctl --user get-property " + at,
		Gdbus:  gdbus + "Get " + i.Name + " " + p.Name,
		Shell:  "busctl --user --json=short get-property " + at + data,
	}
	if v, ok := values[i.Name+"."+p.Name]; ok {
		e.Busctl += "\nbusctl --user set-property " + at + " " + p.Type + " " + v.busctl
		value := strings.Trim(v.gdbus, "'")
		if p.Type == "s" {
			value = "'" + value + "'"
		}
		e.Gdbus += "\n" + gdbus + "Set " + i.Name + " " + p.Name + ` "<` + value + `>"`
	}
	return e
}

func ofMethod(iface string, m *introspection.Method, s *sample) Example {
	busctl, gdbus := "busctl --user", "gdbus call --session"
	if s.private {
		const address = "unix:path=$XDG_RUNTIME_DIR/midimon/bus"
		busctl, gdbus = `busctl --address="`+address+`"`, `gdbus call --address "`+address+`"`
	}
	at := fmt.Sprintf("call %s %s %s %s", name, path(iface), iface, m.Name)
	gdbus += fmt.Sprintf(" --dest %s --object-path %s --method %s.%s", name, path(iface), iface, m.Name)
	if in := m.In(); in != "" {
		at += " " + quote(in)
	}
	for _, a := range s.args {
		at += " " + a.busctl
		gdbus += " " + a.gdbus
	}
	e := Example{Kind: "method", Busctl: busctl + " " + at, Gdbus: gdbus, Fails: s.fails, Note: s.note}
	if m.Out() != "" {
		e.Shell = busctl + " --json=short " + at + data
	} else {
		e.Shell = "if " + busctl + " " + at + "; then echo done; fi"
	}
	return e
}

func ofSignal(iface, member, note string) Example {
	match := fmt.Sprintf(`"type='signal',interface='%s',member='%s'"`, iface, member)
	e := Example{
		Kind:   "signal",
		Busctl: "busctl --user monitor --match=" + match,
		Gdbus:  "gdbus monitor --session --dest " + name + " --object-path " + path(iface),
		Shell:  "dbus-monitor --session " + match + " | while read -r line; do echo \"$line\"; done",
		Note:   note,
	}
	if note != "" {
		e.Gdbus = ""
	}
	return e
}

// quote makes a word of the shell of a text.
func quote(s string) string {
	if s != "" && !strings.ContainsAny(s, " '\"$`\\(){}[]*?;&|<>#~=%!\n\t") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
