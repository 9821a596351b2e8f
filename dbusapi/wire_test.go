package dbusapi

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// content is the body of a message in bytes.
func content(b []byte) []byte { return b[len(b)-int(binary.LittleEndian.Uint32(b[4:])):] }

// byGodbus is the content of a message as godbus makes it.
func byGodbus(t *testing.T, body ...any) []byte {
	t.Helper()
	m := &dbus.Message{Type: dbus.TypeMethodReply, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(body...)),
	}}
	var out bytes.Buffer
	if err := m.EncodeTo(&out, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	return content(out.Bytes())
}

// TestWire: what is sent is, byte for byte, what godbus would send, wherever in a message it stands. Of more
// than one entry a map has no order.
func TestWire(t *testing.T) {
	v := dbus.MakeVariant
	for _, x := range []any{
		byte(255), true, false, int16(-2), uint16(65535), int32(-3), uint32(1 << 31), int64(-4), uint64(1 << 63), math.Pi,
		"", "text", "ü", RootPath, dbus.ObjectPath("/"),
		[]byte{},
		[]byte{1, 2, 3},
		[]string{},
		[]string{"a", "", "bcd"},
		[]bool{true, false},
		[]uint64{},
		[]uint64{1, 2},
		[]int16{1},
		[][]string{{}, {"a"}},
		[]dbus.ObjectPath{"/a", "/b"},
		v(byte(1)), v(uint64(1)), v("x"), v([]string{"y"}), v(v(true)), v(values{"k": v(uint64(7))}),
		[]dbus.Variant{v(byte(1)), v(int64(2)), v("z")},
		values{},
		values{"key": v(uint64(1))},
		[]values{{}, {"a": v(byte(1))}, {"b": v([]uint64{2})}},
		interfaces{},
		interfaces{"i": {"p": v("q")}},
		map[dbus.ObjectPath]interfaces{"/o": {"i": {}}},
		map[uint32]byte{1: 2},
		map[byte]uint64{1: 2},
		Check{"n", "s", "m", "f"},
		[]Check{},
		[]Check{{"a", "b", "c", "d"}, {}},
		[]Inhibitor{{"who", "why"}},
		[]Port{{"in", true, false}},
		[]Mode{{"id", "label", true, values{"base": v(true)}}},
		[]SeenEvent{{1, "d", 2, 3, 4, "m"}, {}},
		[]Diagnostic{{"s", "c", "m", "f", 1, 2, values{"hint": v("h")}}},
		v([]Change{{"k", "i", "l", "m", "t", "a"}}),
	} {
		for before := range 9 {
			body := []any{strings.Repeat("b", before), x, byte(before), x}
			w := &wire{}
			if err := w.message(&message{kind: dbus.TypeMethodReply, replySerial: 1, body: body}); err != nil {
				t.Fatalf("%#v: %v", x, err)
			}
			if want := byGodbus(t, body...); !bytes.Equal(content(w.b), want) {
				t.Errorf("%#v after %d letters:\n%x, want\n%x", x, before, content(w.b), want)
			}
		}
	}
}

// TestWireOfEverything: whatever the objects show is read as it was shown.
func TestWireOfEverything(t *testing.T) {
	s := newServer(t, dbustest.NewBackend())
	st := reloaded()
	all := map[dbus.ObjectPath]interfaces{"/": {}}
	for name, i := range s.ifaces.all {
		all["/"][name] = i.values(target{st, &st.Devices[0]})
	}
	w := &wire{}
	if err := w.message(&message{kind: dbus.TypeMethodReply, replySerial: 1, body: []any{all}}); err != nil {
		t.Fatal(err)
	}
	m, err := dbus.DecodeMessage(bytes.NewReader(w.b))
	if err != nil {
		t.Fatal(err)
	}
	var want dbus.Message
	var out bytes.Buffer
	want = dbus.Message{Type: dbus.TypeMethodReply, Body: []any{all}, Headers: m.Headers}
	if err := want.EncodeTo(&out, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	again, err := dbus.DecodeMessage(&out)
	if err != nil || !reflect.DeepEqual(m.Body, again.Body) {
		t.Errorf("%v: got\n%v, want\n%v", err, m.Body, again.Body)
	}
}

// TestWireHeaders: godbus reads every field of a message, and no others, wherever it begins.
func TestWireHeaders(t *testing.T) {
	v := dbus.MakeVariant
	w := &wire{}
	for _, x := range []struct {
		message message
		want    map[dbus.HeaderField]dbus.Variant
	}{
		{
			message{kind: dbus.TypeSignal, path: RootPath, iface: "a.b", member: "M", serial: 9},
			map[dbus.HeaderField]dbus.Variant{dbus.FieldPath: v(RootPath), dbus.FieldInterface: v("a.b"), dbus.FieldMember: v("M")},
		},
		{
			message{kind: dbus.TypeSignal, path: RootPath, iface: "a.b", member: "M", to: ":1.7", from: ":1.0", body: []any{"s", uint64(1)}},
			map[dbus.HeaderField]dbus.Variant{
				dbus.FieldPath: v(RootPath), dbus.FieldInterface: v("a.b"), dbus.FieldMember: v("M"), dbus.FieldDestination: v(":1.7"),
				dbus.FieldSender: v(":1.0"), dbus.FieldSignature: v(dbus.ParseSignatureMust("st")),
			},
		},
		{
			message{kind: dbus.TypeError, errorName: "a.b.C", replySerial: 7, to: ":1.7", body: []any{"why"}},
			map[dbus.HeaderField]dbus.Variant{
				dbus.FieldErrorName: v("a.b.C"), dbus.FieldReplySerial: v(uint32(7)), dbus.FieldDestination: v(":1.7"),
				dbus.FieldSignature: v(dbus.ParseSignatureMust("s")),
			},
		},
		{message{kind: dbus.TypeMethodReply, replySerial: 7}, map[dbus.HeaderField]dbus.Variant{dbus.FieldReplySerial: v(uint32(7))}},
	} {
		if err := w.message(&message{kind: dbus.TypeSignal, path: "/", iface: "a.b", member: "M", serial: 1, body: []any{"\xff"}}); err == nil {
			t.Fatal("what is no text was taken")
		}
		before := len(w.b)
		if err := w.message(&x.message); err != nil {
			t.Fatal(err)
		}
		in := bytes.NewReader(w.b[before:])
		got, err := dbus.DecodeMessage(in)
		if err != nil || in.Len() != 0 {
			t.Fatalf("%v, and %d bytes are left of\n%x", err, in.Len(), w.b)
		}
		if got.Type != x.message.kind || got.Serial() != x.message.serial || got.Flags != 0 || !reflect.DeepEqual(got.Headers, x.want) || len(got.Body) != len(x.message.body) {
			t.Errorf("got %v, want %v", got, x.want)
		}
	}
}

func TestWireRefuses(t *testing.T) {
	for want, x := range map[string]any{
		"no text":             "\xff",
		`"a\x00b" is no text`: []string{"a\x00b"},
		`"\xfe" is no text`:   values{"\xfe": dbus.MakeVariant(true)},
		"no object path":      dbus.ObjectPath("x/y"),
		"nothing that D-Bus":  1,
		"over the limit":      make([]byte, maxWire),
	} {
		if err := (&wire{}).message(&message{kind: dbus.TypeMethodReply, replySerial: 1, body: []any{x}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// garbled has in its answers what no message can carry.
type garbled struct{ *dbustest.Backend }

func (garbled) Why(context.Context, int) ([]report.Decision, error) {
	return []report.Decision{{WaitsFor: []string{"\xff"}}}, nil
}

// TestAnswerThatCannotBeSaid: who asked is told, and is served on.
func TestAnswerThatCannotBeSaid(t *testing.T) {
	s := newServer(t, garbled{dbustest.NewBackend()})
	root := dialPeer(t, onSocket(t, s)).Object(BusName, RootPath)
	if got := errorName(root.Call(MonitorInterface+".Why", 0, uint32(1)).Err); got != "Failed" {
		t.Errorf("got %s, want Failed", got)
	}
	if err := root.Call(peerInterface+".Ping", 0).Err; err != nil {
		t.Error(err)
	}
}
