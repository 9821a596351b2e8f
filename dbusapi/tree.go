package dbusapi

import (
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

// lookup finds the object at path: its own interfaces first, then the standard ones. A path
// that only leads to objects has the standard ones.
func (s *Server) lookup(path dbus.ObjectPath, st *report.Status, private bool) (target, []*iface, bool) {
	i, t := &s.ifaces, target{status: st}
	switch {
	case path == RootPath:
		return t, []*iface{i.root, i.mappings, i.monitor, i.statistics, i.manager, i.props, i.introspect, i.peer}, true
	case path == logPath && i.log != nil:
		return t, []*iface{i.log, i.props, i.introspect, i.peer}, true
	case path == busPath && private:
		return t, []*iface{i.driver, i.introspect, i.peer}, true
	}
	if label, ok := strings.CutPrefix(string(path), string(devicesPath)+"/"); ok {
		for n := range st.Devices {
			if escape(st.Devices[n].ID) == label {
				t.device = &st.Devices[n]
				return t, []*iface{i.device, i.props, i.introspect, i.peer}, true
			}
		}
		return t, nil, false
	}
	if path == "/" || path == devicesPath || len(s.below(path, st, private)) > 0 {
		return t, []*iface{i.introspect, i.peer}, true
	}
	return t, nil, false
}

// below names the nodes directly under path, sorted.
func (s *Server) below(path dbus.ObjectPath, st *report.Status, private bool) []string {
	all := []dbus.ObjectPath{devicesPath}
	if s.ifaces.log != nil {
		all = append(all, logPath)
	}
	if private {
		all = append(all, busPath)
	}
	for i := range st.Devices {
		all = append(all, DevicePath(st.Devices[i].ID))
	}
	prefix := strings.TrimSuffix(string(path), "/") + "/"
	var names []string
	for _, p := range all {
		if rest, ok := strings.CutPrefix(string(p), prefix); ok {
			name, _, _ := strings.Cut(rest, "/")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

const docType = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`

// describe is the introspection data of the object at path, which is there.
func (s *Server) describe(path dbus.ObjectPath, st *report.Status, private bool) string {
	_, ifaces, _ := s.lookup(path, st, private)
	size := 1 << 10 // of what is no interface, mostly
	for _, i := range ifaces {
		size += len(i.spec.XML)
	}
	var out strings.Builder
	out.Grow(size)
	out.WriteString(docType + "<node>\n")
	for _, i := range ifaces {
		out.WriteString(i.spec.XML)
	}
	for _, name := range s.below(path, st, private) {
		out.WriteString("  <node name=\"" + name + "\"/>\n")
	}
	out.WriteString("</node>\n")
	return out.String()
}
