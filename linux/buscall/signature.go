package buscall

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/godbus/dbus/v5"
)

// kind is a single complete type of D-Bus (specification, "Type System").
type kind struct {
	code   byte   // as in a signature, or known; '{' is a dictionary, whose entries are key and elem
	elem   []kind // of an array one, of a structure all, of a dictionary key and value
	spells string
}

// parse reads a signature. Its arrays, structures and dictionaries are what D-Bus allows.
func parse(signature string) ([]kind, error) {
	if _, err := dbus.ParseSignature(signature); err != nil {
		return nil, fmt.Errorf("%q is no signature", signature)
	}
	var out []kind
	for rest := signature; rest != ""; {
		k, after := one(rest)
		out = append(out, k)
		rest = after
	}
	return out, nil
}

// one takes the first type off a valid signature.
func one(s string) (k kind, rest string) {
	switch {
	case s[0] == 'a' && s[1] == '{':
		key, after := one(s[2:])
		value, after := one(after)
		k, rest = kind{code: '{', elem: []kind{key, value}}, after[1:]
	case s[0] == 'a':
		elem, after := one(s[1:])
		k, rest = kind{code: 'a', elem: []kind{elem}}, after
	case s[0] == '(':
		k, rest = kind{code: '('}, s[1:]
		for rest[0] != ')' {
			var elem kind
			elem, rest = one(rest)
			k.elem = append(k.elem, elem)
		}
		rest = rest[1:]
	default:
		k, rest = kind{code: s[0]}, s[1:]
	}
	k.spells = s[:len(s)-len(rest)]
	return k, rest
}

// known is the code of a variant in which something of a type that is known is to stand: its
// only elem. No signature has it.
const known = 'V'

// basic are the Go types of the types that consist of no others.
var basic = map[byte]reflect.Type{
	'y': reflect.TypeFor[byte](), 'b': reflect.TypeFor[bool](), 'n': reflect.TypeFor[int16](), 'q': reflect.TypeFor[uint16](),
	'i': reflect.TypeFor[int32](), 'u': reflect.TypeFor[uint32](), 'x': reflect.TypeFor[int64](), 't': reflect.TypeFor[uint64](),
	'd': reflect.TypeFor[float64](), 's': reflect.TypeFor[string](), 'o': reflect.TypeFor[dbus.ObjectPath](),
	'g': reflect.TypeFor[dbus.Signature](), 'v': reflect.TypeFor[dbus.Variant](), known: reflect.TypeFor[dbus.Variant](),
}

// keys are the types of keys that godbus can send.
const keys = "ynqiuxtdso"

// goType is the type that godbus sends as k; false for what it cannot, and for a file
// descriptor, which no configuration has.
func (k *kind) goType() (reflect.Type, bool) {
	switch k.code {
	case 'a':
		t, ok := k.elem[0].goType()
		if !ok {
			return nil, false
		}
		return reflect.SliceOf(t), true
	case '{':
		key := basic[k.elem[0].code]
		value, ok := k.elem[1].goType()
		if !ok || strings.IndexByte(keys, k.elem[0].code) < 0 {
			return nil, false
		}
		return reflect.MapOf(key, value), true
	case '(':
		fields := make([]reflect.StructField, len(k.elem))
		for i := range k.elem {
			t, ok := k.elem[i].goType()
			if !ok {
				return nil, false
			}
			fields[i] = reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: t}
		}
		return reflect.StructOf(fields), true
	}
	t, ok := basic[k.code]
	return t, ok
}

// names are the types for people.
var names = map[byte]string{
	'y': "a byte", 'b': "true or false", 'n': "a number", 'q': "a number", 'i': "a number", 'u': "a number", 'x': "a number", 't': "a number",
	'd': "a number", 's': "a text", 'o': "an object path", 'g': "a signature", 'v': "anything", 'a': "an array", '{': "a table",
	'(': "an array", 'h': "a file descriptor",
}
