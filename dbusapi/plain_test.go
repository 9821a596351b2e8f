package dbusapi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// called is the bytes of a call of ours.
func called(t testing.TB, order binary.ByteOrder, body ...any) []byte {
	t.Helper()
	m := &dbus.Message{Type: dbus.TypeMethodCall, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(RootPath), dbus.FieldInterface: dbus.MakeVariant(BusName), dbus.FieldMember: dbus.MakeVariant("Go"),
		dbus.FieldDestination: dbus.MakeVariant(BusName), dbus.FieldSender: dbus.MakeVariant(":1.7"),
	}}
	if len(body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
	}
	var out bytes.Buffer
	if err := m.EncodeTo(&out, order); err != nil {
		t.Fatal(err)
	}
	order.PutUint32(out.Bytes()[8:], 0x01020304) // the serial
	return out.Bytes()
}

// asGodbus is the call that conn.intercept would take.
func asGodbus(b []byte) (*call, error) {
	m, err := dbus.DecodeMessage(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	c := &conn{calls: make(chan *call, 1), ctx: context.Background()}
	c.intercept(m)
	k := <-c.calls
	k.conn = nil
	return k, nil
}

// sameCall says whether two calls are the same. NaN is.
func sameCall(a, b *call) bool {
	x, y := *a, *b
	x.body, y.body = nil, nil
	if len(a.body) != len(b.body) || !reflect.DeepEqual(x, y) {
		return false
	}
	for i := range a.body {
		f, ok := a.body[i].(float64)
		g, also := b.body[i].(float64)
		if ok != also || ok && math.Float64bits(f) != math.Float64bits(g) || !ok && a.body[i] != b.body[i] {
			return false
		}
	}
	return true
}

// TestPlainCall: what is read without godbus is what godbus reads.
func TestPlainCall(t *testing.T) {
	for _, body := range [][]any{
		nil,
		{int32(-1)},
		{"", "text", "ü", RootPath},
		{byte(1), uint64(2), true, int16(-3), false, uint16(4), int64(-5), byte(6), math.Pi, uint32(7), "x", math.Inf(-1)},
	} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			b := called(t, order, body...)
			got, ok := plainCall(b)
			if want, err := asGodbus(b); err != nil || !ok || !sameCall(got, want) {
				t.Errorf("%v, %v: got %+v, want %+v (%v)", order, body, got, want, err)
			}
			for n := range b { // not whole
				if _, ok := plainCall(b[:n]); ok {
					t.Errorf("%v: %d of %d bytes are a call", body, n, len(b))
				}
			}
			if _, ok := plainCall(append(b, 0)); ok {
				t.Errorf("%v: a byte more is a call too", body)
			}
		}
	}
}

// What is not plain is godbus' business.
func TestCallThatIsNotPlain(t *testing.T) {
	for _, x := range []any{values{}, dbus.MakeVariant(1), []byte{1}, []string{"a"}, Check{}, dbus.ParseSignatureMust("s")} {
		if k, ok := plainCall(called(t, binary.LittleEndian, x)); ok {
			t.Errorf("%v: %+v", x, k)
		}
	}
	for name, change := range map[string]func(b []byte){
		"a signal":         func(b []byte) { b[1] = byte(dbus.TypeSignal) },
		"unknown flags":    func(b []byte) { b[2] = 0x80 },
		"another protocol": func(b []byte) { b[3] = 2 },
		"no serial":        func(b []byte) { clear(b[8:12]) },
		"too long a list":  func(b []byte) { binary.LittleEndian.PutUint32(b[12:], math.MaxUint32) },
		"too short a list": func(b []byte) { b[12]-- },
		"an unknown field": func(b []byte) { b[16] = 77 },
		"a boolean of 2":   func(b []byte) { b[len(b)-4] = 2 },
	} {
		b := called(t, binary.LittleEndian, true)
		change(b)
		if k, ok := plainCall(b); ok {
			t.Errorf("%s: %+v", name, k)
		}
	}
}

// Whatever the bytes, what is taken for a plain call is the call that godbus reads, which refuses only names that
// nothing has anyway.
func FuzzPlainCall(f *testing.F) {
	f.Add(called(f, binary.LittleEndian, "a", uint32(1), true))
	f.Add(called(f, binary.BigEndian, byte(1), math.Pi))
	f.Add(called(f, binary.LittleEndian, values{"a": dbus.MakeVariant(1)}))
	f.Add(encode(f, ping()))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := plainCall(b)
		if !ok {
			return
		}
		if size, err := messageSize(b); err != nil || size != uint64(len(b)) {
			return // the link asks of whole messages only
		}
		want, err := asGodbus(b)
		if _, named := errors.AsType[dbus.InvalidMessageError](err); named && strings.Contains(err.Error(), "name") {
			return
		}
		if err != nil || !sameCall(got, want) {
			t.Errorf("got %+v, want %+v (%v) of\n%x", got, want, err, b)
		}
	})
}
