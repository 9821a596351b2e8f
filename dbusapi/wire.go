package dbusapi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"
)

// A message is what we say: a reply, an error or a signal. Fields that are empty are not sent.
type message struct {
	kind                dbus.Type
	path                dbus.ObjectPath
	iface, member       string
	errorName, to, from string
	serial, replySerial uint32
	body                []any
}

// A wire makes the bytes of messages (D-Bus specification, "Marshaling"), one after the other. godbus
// makes every message twice and each value in memory of its own, which it takes longer to collect than to
// send; notes wait for both.
type wire struct {
	b     []byte
	start int // of the message that is made: alignment counts from there
}

// Sizes of what a wire holds, in bytes.
const (
	firstWire = 4 << 10  // it is made with: most messages of an iteration fit in
	keptWire  = 16 << 10 // is kept for the next messages: larger ones are rare
	largeWire = 64 << 10 // is written at once
)

// grow makes place for the first message.
func (w *wire) grow() {
	if w.b == nil {
		w.b = make([]byte, 0, firstWire)
	}
}

// empty forgets what was written.
func (w *wire) empty() {
	if w.b = w.b[:0]; cap(w.b) > keptWire {
		w.b = nil
	}
}

// maxWire is how long a message may become: as much as the specification allows a list alone.
const maxWire = 1 << 26

var (
	variantType = reflect.TypeFor[dbus.Variant]()
	valuesType  = reflect.TypeFor[values]()
	pathType    = reflect.TypeFor[dbus.ObjectPath]()
	bytesType   = reflect.TypeFor[[]byte]()
)

// message adds a whole message. Errors: a text that D-Bus does not take, or too much of it; then there is nothing
// more than before.
func (w *wire) message(m *message) (err error) {
	w.start = len(w.b)
	defer func() {
		if err != nil {
			w.b = w.b[:w.start]
		}
	}()
	w.b = append(w.b, 'l', byte(m.kind), 0, 1)
	w.uint32(0) // the body's length
	w.uint32(m.serial)
	w.uint32(0) // the fields' length
	fields := len(w.b)
	for _, f := range [...]struct {
		field dbus.HeaderField
		text  string
		sig   byte
	}{
		{dbus.FieldPath, string(m.path), 'o'},
		{dbus.FieldInterface, m.iface, 's'},
		{dbus.FieldMember, m.member, 's'},
		{dbus.FieldErrorName, m.errorName, 's'},
		{dbus.FieldDestination, m.to, 's'},
		{dbus.FieldSender, m.from, 's'},
	} {
		if f.text != "" {
			w.align(8)
			w.b = append(w.b, byte(f.field), 1, f.sig, 0)
			if err := w.string(f.text); err != nil {
				return err
			}
		}
	}
	if m.replySerial != 0 {
		w.align(8)
		w.b = append(w.b, byte(dbus.FieldReplySerial), 1, 'u', 0)
		w.uint32(m.replySerial)
	}
	if len(m.body) > 0 {
		w.align(8)
		w.b = append(w.b, byte(dbus.FieldSignature), 1, 'g', 0)
		w.signature(dbus.SignatureOf(m.body...).String())
	}
	binary.LittleEndian.PutUint32(w.b[fields-4:], uint32(len(w.b)-fields)) //nolint:gosec // some hundred bytes
	w.align(8)
	body := len(w.b)
	for _, v := range m.body {
		if err := w.value(reflect.ValueOf(v)); err != nil {
			return err
		}
	}
	if size := len(w.b) - w.start; size > maxWire {
		return fmt.Errorf("a message of %d bytes is over the limit of %d", size, maxWire)
	}
	binary.LittleEndian.PutUint32(w.b[w.start+4:], uint32(len(w.b)-body)) //nolint:gosec // within the limit
	return nil
}

func (w *wire) align(n int) {
	for (len(w.b)-w.start)%n != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *wire) uint16(n uint16) {
	w.align(2)
	w.b = binary.LittleEndian.AppendUint16(w.b, n)
}

func (w *wire) uint32(n uint32) {
	w.align(4)
	w.b = binary.LittleEndian.AppendUint32(w.b, n)
}

func (w *wire) uint64(n uint64) {
	w.align(8)
	w.b = binary.LittleEndian.AppendUint64(w.b, n)
}

func (w *wire) string(s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return fmt.Errorf("%.40q is no text that D-Bus takes", s)
	}
	w.uint32(uint32(len(s))) //nolint:gosec // what is too long for a message is found when it is made
	w.b = append(append(w.b, s...), 0)
	return nil
}

// signature is of values that exist, so it is a valid one.
func (w *wire) signature(s string) {
	w.b = append(append(append(w.b, byte(len(s))), s...), 0)
}

// value makes a value of any type that dbus.SignatureOf knows, but for file descriptors.
func (w *wire) value(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Uint8:
		w.b = append(w.b, byte(v.Uint()))
	case reflect.Bool:
		n := uint32(0)
		if v.Bool() {
			n = 1
		}
		w.uint32(n)
	case reflect.Int16:
		w.uint16(uint16(v.Int())) //nolint:gosec // the same bits
	case reflect.Uint16:
		w.uint16(uint16(v.Uint()))
	case reflect.Int32:
		w.uint32(uint32(v.Int())) //nolint:gosec // the same bits
	case reflect.Uint32:
		w.uint32(uint32(v.Uint()))
	case reflect.Int64:
		w.uint64(uint64(v.Int())) //nolint:gosec // the same bits
	case reflect.Uint64:
		w.uint64(v.Uint())
	case reflect.Float64:
		w.uint64(math.Float64bits(v.Float()))
	case reflect.String:
		if v.Type() == pathType && !dbus.ObjectPath(v.String()).IsValid() {
			return fmt.Errorf("%.40q is no object path", v.String())
		}
		return w.string(v.String())
	case reflect.Slice:
		return w.list(v)
	case reflect.Map:
		return w.dict(v)
	case reflect.Struct:
		return w.fields(v)
	default:
		return fmt.Errorf("a %s is nothing that D-Bus has", v.Type())
	}
	return nil
}

func (w *wire) variant(v dbus.Variant) error {
	w.signature(v.Signature().String())
	return w.value(reflect.ValueOf(v.Value()))
}

// array makes an array: its length, and what content makes, which begins where the first element does.
func (w *wire) array(alignment int, content func() error) error {
	w.uint32(0)
	length := len(w.b)
	w.align(alignment)
	first := len(w.b)
	if err := content(); err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(w.b[length-4:], uint32(len(w.b)-first)) //nolint:gosec // what is too long for a message is found when it is made
	return nil
}

func (w *wire) list(v reflect.Value) error {
	return w.array(alignment(v.Type().Elem()), func() error {
		if v.Type() == bytesType {
			w.b = append(w.b, v.Bytes()...)
			return nil
		}
		before := len(w.b)
		for i := range v.Len() {
			if err := w.value(v.Index(i)); err != nil {
				return err
			}
			if i == 0 { // the others are much the same, and memory that grows step by step is taken many times
				w.b = slices.Grow(w.b, min((len(w.b)-before)*(v.Len()-1), 2*largeWire))
			}
		}
		return nil
	})
}

func (w *wire) dict(v reflect.Value) error {
	return w.array(8, func() error {
		if v.Type() == valuesType { // most are, and to look at one as a reflect.Value copies all that is in it
			for key, value := range v.Interface().(values) {
				w.align(8)
				if err := errors.Join(w.string(key), w.variant(value)); err != nil {
					return err
				}
			}
			return nil
		}
		for i := v.MapRange(); i.Next(); {
			w.align(8)
			if err := errors.Join(w.value(i.Key()), w.value(i.Value())); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *wire) fields(v reflect.Value) error {
	if v.Type() == variantType {
		return w.variant(v.Interface().(dbus.Variant))
	}
	w.align(8)
	for i := range v.NumField() {
		if err := w.value(v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

// alignment is where a value of a type may begin.
func alignment(t reflect.Type) int {
	switch t.Kind() {
	case reflect.Uint8:
		return 1
	case reflect.Int16, reflect.Uint16:
		return 2
	case reflect.Int64, reflect.Uint64, reflect.Float64:
		return 8
	case reflect.Struct:
		if t == variantType {
			return 1
		}
		return 8
	default:
		return 4 // where a length does
	}
}
