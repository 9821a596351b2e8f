package dbusapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// routes runs a test over the bus and over the private socket.
func routes(t *testing.T, test func(*testing.T, *dbustest.Backend, *Server, *dbus.Conn)) {
	t.Run("bus", func(t *testing.T) {
		b := dbustest.NewBackend()
		bus, s := onBus(t, b)
		test(t, b, s, bus.Dial())
	})
	t.Run("socket", func(t *testing.T) {
		b := dbustest.NewBackend()
		s := newServer(t, b)
		test(t, b, s, dialPeer(t, onSocket(t, s)))
	})
}

func errorName(err error) string {
	var e dbus.Error
	if errors.As(err, &e) {
		return strings.TrimPrefix(e.Name, "org.freedesktop.DBus.Error.")
	}
	return fmt.Sprint(err)
}

func TestErrors(t *testing.T) {
	const props, root, lpd8 = propsInterface, RootPath, "/com/amiable/Midimon1/devices/LPD8"
	own := BusName + "."
	routes(t, func(t *testing.T, b *dbustest.Backend, _ *Server, c *dbus.Conn) {
		b.OnCall(func(method, _ string) error {
			if method == "Reconnect" {
				return fmt.Errorf("LPD8: %w", report.ErrDeviceBusy)
			}
			return nil
		})
		for _, x := range []struct {
			path   dbus.ObjectPath
			method string
			args   []any
			want   string
		}{
			{"/nowhere", introspectable + ".Introspect", nil, "UnknownObject"},
			{devicesPath + "/Nothing", props + ".GetAll", []any{""}, "UnknownObject"},
			{root, "a.b.Method", nil, "UnknownInterface"},
			{root, own + "Explode", nil, "UnknownMethod"},
			{devicesPath, props + ".GetAll", []any{""}, "UnknownInterface"},
			{root, peerInterface + ".Pong", nil, "UnknownMethod"},
			{root, own + "Reload", []any{"now"}, "InvalidArgs"},
			{root, props + ".Get", []any{BusName}, "InvalidArgs"},
			{root, props + ".Get", []any{BusName, dbus.ObjectPath("/Mode")}, "InvalidArgs"},
			{root, props + ".Get", []any{BusName, "Colour"}, "UnknownProperty"},
			{root, props + ".Get", []any{"a.b", "Mode"}, "UnknownInterface"},
			{root, props + ".GetAll", []any{"a.b"}, "UnknownInterface"},
			{root, props + ".Set", []any{"a.b", "Mode", dbus.MakeVariant("Media")}, "UnknownInterface"},
			{root, props + ".Set", []any{BusName, "Colour", dbus.MakeVariant("red")}, "UnknownProperty"},
			{root, props + ".Set", []any{BusName, "State", dbus.MakeVariant("running")}, "PropertyReadOnly"},
			{root, props + ".Set", []any{BusName, "Mode", dbus.MakeVariant(uint32(65))}, "InvalidArgs"},
			{root, props + ".Set", []any{BusName, "Mode", dbus.MakeVariant("Nothing")}, ErrorPrefix + "UnknownMode"},
			{lpd8, props + ".Set", []any{DeviceInterface, "Enabled", dbus.MakeVariant("yes")}, "InvalidArgs"},
			{lpd8, DeviceInterface + ".Reconnect", nil, ErrorPrefix + "DeviceBusy"},
			{logPath, props + ".Set", []any{logInterface, "LogLevel", dbus.MakeVariant("loud")}, "InvalidArgs"},
			{logPath, props + ".Set", []any{logInterface, "LogTarget", dbus.MakeVariant("x")}, "PropertyReadOnly"},
		} {
			err := c.Object(BusName, x.path).Call(x.method, 0, x.args...).Err
			if got := errorName(err); got != x.want {
				t.Errorf("%s %s%v: %s, want %s", x.path, x.method, x.args, got, x.want)
			}
			var e dbus.Error
			if errors.As(err, &e) && (len(e.Body) != 1 || e.Body[0] == "") {
				t.Errorf("%s %s: no text: %v", x.path, x.method, e.Body)
			}
		}
	})
}

func TestBackendErrors(t *testing.T) {
	for _, own := range backendErrors {
		name, text := busError(fmt.Errorf("because\x00 of \xff: %w", own.is))
		if name != own.name {
			t.Errorf("%v is %s", own.is, name)
		}
		if strings.ContainsRune(text, 0) || strings.ToValidUTF8(text, "") != text {
			t.Errorf("%q cannot be sent", text)
		}
		if (&dbus.Message{Type: dbus.TypeError, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldErrorName: dbus.MakeVariant(name), dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)),
		}}).IsValid() != nil {
			t.Errorf("%s is no error name", name)
		}
	}
	if name, _ := busError(errors.New("disk full")); name != "org.freedesktop.DBus.Error.Failed" {
		t.Errorf("any error is %s", name)
	}
}

// An error whose text cannot be sent, and a panic, still get their reply.
func TestEveryCallIsAnswered(t *testing.T) {
	routes(t, func(t *testing.T, b *dbustest.Backend, _ *Server, c *dbus.Conn) {
		b.OnCall(func(method, _ string) error {
			if method == "Panic" {
				panic("on purpose")
			}
			return errors.New("no \xff file \x00")
		})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		root := c.Object(BusName, RootPath)
		if got := root.CallWithContext(ctx, BusName+".Reload", 0).Err; errorName(got) != "Failed" {
			t.Errorf("Reload: %v", got)
		}
		if got := root.CallWithContext(ctx, BusName+".Panic", 0).Err; errorName(got) != "Failed" {
			t.Errorf("Panic: %v", got)
		}
		b.Publish(func(s *report.Status) { s.Mode = "bad \xff\x00" })
		v, err := root.GetProperty(BusName + ".Mode")
		if want := "bad \uFFFD\uFFFD"; err != nil || v.Value() != want {
			t.Errorf("Mode is %q (%v), want %q", v.Value(), err, want)
		}
	})
}

func TestMembers(t *testing.T) {
	routes(t, func(t *testing.T, b *dbustest.Backend, s *Server, c *dbus.Conn) {
		called := make(chan string, 16)
		b.OnCall(func(method, arg string) error {
			called <- method + " " + arg
			return nil
		})
		b.Publish(func(s *report.Status) {
			s.Diagnostics = []report.Diagnostic{{
				Severity: "error", Code: "out-of-range", Message: "m", File: "f", Line: 3, Column: 4, Path: "p", Hint: "h", Excerpt: "secret",
			}}
		})
		root, device := c.Object(BusName, RootPath), c.Object(BusName, DevicePath("LPD8"))
		call := func(o dbus.BusObject, method string, args ...any) []any {
			t.Helper()
			k := o.Call(method, 0, args...)
			if k.Err != nil {
				t.Fatalf("%s: %v", method, k.Err)
			}
			return k.Body
		}
		for _, m := range []string{"Pause", "Resume", "Panic", "Reload"} {
			call(root, BusName+"."+m)
		}
		call(device, DeviceInterface+".Reconnect")
		call(device, propsInterface+".Set", DeviceInterface, "Enabled", dbus.MakeVariant(false))
		for _, want := range []string{"Pause true", "Pause false", "Panic ", "Reload call", "Reconnect LPD8", "SetDeviceEnabled LPD8"} {
			if got := receive(t, called); got != want {
				t.Errorf("the backend heard %q, want %q", got, want)
			}
		}
		if got := fmt.Sprint(call(root, BusName+".GetDiagnostics")); strings.Contains(got, "secret") || !strings.Contains(got, "out-of-range") {
			t.Errorf("diagnostics: %s", got)
		}
		if got := call(device, propsInterface+".GetAll", "")[0].(map[string]dbus.Variant)["UsbId"].Value(); got != "09e8:0075" {
			t.Errorf("UsbId is %v", got)
		}
		if got := call(c.Object(BusName, "/any/where"), peerInterface+".GetMachineId")[0]; len(got.(string)) != 32 {
			t.Errorf("machine id is %q", got)
		}
		// Without an interface the first that has the member is meant.
		m := &dbus.Message{Type: dbus.TypeMethodCall, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldDestination: dbus.MakeVariant(BusName), dbus.FieldPath: dbus.MakeVariant(RootPath), dbus.FieldMember: dbus.MakeVariant("Ping"),
		}}
		if k := <-c.Send(m, make(chan *dbus.Call, 1)).Done; k.Err != nil {
			t.Errorf("Ping without interface: %v", k.Err)
		}
		level := c.Object(BusName, logPath)
		for word, want := range map[string]slog.Level{"debug": slog.LevelDebug, "notice": slog.LevelInfo, "warning": slog.LevelWarn, "alert": slog.LevelError} {
			call(level, propsInterface+".Set", logInterface, "LogLevel", dbus.MakeVariant(word))
			if got := s.level.Level(); got != want {
				t.Errorf("%s sets %v", word, got)
			}
			if got := call(level, propsInterface+".Get", logInterface, "LogLevel")[0].(dbus.Variant).Value(); logLevels[got.(string)] != want {
				t.Errorf("%s reads back %v", word, got)
			}
		}
	})
}

// 2,000 calls that nobody waits for are performed as they were sent.
func TestCallsInOrder(t *testing.T) {
	routes(t, func(t *testing.T, b *dbustest.Backend, _ *Server, c *dbus.Conn) {
		const calls = 2000
		heard := make(chan string, calls)
		b.OnCall(func(_, arg string) error {
			heard <- arg
			return report.ErrUnknownMode
		})
		root := c.Object(BusName, RootPath)
		for i := range calls {
			root.Go(propsInterface+".Set", dbus.FlagNoReplyExpected, nil, BusName, "Mode", dbus.MakeVariant(fmt.Sprint(i)))
		}
		for i := range calls {
			if got := receive(t, heard); got != fmt.Sprint(i) {
				t.Fatalf("call %d is %s", i, got)
			}
		}
	})
}
