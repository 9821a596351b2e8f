package buscall

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
)

func kinds(t testing.TB, signature string) []kind {
	t.Helper()
	k, err := parse(signature)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type dict = map[string]any

var control = &effect.Value{Max: 1}

func TestConvert(t *testing.T) {
	type pair struct {
		F0 string
		F1 int32
	}
	for _, c := range []struct {
		signature string
		from      any
		want      any // nil: an error
		words     string
	}{
		{"y", int64(255), byte(255), ""},
		{"y", int64(256), nil, "256 is not within 0 to 255 (type y)"},
		{"y", int64(-1), nil, "-1 is not within"},
		{"n", int64(-32768), int16(-32768), ""},
		{"n", int64(32768), nil, "not within -32768 to 32767"},
		{"q", int64(65535), uint16(65535), ""},
		{"q", int64(65536), nil, "not within"},
		{"i", int64(-1 << 31), int32(-1 << 31), ""},
		{"i", int64(1 << 31), nil, "not within"},
		{"u", int64(1<<32 - 1), uint32(1<<32 - 1), ""},
		{"u", int64(1 << 32), nil, "not within"},
		{"u", int64(-5), nil, "-5 is not within 0 to 4294967295 (type u)"},
		{"x", int64(-1 << 63), int64(-1 << 63), ""},
		{"t", int64(1<<63 - 1), uint64(1<<63 - 1), ""},
		{"t", 1e19, uint64(1e19), ""},
		{"t", 1e20, nil, "not within"},
		{"x", 1e19, nil, "not within"},
		{"i", 5.0, int32(5), ""},
		{"i", 5.5, nil, "must be a whole number (type i), not 5.5"},
		{"i", math.NaN(), nil, "whole number"},
		{"i", math.Inf(1), nil, "not within"},
		{"d", int64(5), 5.0, ""},
		{"d", 5.5, 5.5, ""},
		{"d", "5", nil, "must be a number (type d), not a text"},
		{"b", true, true, ""},
		{"b", int64(1), nil, "must be true or false (type b), not 1"},
		{"s", "x", "x", ""},
		{"s", int64(1), nil, "must be a text (type s), not 1"},
		{"s", "a\x00b", nil, "no zeros"},
		{"s", "\xff", nil, "UTF-8"},
		{"o", "/a/b", dbus.ObjectPath("/a/b"), ""},
		{"o", "a", nil, `"a" is no object path`},
		{"g", "a{sv}", dbus.SignatureOf(map[string]dbus.Variant{}), ""},
		{"g", "a{", nil, "no signature"},
		{"h", int64(1), nil, "a configuration has nothing of type"},
		{"ah", []any{}, nil, "a configuration has nothing of type"},
		{"a{sh}", dict{}, nil, "a configuration has nothing of type"},
		{"(h)", []any{int64(1)}, nil, "a configuration has nothing of type"},

		{"as", []any{"a", "b"}, []string{"a", "b"}, ""},
		{"as", []any{}, []string{}, ""},
		{"as", []any{"a", int64(2)}, nil, "number 2 of it: must be a text"},
		{"as", "a", nil, "must be an array (type as), not a text"},
		{"ay", "file", []byte("file\x00"), ""},
		{"ay", []any{int64(1), int64(2)}, []byte{1, 2}, ""},
		{"aai", []any{[]any{int64(1)}, []any{}}, [][]int32{{1}, {}}, ""},
		{"a{si}", dict{"a": int64(1)}, map[string]int32{"a": 1}, ""},
		{"a{si}", dict{"a": "x"}, nil, "a: must be a number"},
		{"a{si}", []any{}, nil, "must be a table (type a{si}), not an array"},
		{"a{ub}", dict{"7": true}, map[uint32]bool{7: true}, ""},
		{"a{ub}", dict{"-7": true}, nil, `key "-7": -7 is not within`},
		{"a{ub}", dict{"x": true}, nil, "must be a number"},
		{"a{bs}", dict{"true": "x"}, nil, "a configuration has nothing of type a{bs}"},
		{"a{ud}", dict{"1.5": 1.0}, nil, "must be a whole number"},
		{"a{ds}", dict{"1.5": "x"}, map[float64]string{1.5: "x"}, ""},
		{"a{os}", dict{"/a": "x"}, map[dbus.ObjectPath]string{"/a": "x"}, ""},
		{"(si)", []any{"a", int64(1)}, pair{"a", 1}, ""},
		{"(si)", []any{"a"}, nil, "must be an array of 2 (type (si)), not of 1"},
		{"(si)", "a", nil, "must be an array (type (si))"},
		{"a(si)", []any{[]any{"a", int64(1)}}, []pair{{"a", 1}}, ""},

		{"v", "x", dbus.MakeVariant("x"), ""},
		{"v", int64(5), dbus.MakeVariant(int32(5)), ""},
		{"v", int64(1 << 40), dbus.MakeVariant(int64(1 << 40)), ""},
		{"v", 1.5, dbus.MakeVariant(1.5), ""},
		{"v", true, dbus.MakeVariant(true), ""},
		{"v", []any{"a", "b"}, dbus.MakeVariant([]string{"a", "b"}), ""},
		{"v", []any{"a", int64(1)}, dbus.MakeVariant([]dbus.Variant{dbus.MakeVariant("a"), dbus.MakeVariant(int32(1))}), ""},
		{"v", []any{}, dbus.MakeVariant([]dbus.Variant{}), ""},
		{"v", dict{"a": true}, dbus.MakeVariant(map[string]dbus.Variant{"a": dbus.MakeVariant(true)}), ""},
		{"v", dict{"a": nil}, nil, "a: the bus has no such value"},
		{"v", []any{"\x00"}, nil, "number 1 of it: a text"},
		{"v", dict{"\x00": true}, nil, "no zeros"},
		{"a{sv}", dict{"a": []any{int64(1)}}, map[string]dbus.Variant{"a": dbus.MakeVariant([]int32{1})}, ""},

		{"i", control, int32(43), ""},
		{"y", control, byte(43), ""},
		{"d", control, 42.6, ""},
		{"v", control, dbus.MakeVariant(42.6), ""},
		{"s", control, "42.6", ""},
		{"b", control, true, ""},
		{"o", control, nil, "must be an object path"},
		{"as", control, nil, "must be an array"},
	} {
		t.Run(fmt.Sprintf("%s from %v", c.signature, c.from), func(t *testing.T) {
			got, err := arguments([]any{c.from}, kinds(t, c.signature), 42.6)
			if c.want == nil {
				if err == nil || !strings.Contains(err.Error(), c.words) || !strings.HasPrefix(err.Error(), "argument 1: ") {
					t.Fatalf("%v, %v, want an error with %q", got, err, c.words)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, isStruct := c.want.(pair); isStruct || reflect.TypeOf(c.want) == reflect.TypeFor[[]pair]() {
				if a, b := asText(got[0]), asText(c.want); a != b {
					t.Errorf("%s, want %s", a, b)
				}
			} else if !reflect.DeepEqual(got[0], c.want) {
				t.Errorf("%#v, want %#v", got[0], c.want)
			}
			if is := dbus.SignatureOf(got[0]).String(); is != c.signature {
				t.Errorf("it is sent as %s", is)
			}
		})
	}
}

func asText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestNumberOfArguments(t *testing.T) {
	for signature, want := range map[string]string{"": "it takes no arguments, not 2", "s": "it takes 1 argument, not 2", "sss": "it takes 3 arguments, not 2"} {
		if _, err := arguments([]any{"a", "b"}, kinds(t, signature), 0); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", signature, err, want)
		}
	}
}

func TestNatural(t *testing.T) {
	got, err := natural([]any{"a", int64(1), control, []any{"x"}, dict{"k": int64(2)}}, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if is := dbus.SignatureOf(got...).String(); is != "sidasa{sv}" {
		t.Errorf("sent as %s", is)
	}
	if _, err := natural([]any{"\x00"}, 0); err == nil {
		t.Error("a zero is sent")
	}
}

// TestDepth: the bus hangs up on a message that is nested too deep.
func TestDepth(t *testing.T) {
	var v any = int64(1)
	for range 32 {
		v = []any{v, "x"}
	}
	if _, err := natural([]any{v}, 0); err == nil || !strings.Contains(err.Error(), "nested too deep") {
		t.Errorf("%v", err)
	}
	v = int64(1)
	for range 25 {
		v = []any{v, "x"}
	}
	if _, err := natural([]any{v}, 0); err != nil {
		t.Error(err)
	}
}

const described = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN" "x">
<node><interface name="a.B">
<method name="Go"><arg type="s"/><arg name="n" type="i" direction="in"/><arg type="u" direction="out"/></method>
<method name="Stop"/>
<property name="Level" type="u" access="readwrite"/><property name="Any" type="v" access="readwrite"/>
</interface><node name="child"/></node>`

func TestDescription(t *testing.T) {
	d, err := describe(described)
	if err != nil {
		t.Fatal(err)
	}
	call := func(iface, member string, args ...any) *effect.DBusCall {
		return &effect.DBusCall{Interface: iface, Member: member, Args: args}
	}
	for _, c := range []struct {
		a     *effect.DBusCall
		want  string
		known bool
		words string
	}{
		{call("a.B", "Go"), "si", true, ""},
		{call("a.B", "Stop"), "", true, ""},
		{call("a.B", "Run"), "", true, "a.B has no method Run; it has Go, Stop"},
		{call("a.C", "Go"), "", false, ""},
		{call(propertiesInterface, "Get"), "ss", true, ""},
		{call(propertiesInterface, "Set", "a.B", "Level", int64(1)), "ssu", true, ""},
		{call(propertiesInterface, "Set", "a.B", "Any", int64(1)), "ssv", true, ""},
		{call(propertiesInterface, "Set", "a.B", "Other", int64(1)), "ssv", true, ""},
		{call(propertiesInterface, "Set", "a.B"), "ssv", true, ""},
		{call("org.freedesktop.DBus.Peer", "Ping"), "", true, ""},
	} {
		kinds, known, err := d.takes(c.a)
		got := ""
		for _, k := range kinds {
			got += k.spells
		}
		if got != c.want || known != c.known || (err == nil) != (c.words == "") || err != nil && err.Error() != c.words {
			t.Errorf("%s.%s: %s %v %v, want %s %v %s", c.a.Interface, c.a.Member, got, known, err, c.want, c.known, c.words)
		}
	}
	set := call(propertiesInterface, "Set", "a.B", "Level", int64(7))
	takes, _, _ := d.takes(set)
	args, err := arguments(set.Args, takes, 0)
	if err != nil || !reflect.DeepEqual(args[2], dbus.MakeVariant(uint32(7))) {
		t.Errorf("a property is set to %v, %v", args, err)
	}
	set.Args[2] = int64(-7)
	if _, err := arguments(set.Args, takes, 0); err == nil || !strings.Contains(err.Error(), "-7 is not within") {
		t.Errorf("%v", err)
	}
	if _, err := describe("<node"); err == nil {
		t.Error("half a description is read")
	}
	if _, err := describe(strings.Repeat(" ", maxDescription+1)); err == nil {
		t.Error("an endless description is read")
	}
	if d, err := describe(`<node><interface name="a.B"><method name="Go"><arg type="a{"/></method></interface></node>`); err != nil {
		t.Error(err)
	} else if _, _, err := d.takes(call("a.B", "Go")); err == nil {
		t.Error("a broken signature is taken")
	}
}

// FuzzConvert: whatever a peer says that it takes and a file has, either it is sent as just
// that, or there is an error.
func FuzzConvert(f *testing.F) {
	for _, s := range []string{"s", "a{sv}", "(sia{u(ss)})", "aay", "v", "ghx", "a{ya{yv}}"} {
		f.Add(s, `["a", 1, 2.5, true, ["x"], {"k": [1, {"l": "m"}]}]`)
	}
	f.Fuzz(func(t *testing.T, signature, text string) {
		takes, err := parse(signature)
		if err != nil {
			return
		}
		var args []any
		if json.Unmarshal([]byte(text), &args) != nil {
			return
		}
		for i := range args {
			args[i] = fromJSON(args[i])
		}
		out, err := arguments(args, takes, 0.5)
		if err != nil {
			return
		}
		if got := dbus.SignatureOf(out...).String(); got != signature {
			t.Errorf("%s is sent as %s", signature, got)
		}
	})
}

// fromJSON makes of JSON's values what a configuration has.
func fromJSON(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case []any:
		for i := range v {
			v[i] = fromJSON(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = fromJSON(v[k])
		}
	case nil:
		return control
	}
	return v
}

func FuzzDescription(f *testing.F) {
	f.Add(described, "a.B", "Go")
	f.Fuzz(func(_ *testing.T, text, iface, member string) {
		d, err := describe(text)
		if err != nil {
			return
		}
		_, _, _ = d.takes(&effect.DBusCall{Interface: iface, Member: member, Args: []any{iface, member, int64(1)}})
		_, _, _ = d.takes(&effect.DBusCall{Interface: propertiesInterface, Member: "Set", Args: []any{iface, member, int64(1)}})
	})
}
