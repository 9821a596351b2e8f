//go:build linux

package tray

import (
	"context"
	"encoding/xml"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/introspect"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// A panel is a watcher that remembers who registered.
type panel struct {
	t     *testing.T
	conn  *dbus.Conn
	items chan string // names
}

func newPanel(t *testing.T, address string) *panel {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p := &panel{t, conn, make(chan string, 8)}
	table := map[string]any{"RegisterStatusNotifierItem": func(service string) *dbus.Error {
		p.items <- service
		return nil
	}}
	if err := conn.ExportMethodTable(table, watcherPath, watcher); err != nil {
		t.Fatal(err)
	}
	p.come()
	return p
}

func (p *panel) come() {
	p.t.Helper()
	if r, err := p.conn.RequestName(watcher, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		p.t.Fatal(r, err)
	}
}

// item waits for one that registers, and returns its name on the bus.
func (p *panel) item(ctx context.Context) string {
	p.t.Helper()
	select {
	case name := <-p.items:
		return name
	case <-ctx.Done():
		p.t.Fatal("nobody registers")
		return ""
	}
}

func (p *panel) layout(name string) layout {
	p.t.Helper()
	var revision uint32
	var l layout
	if err := p.conn.Object(name, menuPath).Call(menuIface+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &l); err != nil {
		p.t.Fatal(err)
	}
	return l
}

func run(ctx context.Context, t *testing.T, b *bus.Bus) (faces chan Face) {
	t.Helper()
	faces = make(chan Face)
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- Run(ctx, b, faces, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return faces
}

// The panel comes after the icon, goes and comes back, and the bus too. Nobody is started for it.
func TestAPanelThatComesAndGoes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), desktoptest.Limit)
	defer cancel()
	services := t.TempDir()
	started := filepath.Join(services, "started")
	service := "[D-BUS Service]\nName=" + watcher + "\nExec=/bin/sh -c 'echo >" + started + "'\n"
	if err := os.WriteFile(filepath.Join(services, "watcher.service"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	d := desktoptest.New(t, "<servicedir>"+services+"</servicedir>")
	address := d.Getenv("DBUS_SESSION_BUS_ADDRESS")
	b := bus.Session(d.Getenv)
	defer b.Close()
	faces := run(ctx, t, b)
	chosen := make(chan string, 1)
	entry := func(title string) Entry {
		return Entry{Key: title, Title: title, Do: func() { chosen <- title }}
	}
	faces <- Face{State: "running", Tooltip: "one", Menu: []Entry{entry("a"), entry("b")}}
	p := newPanel(t, address)
	first := p.item(ctx)
	l := p.layout(first)
	if len(l.Children) != 2 {
		t.Fatalf("%d entries", len(l.Children))
	}
	changes := make(chan *dbus.Signal, 16)
	p.conn.Signal(changes)
	if err := p.conn.AddMatchSignal(dbus.WithMatchSender(first)); err != nil {
		t.Fatal(err)
	}

	// Changes are told, each by what is for it.
	next := func(want string) *dbus.Signal {
		t.Helper()
		for {
			select {
			case s := <-changes:
				if s.Name == "org.freedesktop.DBus.NameAcquired" || s.Sender != first {
					continue
				}
				if s.Name != want {
					t.Fatalf("told %s, want %s", s.Name, want)
				}
				return s
			case <-ctx.Done():
				t.Fatalf("nobody told of %s", want)
			}
		}
	}
	faces <- Face{State: "paused", Tooltip: "two", Menu: []Entry{entry("a"), entry("c")}}
	next(itemIface + ".NewIcon")
	next(itemIface + ".NewToolTip")
	revision, _ := next(menuIface + ".LayoutUpdated").Body[0].(uint32)
	if revision != 2 {
		t.Errorf("revision %d, want 2", revision)
	}
	disabled := entry("a")
	disabled.Disabled = true
	faces <- Face{State: "paused", Tooltip: "two", Menu: []Entry{disabled, entry("c")}}
	next(menuIface + ".ItemsPropertiesUpdated")

	// A click means what was seen: what is not there any more does nothing, nor does what is disabled.
	click := func(n int) error {
		var child layout
		if err := dbus.Store([]any{l.Children[n].Value()}, &child); err != nil {
			t.Fatal(err)
		}
		return p.conn.Object(first, menuPath).Call(menuIface+".Event", 0, child.ID, clicked, dbus.MakeVariant(""), uint32(0)).Err
	}
	if err := click(1); err == nil {
		t.Error("an entry that is gone can be chosen")
	}
	if err := click(0); err != nil {
		t.Error(err)
	}
	if len(chosen) > 0 {
		t.Errorf("%s was chosen", <-chosen)
	}
	l = p.layout(first)
	if err := click(1); err != nil {
		t.Error(err)
	}
	if got := <-chosen; got != "c" {
		t.Errorf("%s was chosen, want c", got)
	}

	// The panel goes and another comes.
	if _, err := p.conn.ReleaseName(watcher); err != nil {
		t.Fatal(err)
	}
	faces <- Face{State: "running", Tooltip: "three", Menu: []Entry{entry("a")}}
	p.come()
	if again := p.item(ctx); again != first {
		t.Errorf("it registers as %s, was %s", again, first)
	}

	// So does the bus.
	_ = p.conn.Close()
	d.RestartBus()
	p = newPanel(t, address)
	if l := p.layout(p.item(ctx)); len(l.Children) != 1 {
		t.Errorf("%d entries on the new bus", len(l.Children))
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("a panel was started")
	}
}

// What is offered is what the contract says, no less and no more.
func TestContract(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), desktoptest.Limit)
	defer cancel()
	d := desktoptest.New(t)
	b := bus.Session(d.Getenv)
	defer b.Close()
	faces := run(ctx, t, b)
	p := newPanel(t, d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	faces <- Face{State: "running", Tooltip: "tip", Menu: []Entry{{Key: "a", Title: "a_", Menu: []Entry{{Key: "b", Title: "b"}}}}}
	name := p.item(ctx)
	for path, iface := range map[dbus.ObjectPath]string{itemPath: itemIface, menuPath: menuIface} {
		o := p.conn.Object(name, path)
		var text string
		if err := o.Call(introspectIface+".Introspect", 0).Store(&text); err != nil {
			t.Fatal(err)
		}
		var node introspect.Node
		if err := xml.Unmarshal([]byte(text), &node); err != nil {
			t.Fatal(err)
		}
		var all map[string]dbus.Variant
		if err := o.Call(propertiesIface+".GetAll", 0, iface).Store(&all); err != nil {
			t.Fatal(err)
		}
		if len(all) != len(node.Interfaces[0].Properties) {
			t.Errorf("%s: %d properties, the contract has %d", iface, len(all), len(node.Interfaces[0].Properties))
		}
		for _, property := range node.Interfaces[0].Properties {
			v, err := o.GetProperty(iface + "." + property.Name)
			if _, ok := all[property.Name]; err != nil || v.Signature().String() != property.Type || !ok {
				t.Errorf("%s.%s: %v, %v, want type %s", iface, property.Name, v.Signature(), err, property.Type)
			}
		}
		for _, m := range node.Interfaces[0].Methods {
			var args, results []any
			for _, a := range m.Args {
				if a.Direction == "out" {
					results = append(results, map[string]any{
						"u": new(uint32), "b": new(bool), "v": new(dbus.Variant), "ai": new([]int32), "(ia{sv}av)": new(layout), "a(ia{sv})": new([]updated),
					}[a.Type])
					continue
				}
				args = append(args, map[string]any{
					"i": int32(0), "u": uint32(0), "s": "label", "as": []string{}, "ai": []int32{0, 77}, "v": dbus.MakeVariant(""),
					"a(isvu)": []occurrence{{ID: 0, Kind: clicked, Data: dbus.MakeVariant("")}, {ID: 77, Kind: clicked, Data: dbus.MakeVariant("")}},
				}[a.Type])
			}
			if m.Name == "GetProperty" {
				args[0] = int32(1)
			}
			call := o.Call(iface+"."+m.Name, 0, args...)
			if err := call.Store(results...); err != nil || len(call.Body) != len(results) {
				t.Errorf("%s.%s: %v, %v", iface, m.Name, err, call.Body)
			}
		}
		for call, args := range map[string][]any{
			propertiesIface + ".Get": {iface, "Nothing"}, propertiesIface + ".GetAll": {"org.example.Nothing"},
			propertiesIface + ".Set": {iface, "Status", dbus.MakeVariant("Passive")}, itemIface + ".Activate": {int32(1), int32(1)},
			menuIface + ".GetLayout": {int32(77), int32(-1), []string{}}, menuIface + ".GetProperty": {int32(1), "nothing"},
			menuIface + ".Event": {int32(77), clicked, dbus.MakeVariant(""), uint32(0)}, menuIface + ".AboutToShow": {int32(77)},
			menuIface + ".EventGroup": {[]occurrence{{ID: 77, Kind: clicked, Data: dbus.MakeVariant("")}}},
		} {
			if o.Call(call, 0, args...).Err == nil {
				t.Errorf("%s %v is answered", call, args)
			}
		}
	}
	l := p.layout(name)
	var one struct {
		Revision uint32
		Layout   layout
	}
	if err := p.conn.Object(name, menuPath).Call(menuIface+".GetLayout", 0, int32(0), int32(0), []string{"label"}).Store(&one.Revision, &one.Layout); err != nil {
		t.Fatal(err)
	}
	if len(l.Children) != 1 || len(one.Layout.Children) != 0 || len(one.Layout.Props) != 0 {
		t.Errorf("%+v; without what is below %+v", l, one.Layout)
	}
}

// Answers come in the order of the calls.
func TestOrder(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), desktoptest.Limit)
	defer cancel()
	d := desktoptest.New(t)
	b := bus.Session(d.Getenv)
	defer b.Close()
	faces := run(ctx, t, b)
	p := newPanel(t, d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	faces <- Face{State: "running", Menu: []Entry{{Key: "a", Title: "a", Menu: []Entry{{Key: "b", Title: "b"}}}}}
	menu := p.conn.Object(p.item(ctx), menuPath)
	const n = 100 // the bus lets no client have more than 128 open
	answers := make(chan *dbus.Call, n)
	asked := make([]*dbus.Call, n)
	for i := range asked {
		asked[i] = menu.Go(menuIface+".GetGroupProperties", 0, answers, []int32{int32(i % 3)}, []string{})
	}
	for i := range asked {
		select {
		case c := <-answers:
			if c != asked[i] || c.Err != nil {
				t.Fatalf("answer %d is that to another call, or %v", i, c.Err)
			}
		case <-ctx.Done():
			t.Fatalf("%d answers", i)
		}
	}
}

func TestNoBus(t *testing.T) {
	err := Run(t.Context(), bus.New(""), nil, slog.New(slog.DiscardHandler))
	if !errors.Is(err, bus.ErrAbsent) {
		t.Error(err)
	}
}
