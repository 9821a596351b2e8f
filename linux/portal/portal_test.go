//go:build linux

package portal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// A desktop is a portal that behaves as a test wants: the calls are those of the documented interface.
type desktop struct {
	t       *testing.T
	conn    *dbus.Conn
	leave   func() // takes it off the bus
	version uint32

	calls chan string // each call and what is of interest of it
	hung  chan bool   // has a value: the next call is not answered
	start chan uint32 // how the next question is answered; who sends is the user
	given int         // how many permissions that last, of which the names count

	only    atomic.Pointer[uint32] // the devices that the user gives; nil: it does not say
	blind   atomic.Bool            // it has no portal for screens
	none    atomic.Bool            // the user chooses none
	sources bool                   // the session that is made is to have screens
}

// A stream is a screen that is shared.
type stream struct {
	Node uint32
	Is   options
}

func newDesktop(t *testing.T, version uint32) (*desktop, *Portal) {
	t.Helper()
	home := desktoptest.New(t)
	conn, err := dbus.Connect(home.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	d := &desktop{t: t, conn: conn, version: version, calls: make(chan string, 100), hung: make(chan bool, 1), start: make(chan uint32, 1)}
	if _, err := conn.RequestName(name, 0); err != nil {
		t.Fatal(err)
	}
	d.leave = bus.Serve(conn, 100, d.answer)
	t.Cleanup(d.leave)
	desk := bus.Session(home.Getenv)
	t.Cleanup(desk.Close)
	p := New(desk, filepath.Join(home.Dir, "state", "token"), filepath.Join(home.Dir, "midimon", "held"))
	p.wait = desktoptest.Limit
	return d, p
}

func (d *desktop) answer(m *dbus.Message) {
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	sender, _ := m.Headers[dbus.FieldSender].Value().(string)
	select {
	case <-d.hung:
		return
	default:
	}
	reply := func(body ...any) { d.conn.Send(bus.Reply(m, body...), nil) }
	place := root + dbus.ObjectPath("/%s/"+strings.ReplaceAll(sender[1:], ".", "_")+"/%s")
	respond := func(results options) {
		code := uint32(0)
		given, _ := m.Body[len(m.Body)-1].(options)
		path := dbus.ObjectPath(fmt.Sprintf(string(place), "request", given["handle_token"].Value()))
		reply(path)
		go func() {
			if member == "Start" {
				code = <-d.start
			}
			_ = d.conn.Emit(path, requested+".Response", code, results)
		}()
	}
	session := fmt.Sprintf(string(place), "session", "midimon")
	switch member {
	case "Get":
		reply(dbus.MakeVariant(d.version))
		return
	case "CreateSession":
		respond(options{"session_handle": dbus.MakeVariant(session)})
	case "SelectDevices":
		given, _ := m.Body[1].(options)
		restored, _ := given["restore_token"].Value().(string)
		member += fmt.Sprintf(" %v %v %q", given["types"].Value(), given["persist_mode"].Value(), restored)
		respond(options{})
	case "SelectSources":
		if d.blind.Load() {
			d.conn.Send(&dbus.Message{Type: dbus.TypeError, Headers: map[dbus.HeaderField]dbus.Variant{
				dbus.FieldReplySerial: dbus.MakeVariant(m.Serial()), dbus.FieldDestination: dbus.MakeVariant(sender),
				dbus.FieldErrorName: dbus.MakeVariant("org.freedesktop.DBus.Error.UnknownMethod"),
			}}, nil)
			break
		}
		given, _ := m.Body[1].(options)
		member += fmt.Sprintf(" %v %v", given["types"].Value(), given["multiple"].Value())
		d.sources = true
		respond(options{})
	case "Start":
		results := options{}
		if d.sources && !d.none.Load() {
			results["streams"] = dbus.MakeVariant(twoScreens())
		}
		d.sources = false
		if only := d.only.Load(); only != nil {
			results["devices"] = dbus.MakeVariant(*only)
		}
		if d.version >= persists {
			d.given++
			results["restore_token"] = dbus.MakeVariant(fmt.Sprintf("permission %d", d.given))
		}
		respond(results)
	default:
		member += fmt.Sprint(m.Body[2:])
		reply()
	}
	d.calls <- member
}

// close ends the session, as when the screen is locked.
func (d *desktop) close(p *Portal) {
	p.mu.Lock()
	session := p.session
	p.mu.Unlock()
	if err := d.conn.Emit(session, sessions+".Closed", options{}); err != nil {
		d.t.Error(err)
	}
}

func (d *desktop) wants(calls ...string) {
	d.t.Helper()
	for _, want := range calls {
		select {
		case got := <-d.calls:
			if got != want {
				d.t.Fatalf("called %s, want %s", got, want)
			}
		case <-time.After(desktoptest.Limit):
			d.t.Fatalf("not called: %s", want)
		}
	}
	if len(d.calls) > 0 {
		d.t.Fatalf("called %s", <-d.calls)
	}
}

func over(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(desktoptest.Limit):
		t.Fatal("nobody hears of the end of the session")
	}
}

func TestSessionIsAskedForOnceAndKept(t *testing.T) {
	d, p := newDesktop(t, 2)
	ctx := t.Context()
	p.wait = atOnce
	if err := p.Available(ctx); err != nil || p.Granted() {
		t.Fatalf("%v, granted: %v", err, p.Granted())
	}
	if err := p.Key(ctx, 30, false); err != nil { // nothing is down, and nobody is asked for it
		t.Fatal(err)
	}
	d.wants()
	for range 2 { // the user does not answer yet
		if err := p.Key(ctx, 30, true); !errors.Is(err, ErrAsked) {
			t.Fatal(err)
		}
	}
	d.wants("CreateSession", `SelectDevices 3 2 ""`, "Start")
	d.start <- 0
	desktoptest.Until(t, "the session", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.session != ""
	})
	if !p.Granted() {
		t.Error("not granted")
	}
	p.wait = desktoptest.Limit
	ended := p.Over()
	for _, err := range []error{
		p.Key(ctx, 30, true), p.Key(ctx, 30, false), p.Sym(ctx, 0x20ac, true), p.Sym(ctx, 0x20ac, false), p.Key(ctx, 0x110, true),
		p.MoveBy(ctx, 3, -4), p.Scroll(ctx, -1, 2),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	d.wants("NotifyKeyboardKeycode[30 1]", "NotifyKeyboardKeycode[30 0]", "NotifyKeyboardKeysym[8364 1]", "NotifyKeyboardKeysym[8364 0]",
		"NotifyPointerButton[272 1]", "NotifyPointerMotion[3 -4]", "NotifyPointerAxisDiscrete[0 2]", "NotifyPointerAxisDiscrete[1 -1]")
	if fi, err := os.Stat(p.token); err != nil || fi.Mode() != 0o600 {
		t.Errorf("the permission is kept as %v, %v", fi.Mode(), err)
	}
	d.close(p)
	over(t, ended)
	if err := p.Key(ctx, 0x110, false); err != nil { // the next session lets go of it
		t.Error(err)
	}
	d.wants()
	d.start <- 0
	if err := p.Key(ctx, 31, true); err != nil {
		t.Fatal(err)
	}
	d.wants("CreateSession", `SelectDevices 3 2 "permission 1"`, "Start", "NotifyPointerButton[272 0]", "NotifyKeyboardKeycode[31 1]")
	if b, err := os.ReadFile(p.token); err != nil || string(b) != "permission 2" {
		t.Errorf("kept %q, %v", b, err)
	}
}

// The first version knows no permission that lasts.
func TestFirstVersion(t *testing.T) {
	d, p := newDesktop(t, 1)
	d.start <- 0
	if err := p.Key(t.Context(), 30, true); err != nil {
		t.Fatal(err)
	}
	d.wants("CreateSession", `SelectDevices 3 <nil> ""`, "Start", "NotifyKeyboardKeycode[30 1]")
	if _, err := os.Stat(p.token); err == nil {
		t.Error("something is kept")
	}
}

func TestRefusedIsNotAskedAgain(t *testing.T) {
	d, p := newDesktop(t, 2)
	ended := p.Over()
	d.start <- 1
	for range 3 {
		if err := p.Key(t.Context(), 30, true); !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
	}
	d.wants("CreateSession", `SelectDevices 3 2 ""`, "Start")
	over(t, ended)
	if err := p.Available(t.Context()); !errors.Is(err, ErrRefused) || p.Granted() {
		t.Error(err)
	}
}

// Some desktops let the user share the screen and nothing else, and call it allowed.
func TestNoDevicesIsRefused(t *testing.T) {
	d, p := newDesktop(t, 2)
	d.only.Store(new(uint32))
	d.start <- 0
	for range 3 {
		if err := p.MoveTo(t.Context(), 1, 1); !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
	}
	d.wants("CreateSession", `SelectDevices 3 2 ""`, "SelectSources 1 true", "Start")
	if !p.Refused() || p.Granted() {
		t.Error("it is no refusal")
	}
}

// Desktops keep down what a client that was killed held.
func TestNextOneReleasesWhatAKilledOneHeld(t *testing.T) {
	d, p := newDesktop(t, 2)
	d.start <- 0
	for _, code := range []uint16{29, 30, 0x111} {
		if err := p.Key(t.Context(), code, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Key(t.Context(), 30, false); err != nil {
		t.Fatal(err)
	}
	for range 7 {
		<-d.calls
	}
	next := New(p.bus, p.token, p.path)
	next.wait = desktoptest.Limit
	d.start <- 0
	if err := next.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.wants("CreateSession", `SelectDevices 3 2 "permission 1"`, "Start", "NotifyPointerButton[273 0]", "NotifyKeyboardKeycode[29 0]")
	if err := New(p.bus, p.token, p.path).Recover(t.Context()); err != nil { // nothing is left: nobody is asked
		t.Error(err)
	}
	d.wants()
}

// What is no refusal is tried again when somebody presses again.
func TestDesktopThatCannotAsk(t *testing.T) {
	d, p := newDesktop(t, 2)
	d.start <- 2
	if err := p.Key(t.Context(), 30, true); err == nil || errors.Is(err, ErrRefused) || errors.Is(err, ErrAsked) {
		t.Fatal(err)
	}
	d.start <- 0
	if err := p.Key(t.Context(), 30, true); err != nil {
		t.Fatal(err)
	}
}

func TestPortalThatHangs(t *testing.T) {
	d, p := newDesktop(t, 2)
	d.start <- 0
	if err := p.Key(t.Context(), 30, true); err != nil {
		t.Fatal(err)
	}
	d.hung <- true
	if err := p.Key(t.Context(), 30, false); err == nil {
		t.Error("released by nobody")
	}
}

// The portal's process ends: so does the session, of which nobody is told.
func TestPortalThatEnds(t *testing.T) {
	d, p := newDesktop(t, 2)
	d.start <- 0
	if err := p.Key(t.Context(), 30, true); err != nil {
		t.Fatal(err)
	}
	ended := p.Over()
	d.leave()
	over(t, ended)
}

func TestNoPortal(t *testing.T) {
	home := desktoptest.New(t)
	desk := bus.Session(home.Getenv)
	defer desk.Close()
	p := New(desk, "", "")
	if err := p.Available(t.Context()); err == nil || !strings.Contains(err.Error(), "no portal") {
		t.Error(err)
	}
	if err := p.Key(t.Context(), 30, true); err == nil {
		t.Error("pressed by nobody")
	}
}

func TestAnswers(t *testing.T) {
	for _, body := range [][]any{{uint32(0), "x"}, {"x", options{}}, {uint32(7), options{}}} {
		if _, err := answer("Start", body); err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("%v: %v", body, err)
		}
	}
	if got, err := answer("Start", []any{uint32(0), options{"x": dbus.MakeVariant(1)}}); err != nil || !slices.Contains([]any{1}, got["x"].Value()) {
		t.Error(got, err)
	}
}
