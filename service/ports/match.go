package ports

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// port is a port that is there, and the driver that found it.
type port struct {
	report.Port
	driver *driver
}

// key tells ports apart while they are there.
type key struct {
	driver *driver
	addr   uint32
}

func (p *port) key() key { return key{p.driver, p.Addr} }

// instrument tells the things apart that ports belong to.
func (p *port) instrument() string {
	if p.USB == "" && p.Serial == "" && p.Path == "" {
		return "name:" + p.Client
	}
	id := "usb:" + p.USB
	switch {
	case p.driver.Name() == rawKind:
		return "raw:" + p.Path
	case p.USB == "":
		id = "name:" + p.Client
	}
	if p.Serial != "" {
		id += ":" + p.Serial
	}
	if p.Path != "" {
		id += " path:" + p.Path
	}
	return id
}

// id is stable for the same instrument: by its serial number if it has one, else by where it
// is plugged in, else by its name.
func (p *port) id() string {
	if p.USB != "" && p.Serial != "" && p.driver.Name() != rawKind {
		return "usb:" + p.USB + ":" + p.Serial
	}
	return p.instrument()
}

// stanza is the match of a configuration that means this instrument and no other one.
func (p *port) stanza(serials bool) string {
	switch {
	case p.driver.Name() == rawKind:
		return "raw:" + p.Path
	case p.USB == "":
		return "name:" + p.Client
	case serials && p.Serial != "":
		return "usb:" + p.USB + " serial:" + p.Serial
	case p.Path != "":
		return "usb:" + p.USB + " path:" + p.Path
	}
	return "usb:" + p.USB + " name:" + p.Client
}

// fits says whether a port has all keys of a match.
func fits(m engine.Match, p *port) bool {
	raw := p.driver.Name() == rawKind
	for _, k := range m {
		ok := false
		switch k.Kind {
		case engine.MatchSerial:
			ok = p.Serial == k.Value
		case engine.MatchUSB:
			ok = strings.EqualFold(p.USB, k.Value)
		case engine.MatchPath:
			ok = !raw && p.Path == k.Value
		case engine.MatchName:
			ok = glob(k.Value, p.Name) || glob(k.Value, p.Client)
		case engine.MatchRaw:
			ok = raw && p.Path == k.Value
		case engine.MatchContains:
			ok = strings.Contains(p.Name, k.Value) || strings.Contains(p.Client, k.Value)
		case engine.MatchAny:
			ok = p.Hard
		}
		if !ok {
			return false
		}
	}
	return len(m) > 0
}

// glob is path.Match for names, in which a slash is a character like others.
func glob(pattern, name string) bool {
	const other = "\x00"
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", other), strings.ReplaceAll(name, "/", other))
	return ok && err == nil
}

// verdict is which ports a device of the program means.
type verdict struct {
	ports []*port // In or Out; none: the device is absent, or see clash
	clash string  // several instruments fit: how to tell them apart
}

// match finds each device among the ports. Devices come in the order of the file; what one
// has is not there for the next. Wanted says which are to be found at all. Clashing has the
// match that means only it for each instrument that some device could not choose.
func match(devices []engine.Device, wanted func(i int) bool, ports []*port) (verdicts []verdict, clashing map[string]string) {
	verdicts, clashing = make([]verdict, len(devices)), map[string]string{}
	taken := map[key]bool{}
	for i := range devices {
		if !wanted(i) {
			continue
		}
		v := &verdicts[i]
		v.ports, v.clash = choose(&devices[i], ports, taken, clashing)
		for _, p := range v.ports {
			taken[p.key()] = true
		}
	}
	return verdicts, clashing
}

// choose takes the first alternative that fits anything.
func choose(d *engine.Device, ports []*port, taken map[key]bool, clashing map[string]string) ([]*port, string) {
	for _, m := range d.Match {
		var found []*port
		first := map[string]*port{} // of each instrument that sends
		for _, p := range ports {
			if taken[p.key()] || !fits(m, p) {
				continue
			}
			found = append(found, p)
			if id := p.instrument(); p.In && first[id] == nil {
				first[id] = p
			}
		}
		switch {
		case len(first) == 0:
			continue
		case len(first) == 1 || slices.ContainsFunc(m, func(k engine.MatchKey) bool { return k.Kind == engine.MatchAny }):
			return slices.DeleteFunc(found, func(p *port) bool { return first[p.instrument()] == nil }), ""
		}
		return nil, clash(first, clashing)
	}
	return nil, ""
}

// clash says how to tell instruments apart.
func clash(first map[string]*port, clashing map[string]string) string {
	serials := map[string]bool{}
	for _, p := range first {
		serials[p.Serial] = true
	}
	apart := len(serials) == len(first) // else they share one, or have none
	var stanzas []string
	for id, p := range first {
		s := fmt.Sprintf("match = %q", p.stanza(apart))
		clashing[id] = s
		stanzas = append(stanzas, s)
	}
	slices.Sort(stanzas)
	return fmt.Sprintf("%d instruments fit; write %s", len(first), strings.Join(stanzas, " or "))
}

// byName orders ports for people.
func byName(a, b *port) int {
	return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Name, b.Name))
}
