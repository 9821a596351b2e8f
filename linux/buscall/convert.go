package buscall

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
)

// maxDepth is how deep arrays, tables and variants may stand in each other. The bus allows 64,
// and hangs up on more.
const maxDepth = 60

// arguments makes what the configuration has for arguments what a method takes. Level stands
// where the control's value is meant.
func arguments(args []any, takes []kind, level float64) ([]any, error) {
	if len(args) != len(takes) {
		return nil, fmt.Errorf("it takes %s, not %d", count(len(takes)), len(args))
	}
	out := make([]any, len(args))
	for i := range args {
		v, err := convert(args[i], &takes[i], level, 0)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		out[i] = v.Interface()
	}
	return out, nil
}

func count(n int) string {
	switch n {
	case 0:
		return "no arguments"
	case 1:
		return "1 argument"
	}
	return strconv.Itoa(n) + " arguments"
}

// natural are arguments as they are, for methods of which nobody says what they take.
func natural(args []any, level float64) ([]any, error) {
	out := make([]any, len(args))
	for i := range args {
		v, err := variant(args[i], level, 0)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		out[i] = v.Value()
	}
	return out, nil
}

// convert makes v a k. Depth counts what is around it.
func convert(v any, k *kind, level float64, depth int) (reflect.Value, error) {
	t, ok := k.goType()
	if !ok {
		return reflect.Value{}, fmt.Errorf("a configuration has nothing of type %s", k.spells)
	}
	_, controls := v.(*effect.Value)
	if controls {
		v = level
	}
	switch k.code {
	case 'v':
		inner, err := variant(v, level, depth+1)
		return reflect.ValueOf(inner), err
	case known:
		inner, err := convert(v, &k.elem[0], level, depth+1)
		if err != nil {
			return inner, err
		}
		return reflect.ValueOf(dbus.MakeVariant(inner.Interface())), nil
	case 'a':
		return array(v, k, t, level, depth)
	case '{':
		return table(v, k, t, level, depth)
	case '(':
		return structure(v, k, t, level, depth)
	}
	out := reflect.New(t).Elem()
	return out, k.set(out, v, controls)
}

func (k *kind) mismatch(v any) error {
	return fmt.Errorf("must be %s (type %s), not %s", names[k.code], k.spells, shown(v))
}

// shown is a value for people. A text is not: it may be private.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		return "a text"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	case *effect.Value:
		return "the control's value"
	}
	return "nothing"
}

// set puts a value into out, which has the basic type k. What the control gives is rounded to
// whole numbers, and what the configuration has is not.
func (k *kind) set(out reflect.Value, v any, controls bool) error {
	switch k.code {
	case 's', 'o', 'g':
		s, ok := v.(string)
		if !ok && controls && k.code == 's' {
			s, ok = shown(v), true
		}
		if !ok {
			return k.mismatch(v)
		}
		return k.setText(out, s)
	case 'b':
		b, ok := v.(bool)
		if !ok && controls {
			b, ok = v.(float64) != 0, true //nolint:forcetypeassert // what a control gives is a number
		}
		if !ok {
			return k.mismatch(v)
		}
		out.SetBool(b)
		return nil
	case 'd':
		switch v := v.(type) {
		case int64:
			out.SetFloat(float64(v))
		case float64:
			out.SetFloat(v)
		default:
			return k.mismatch(v)
		}
		return nil
	}
	return k.setWhole(out, v, controls)
}

func (k *kind) setWhole(out reflect.Value, v any, controls bool) error {
	n, ok := v.(int64)
	if f, isFloat := v.(float64); isFloat {
		if controls {
			f = math.Round(f)
		}
		if f != math.Trunc(f) || math.IsNaN(f) {
			return fmt.Errorf("must be a whole number (type %s), not %s", k.spells, shown(v))
		}
		if ok = f >= -1<<63 && f < 1<<63; ok {
			n = int64(f)
		} else if k.code == 't' && f > 0 && f < 1<<64 {
			out.SetUint(uint64(f))
			return nil
		} else {
			return k.outside(v)
		}
	}
	switch {
	case !ok:
		return k.mismatch(v)
	case out.CanInt():
		if out.OverflowInt(n) {
			return k.outside(v)
		}
		out.SetInt(n)
	default:
		if n < 0 || out.OverflowUint(uint64(n)) {
			return k.outside(v)
		}
		out.SetUint(uint64(n))
	}
	return nil
}

// limits are the least and the most of the types of whole numbers.
var limits = map[byte]string{
	'y': "0 to 255", 'n': "-32768 to 32767", 'q': "0 to 65535", 'i': "-2147483648 to 2147483647", 'u': "0 to 4294967295",
	'x': "-9223372036854775808 to 9223372036854775807", 't': "0 to 18446744073709551615",
}

func (k *kind) outside(v any) error {
	return fmt.Errorf("%s is not within %s (type %s)", shown(v), limits[k.code], k.spells)
}

func (k *kind) setText(out reflect.Value, s string) error {
	if err := sendable(s); err != nil {
		return err
	}
	switch k.code {
	case 'o':
		if !dbus.ObjectPath(s).IsValid() {
			return fmt.Errorf("%q is no object path", s)
		}
	case 'g':
		g, err := dbus.ParseSignature(s)
		if err != nil {
			return fmt.Errorf("%q is no signature", s)
		}
		out.Set(reflect.ValueOf(g))
		return nil
	}
	out.SetString(s)
	return nil
}

// sendable says what would make the bus hang up.
func sendable(s string) error {
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		return fmt.Errorf("a text on the bus has no zeros and is UTF-8")
	}
	return nil
}

func array(v any, k *kind, t reflect.Type, level float64, depth int) (reflect.Value, error) {
	if s, ok := v.(string); ok && k.elem[0].code == 'y' { // a file's name, mostly
		return reflect.ValueOf(append([]byte(s), 0)), nil
	}
	list, ok := v.([]any)
	if !ok {
		return reflect.Value{}, k.mismatch(v)
	}
	out := reflect.MakeSlice(t, len(list), len(list))
	for i := range list {
		e, err := convert(list[i], &k.elem[0], level, depth+1)
		if err != nil {
			return out, fmt.Errorf("number %d of it: %w", i+1, err)
		}
		out.Index(i).Set(e)
	}
	return out, nil
}

func structure(v any, k *kind, t reflect.Type, level float64, depth int) (reflect.Value, error) {
	list, ok := v.([]any)
	if !ok {
		return reflect.Value{}, k.mismatch(v)
	}
	if len(list) != len(k.elem) {
		return reflect.Value{}, fmt.Errorf("must be an array of %d (type %s), not of %d", len(k.elem), k.spells, len(list))
	}
	out := reflect.New(t).Elem()
	for i := range list {
		e, err := convert(list[i], &k.elem[i], level, depth+1)
		if err != nil {
			return out, fmt.Errorf("number %d of it: %w", i+1, err)
		}
		out.Field(i).Set(e)
	}
	return out, nil
}

func table(v any, k *kind, t reflect.Type, level float64, depth int) (reflect.Value, error) {
	entries, ok := v.(map[string]any)
	if !ok {
		return reflect.Value{}, k.mismatch(v)
	}
	out := reflect.MakeMapWithSize(t, len(entries))
	for name, value := range entries {
		key := reflect.New(t.Key()).Elem()
		if err := k.elem[0].setKey(key, name); err != nil {
			return out, fmt.Errorf("key %q: %w", name, err)
		}
		e, err := convert(value, &k.elem[1], level, depth+1)
		if err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
		out.SetMapIndex(key, e)
	}
	return out, nil
}

// setKey reads a key, which TOML has as a text only.
func (k *kind) setKey(out reflect.Value, s string) error {
	switch k.code {
	case 's', 'o':
		return k.set(out, s, false)
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return k.set(out, n, false)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return k.mismatch(s)
	}
	return k.set(out, f, false)
}

// variant is a value of the type that it has by itself: a whole number is an i if it fits, an
// array of one type is that, else of variants, and a table has variants.
func variant(v any, level float64, depth int) (out dbus.Variant, err error) {
	if depth > maxDepth {
		return out, fmt.Errorf("nested too deep for the bus")
	}
	switch v := v.(type) {
	case *effect.Value:
		return dbus.MakeVariant(level), nil
	case string:
		return dbus.MakeVariant(v), sendable(v)
	case bool:
		return dbus.MakeVariant(v), nil
	case float64:
		return dbus.MakeVariant(v), nil
	case int64:
		if int64(int32(v)) == v {
			return dbus.MakeVariant(int32(v)), nil
		}
		return dbus.MakeVariant(v), nil
	case []any:
		return list(v, level, depth)
	case map[string]any:
		entries := make(map[string]dbus.Variant, len(v))
		for name, value := range v {
			if err := sendable(name); err != nil {
				return out, err
			}
			if entries[name], err = variant(value, level, depth+2); err != nil {
				return out, fmt.Errorf("%s: %w", name, err)
			}
		}
		return dbus.MakeVariant(entries), nil
	}
	return out, fmt.Errorf("the bus has no such value")
}

func list(v []any, level float64, depth int) (out dbus.Variant, err error) {
	elems := make([]dbus.Variant, len(v))
	same := len(v) > 0
	for i := range v {
		if elems[i], err = variant(v[i], level, depth+2); err != nil {
			return out, fmt.Errorf("number %d of it: %w", i+1, err)
		}
		same = same && elems[i].Signature() == elems[0].Signature()
	}
	if !same {
		return dbus.MakeVariant(elems), nil
	}
	t := reflect.TypeOf(elems[0].Value())
	list := reflect.MakeSlice(reflect.SliceOf(t), len(elems), len(elems))
	for i := range elems {
		list.Index(i).Set(reflect.ValueOf(elems[i].Value()))
	}
	return dbus.MakeVariant(list.Interface()), nil
}
