//go:build linux

package buscall_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/buscall"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

const (
	name  = "org.example.Peer"
	iface = "org.example.Peer1"
	limit = 20 * time.Second
)

// service is somebody to be called. It says what came, as "Member signature body".
type service struct {
	conn  *dbus.Conn
	came  chan string
	asked chan string // the paths that were asked to describe themselves
}

// serve takes the name, and describes itself with that text.
func serve(t *testing.T, d *desktoptest.Desktop, describes string) *service {
	t.Helper()
	conn, err := dbus.Connect(d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	s := &service{conn: conn, came: make(chan string, 100), asked: make(chan string, 100)}
	t.Cleanup(s.leave)
	calls := make(chan *dbus.Message, 100)
	conn.Eavesdrop(calls) // before anybody can know of us; from here on no call of our own returns
	conn.BusObject().Go("org.freedesktop.DBus.RequestName", 0, make(chan *dbus.Call, 1), name, uint32(dbus.NameFlagDoNotQueue))
	for m := range calls {
		if m.Type == dbus.TypeMethodReply {
			break
		}
	}
	go func() {
		for m := range calls {
			if m.Type == dbus.TypeMethodCall {
				s.answer(m, describes)
			}
		}
	}()
	return s
}

// leave takes it off the bus. The library closes the channel of Eavesdrop, and may yet send on it.
func (s *service) leave() {
	s.conn.Eavesdrop(nil)
	_ = s.conn.Close()
}

func (s *service) answer(m *dbus.Message, describes string) {
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	reply := bus.Reply(m)
	switch {
	case member == "Introspect" && describes == "hang", member == "Never":
		return
	case member == "Introspect" && describes != "":
		reply = bus.Reply(m, describes)
	case member == "Introspect", member == "Fail":
		reply = bus.Refusal(m, "org.example.Error.No", "not today")
	}
	if member == "Introspect" {
		s.asked <- fmt.Sprint(m.Headers[dbus.FieldPath].Value())
	} else {
		signature := ""
		if g, ok := m.Headers[dbus.FieldSignature].Value().(dbus.Signature); ok {
			signature = g.String()
		}
		var body []string
		for _, v := range m.Body {
			body = append(body, fmt.Sprint(v))
		}
		s.came <- strings.TrimSpace(member + " " + signature + " " + strings.Join(body, " "))
	}
	s.conn.Send(reply, nil)
}

func (s *service) gets(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-s.came:
		if got != want {
			t.Errorf("it got %q, want %q", got, want)
		}
	case <-time.After(limit):
		t.Fatalf("nothing came, want %q", want)
	}
}

// methods describes the interface with methods that take these.
func methods(takes map[string]string) string {
	var b strings.Builder
	b.WriteString(`<node><interface name="` + iface + `">`)
	for member, signature := range takes {
		b.WriteString(`<method name="` + member + `">`)
		for one := range strings.FieldsSeq(signature) {
			b.WriteString(`<arg type="` + one + `" direction="in"/>`)
		}
		b.WriteString("</method>")
	}
	return b.String() + "</interface></node>"
}

// stage is a backend on a bus.
type stage struct {
	*buscall.Backend
	*desktoptest.Desktop
	t      *testing.T
	failed chan string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	d := desktoptest.New(t)
	session := bus.Session(d.Getenv)
	t.Cleanup(session.Close)
	s := &stage{Backend: buscall.New(session, bus.New("")), Desktop: d, t: t, failed: make(chan string, 4096)}
	s.Defer(func(_ effect.Effect, err error) { s.failed <- err.Error() })
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) do(member string, level float64, args ...any) {
	s.t.Helper()
	if err := s.Do(call(member, level, args...)); err != nil {
		s.t.Fatal(err)
	}
}

func call(member string, level float64, args ...any) *effect.Effect {
	return &effect.Effect{Level: level, Action: &effect.DBusCall{Destination: name, Path: "/org/example/Peer", Interface: iface, Member: member, Args: args}}
}

func (s *stage) fails(want string) {
	s.t.Helper()
	select {
	case got := <-s.failed:
		if !strings.Contains(got, want) {
			s.t.Errorf("failed because %q, want %q", got, want)
		}
	case <-time.After(limit):
		s.t.Fatalf("nothing failed, want %q", want)
	}
}

func TestCalls(t *testing.T) {
	s := newStage(t)
	takes := map[string]string{
		"Nothing": "", "Text": "s", "Byte": "y", "Bool": "b", "Numbers": "n q i u x t d", "Path": "o", "Signature": "g", "Texts": "as", "Bytes": "ay",
		"Dict": "a{sv}", "Pairs": "a(si)", "Deep": "a{sa{ix}}", "Struct": "(s(ib))", "Variant": "v", "Mixed": "s as a{sv} u", "Fail": "s", "File": "h",
	}
	peer := serve(t, s.Desktop, methods(takes))
	control := &effect.Value{Max: 100}
	for _, c := range []struct {
		member string
		level  float64
		args   []any
		want   string
	}{
		{"Nothing", 0, nil, "Nothing"},
		{"Text", 0, []any{"a b"}, "Text s a b"},
		{"Byte", 0, []any{int64(200)}, "Byte y 200"},
		{"Bool", 0, []any{true}, "Bool b true"},
		{
			"Numbers", 0,
			[]any{int64(-1), int64(2), int64(-3), int64(4), int64(-5), int64(6), 7.5},
			"Numbers nqiuxtd -1 2 -3 4 -5 6 7.5",
		},
		{"Path", 0, []any{"/a/b"}, "Path o /a/b"},
		{"Signature", 0, []any{"a{sv}"}, "Signature g a{sv}"},
		{"Texts", 0, []any{[]any{"a", "b"}}, "Texts as [a b]"},
		{"Bytes", 0, []any{"ab"}, "Bytes ay [97 98 0]"},
		{"Dict", 0, []any{map[string]any{"k": int64(1)}}, "Dict a{sv} map[k:1]"},
		{"Pairs", 0, []any{[]any{[]any{"a", int64(1)}}}, "Pairs a(si) [[a 1]]"},
		{"Deep", 0, []any{map[string]any{"k": map[string]any{"-7": int64(8)}}}, "Deep a{sa{ix}} map[k:map[-7:8]]"},
		{"Struct", 0, []any{[]any{"a", []any{int64(1), true}}}, "Struct (s(ib)) [a [1 true]]"},
		{"Variant", 0, []any{[]any{"a"}}, `Variant v ["a"]`},
		{"Mixed", 64.6, []any{"a", []any{}, map[string]any{}, control}, "Mixed sasa{sv}u a [] map[] 65"},
	} {
		s.do(c.member, c.level, c.args...)
		got := ""
		select {
		case got = <-peer.came:
		case f := <-s.failed:
			t.Fatalf("%s failed: %s", c.member, f)
		case <-time.After(limit):
			t.Fatalf("%s did not come", c.member)
		}
		if got != c.want {
			t.Errorf("it got %q, want %q", got, c.want)
		}
	}
	if n := len(peer.asked); n > 2 { // once, and once more if that was before its name was known
		t.Errorf("it was asked %d times to describe itself", n)
	}
	s.do("Byte", 0, int64(256))
	s.fails(iface + ".Byte: argument 1: 256 is not within 0 to 255 (type y)")
	s.do("Text", 0)
	s.fails("it takes 1 argument, not 0")
	s.do("Nonsense", 0)
	s.fails("has no method Nonsense; it has Bool, Byte,")
	s.do("File", 0, int64(1))
	s.fails("nothing of type h")
	s.do("Fail", 0, "x")
	s.fails(iface + ".Fail: org.example.Error.No: not today")
	peer.gets(t, "Fail s x")
}

// TestAnotherOwner: who has the name now may take something else.
func TestAnotherOwner(t *testing.T) {
	s := newStage(t)
	s.do("Go", 0, int64(1))
	s.fails("org.freedesktop.DBus.Error.ServiceUnknown")
	first := serve(t, s.Desktop, methods(map[string]string{"Go": "i"}))
	s.do("Go", 0, int64(1))
	first.gets(t, "Go i 1")
	first.leave()
	second := serve(t, s.Desktop, methods(map[string]string{"Go": "u"}))
	// The bus tells us of the change before or after it tells the service that it has the name.
	desktoptest.Until(t, "a call as the new one wants it", func() bool {
		s.do("Go", 0, int64(1))
		return <-second.came == "Go u 1"
	})
}

// TestSilentPeer: one that does not describe itself is called with arguments as they are.
func TestSilentPeer(t *testing.T) {
	s := newStage(t)
	peer := serve(t, s.Desktop, "")
	s.do("Go", 0.5, "a", int64(1), &effect.Value{Max: 1}, true)
	peer.gets(t, "Go sidb a 1 0.5 true")
}

// TestOrder: calls to one peer come in the order in which they were made.
func TestOrder(t *testing.T) {
	s := newStage(t)
	peer := serve(t, s.Desktop, methods(map[string]string{"Go": "i"}))
	for i := range 12 {
		s.do("Go", 0, int64(i))
	}
	for i := range 12 {
		peer.gets(t, fmt.Sprintf("Go i %d", i))
	}
}

// TestHangingPeer: it keeps calls to nobody else waiting, and not us.
func TestHangingPeer(t *testing.T) {
	s := newStage(t)
	serve(t, s.Desktop, "hang")
	var full error
	for range 40 {
		if full = s.Do(call("Go", 0)); full != nil {
			break
		}
	}
	if full == nil || !strings.Contains(full.Error(), "does not keep up") {
		t.Errorf("%v", full)
	}
	x := &effect.Effect{Action: &effect.DBusCall{
		Destination: "org.freedesktop.DBus", Path: "/", Interface: "org.freedesktop.DBus", Member: "NameHasOwner", Args: []any{int64(1)},
	}}
	// Who hangs is waited for for 10 s, each time. The quickest counts: a busy machine delays some.
	const rounds, waits = 3, 10 * time.Second
	quickest := waits
	for range rounds {
		began := time.Now()
		if err := s.Do(x); err != nil {
			t.Fatal(err)
		}
		s.fails("argument 1: must be a text (type s), not 1")
		quickest = min(quickest, time.Since(began))
	}
	t.Logf("a call to another takes %v", quickest)
	if quickest == waits {
		t.Error("a call to another waits for who hangs")
	}
}

// TestCallsThatNobodyAnswers: so many may wait for their answer, and what is more fails.
func TestCallsThatNobodyAnswers(t *testing.T) {
	s := newStage(t)
	peer := serve(t, s.Desktop, methods(map[string]string{"Never": "", "Go": ""}))
	s.do("Go", 0)
	peer.gets(t, "Go")
	desktoptest.Until(t, "too many calls", func() bool {
		for range 128 { // more than what may wait, so that a busy machine gets there before the first is given up
			if err := s.Do(call("Never", 0)); err != nil { // its queue is full: that is another thing
				break
			}
		}
		for len(s.failed) > 0 {
			if strings.Contains(<-s.failed, "64 calls wait for their answer") {
				return true
			}
		}
		return false
	})
}

func TestNoBus(t *testing.T) {
	none := buscall.New(bus.New(""), bus.New(""))
	if err := none.Open(t.Context()); err == nil {
		t.Error("nothing was opened")
	}
	if c := none.Detect(t.Context()); c.Name != "dbus" || c.Status != report.Warning {
		t.Errorf("%+v", c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := none.Await(ctx); err == nil {
		t.Error("there is a bus")
	}

	s := newStage(t)
	x := call("Go", 0)
	x.Action.(*effect.DBusCall).System = true //nolint:forcetypeassert // call made it
	if err := s.Do(x); err != nil {
		t.Fatal(err)
	}
	s.fails("there is no message bus")
}

// The same name on both buses, which a bus of the tests' own is as the system's.
func TestEachBusHasItsOwn(t *testing.T) {
	desk, machine := desktoptest.New(t), desktoptest.New(t)
	session := bus.Session(desk.Getenv)
	system := bus.System(func(name string) string {
		if name == "DBUS_SYSTEM_BUS_ADDRESS" {
			return machine.Getenv("DBUS_SESSION_BUS_ADDRESS")
		}
		return ""
	})
	t.Cleanup(session.Close)
	t.Cleanup(system.Close)
	s := &stage{Backend: buscall.New(session, system), Desktop: desk, t: t, failed: make(chan string, 4096)}
	s.Defer(func(_ effect.Effect, err error) { s.failed <- err.Error() })
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if c := s.Detect(t.Context()); c.Status != report.OK || c.Message != "calls on the session's bus; calls on the system's bus" {
		t.Errorf("%+v", c)
	}
	here, there := serve(t, desk, methods(map[string]string{"Go": "u"})), serve(t, machine, methods(map[string]string{"Go": "d", "Fail": ""}))
	s.do("Go", 0, int64(7))
	here.gets(t, "Go u 7")
	for _, member := range []string{"Go", "Fail"} {
		x := call(member, 0)
		a := x.Action.(*effect.DBusCall) //nolint:forcetypeassert // call made it
		if a.System = true; member == "Go" {
			a.Args = []any{int64(7)}
		}
		if err := s.Do(x); err != nil {
			t.Fatal(err)
		}
	}
	there.gets(t, "Go d 7")
	there.gets(t, "Fail")
	s.fails("org.example.Error.No")
	if len(here.came) > 0 {
		t.Errorf("the session's got %q", <-here.came)
	}
}

func TestBusIsLost(t *testing.T) {
	d := desktoptest.New(t)
	session := bus.Session(d.Getenv)
	b := buscall.New(session, bus.New(""))
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	session.Close()
	select {
	case <-b.Lost():
	case <-time.After(limit):
		t.Fatal("the loss is not noticed")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Await(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	s := newStage(t)
	action := func(member string, args ...any) effect.Action { return call(member, 0, args...).Action }
	p := &engine.Program{
		Mappings: []engine.Mapping{
			{Origin: effect.Origin{ID: "good"}, Enabled: true, Action: action("Go", int64(1))},
			{Origin: effect.Origin{ID: "off"}, Action: action("Go", "x")},
			{Origin: effect.Origin{ID: "bad"}, Enabled: true, Action: &effect.Sequence{Actions: []effect.Action{action("Go", int64(1)), action("Go", "x")}}},
			{Origin: effect.Origin{ID: "value"}, Enabled: true, Action: action("Byte", &effect.Value{Max: 256})},
		},
		Modes: []engine.Mode{{Enter: &engine.Mapping{Origin: effect.Origin{ID: "enter"}, Action: action("Went")}}},
	}
	told := make(chan []report.Check, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Check(ctx, p, func(rows []report.Check) { told <- rows })
	}()
	says := func(want ...string) {
		t.Helper()
		select {
		case rows := <-told:
			var got []string
			for _, r := range rows {
				if r.Status != report.Warning {
					t.Errorf("%+v", r)
				}
				got = append(got, r.Name+": "+r.Message)
			}
			if !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Errorf("told %q\nwant %q", got, want)
			}
		case <-time.After(limit):
			t.Fatalf("nothing told, want %q", want)
		}
	}
	peer := serve(t, s.Desktop, methods(map[string]string{"Go": "i", "Byte": "y"}))
	says(
		"dbus-call:bad: the call of bad to org.example.Peer cannot work: org.example.Peer1.Go: argument 1: must be a number (type i), not a text",
		"dbus-call:enter: the call of enter to org.example.Peer cannot work: org.example.Peer1 has no method Went; it has Byte, Go",
		"dbus-call:value: the call of value to org.example.Peer cannot work: org.example.Peer1.Byte: argument 1: 256 is not within 0 to 255",
	)
	peer.leave()
	says()
	cancel()
	<-ended
}
