package dbusapi

import (
	"context"
	"fmt"
	"reflect"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/introspection"
)

// A target is what a member is asked of: the daemon at one instant and, below devices/, one
// of its devices.
type target struct {
	status *report.Status
	device *report.Device
}

// An iface is one interface as Go has it. Its tables must say the same as the XML.
type iface struct {
	spec    *introspection.Interface
	methods map[string]any // func(context.Context, *call, args...) (results..., error)
	slow    []string       // methods that may take long: they are done beside the others' calls
	props   map[string]property
	signals map[string]signal
}

// A signal makes the arguments of one from an event, and of an empty event when it is
// checked. Signals that no event causes give a sample.
type signal func(report.Event) []any

// check compares the tables with the XML: every member on either side, every signature.
func (i *iface) check() error {
	methods, props, signals := i.spec.Methods, i.spec.Properties, i.spec.Signals
	if len(methods) != len(i.methods) || len(props) != len(i.props) || len(signals) != len(i.signals) {
		return fmt.Errorf("cannot export %s: Go has %d methods, %d properties, %d signals; XML %d, %d, %d",
			i.spec.Name, len(i.methods), len(i.props), len(i.signals), len(methods), len(props), len(signals))
	}
	differ := func(member, inGo, inXML string) error {
		return fmt.Errorf("cannot export %s.%s: %q in Go, %q in XML", i.spec.Name, member, inGo, inXML)
	}
	for _, m := range methods {
		want := m.In() + " -> " + m.Out()
		if got := methodSignature(i.methods[m.Name]); got != want {
			return differ(m.Name, got, want)
		}
	}
	for _, p := range props {
		mine, ok := i.props[p.Name]
		if !ok {
			return differ(p.Name, "", p.Type)
		}
		access := "read"
		if mine.set != nil {
			access = "readwrite"
		}
		sample := mine.get(target{&report.Status{}, &report.Device{}})
		got, want := dbus.SignatureOf(sample).String()+" "+access, p.Type+" "+p.Access
		if got != want {
			return differ(p.Name, got, want)
		}
	}
	for _, s := range signals {
		mine, ok := i.signals[s.Name]
		if !ok {
			return differ(s.Name, "", s.In())
		}
		if got := dbus.SignatureOf(mine(report.Event{Reload: &report.Reload{}})...).String(); got != s.In() {
			return differ(s.Name, got, s.In())
		}
	}
	return nil
}

var (
	contextType = reflect.TypeFor[context.Context]()
	callType    = reflect.TypeFor[*call]()
	errorType   = reflect.TypeFor[error]()
)

// methodSignature is "in -> out" of a method of a table, or what is wrong with it.
func methodSignature(method any) string {
	t := reflect.TypeOf(method)
	if t == nil {
		return ""
	}
	last := t.NumOut() - 1
	if t.NumIn() < 2 || t.In(0) != contextType || t.In(1) != callType || last < 0 || t.Out(last) != errorType {
		return t.String()
	}
	in, out := "", ""
	for n := 2; n < t.NumIn(); n++ {
		in += dbus.SignatureOfType(t.In(n)).String()
	}
	for n := range last {
		out += dbus.SignatureOfType(t.Out(n)).String()
	}
	return in + " -> " + out
}

// invoke calls a method of a table. The arguments' signature is known to fit.
func invoke(ctx context.Context, method any, c *call) ([]any, error) {
	f := reflect.ValueOf(method)
	in := []reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(c)}
	for n, arg := range c.body {
		want := f.Type().In(n + 2)
		if v := reflect.ValueOf(arg); v.Type() == want { // basic types come as they are wanted
			in = append(in, v)
			continue
		}
		to := reflect.New(want)
		if err := dbus.Store([]any{arg}, to.Interface()); err != nil {
			return nil, errInvalidArgs("cannot take argument %d: %v", n+1, err)
		}
		in = append(in, to.Elem())
	}
	out := f.Call(in)
	last := len(out) - 1
	if err, _ := out[last].Interface().(error); err != nil {
		return nil, err
	}
	results := make([]any, last)
	for n := range results {
		results[n] = out[n].Interface()
	}
	return results, nil
}

// in is the signature of what a method takes.
func (i *iface) in(method string) string {
	for n := range i.spec.Methods {
		if m := &i.spec.Methods[n]; m.Name == method {
			return m.In()
		}
	}
	return ""
}
