//go:build linux

package wayland

import (
	"bytes"
	"testing"
)

func TestRequestsAndEvents(t *testing.T) {
	b := Append(nil, 7, 3, 1, 0xffff_ffff)
	b = appendString(b, 0, "seat0")
	b = append(b, Append(nil, 8, 4)...)
	m, rest, ok, err := cut(b)
	if !ok || err != nil || m.object != 7 || m.opcode != 3 {
		t.Fatalf("%+v %v %v", m, ok, err)
	}
	a := Args{body: m.body}
	if x, y, s := a.Uint(), a.Int(), a.String(); x != 1 || y != -1 || s != "seat0" || a.bad {
		t.Errorf("%d %d %q, bad %v", x, y, s, a.bad)
	}
	if m, rest, ok, err = cut(rest); !ok || err != nil || m.object != 8 || m.opcode != 4 || len(m.body) != 0 || len(rest) != 0 {
		t.Errorf("%+v %v %v, rest %v", m, ok, err, rest)
	}
	for n := range len(b) - headerSize {
		if m, rest, ok, err := cut(b[:n]); ok != (n >= 32) || err != nil || !ok && len(rest) != n {
			t.Errorf("%d bytes: %+v %v %v", n, m, ok, err)
		}
	}
	if Fixed(-15) != 0xffff_f100 {
		t.Errorf("-15 is %#x", Fixed(-15))
	}
}

func TestWhatIsNotThereIsBad(t *testing.T) {
	for name, read := range map[string]func(a *Args){
		"uint":   func(a *Args) { a.Uint() },
		"string": func(a *Args) { _ = a.String() },
		"fd":     func(a *Args) { a.FD() },
	} {
		a := Args{body: []byte{1, 0, 0}}
		if read(&a); !a.bad {
			t.Errorf("%s: not bad", name)
		}
	}
	a := Args{body: order.AppendUint32(nil, 0xffff_ffff)}
	if got := a.Array(); got != nil || !a.bad {
		t.Errorf("an array of %d bytes", len(got))
	}
}

// FuzzCut: whatever comes, it is taken apart without a fault and nothing of it is lost.
func FuzzCut(f *testing.F) {
	f.Add(appendString(Append(nil, 7, 3, 1), 0, "seat0"))
	f.Add(Append(Append(nil, 1, 1, 9), 1, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		rest := b
		for {
			m, r, ok, err := cut(rest)
			if err != nil || !ok {
				break
			}
			if n := len(rest) - len(r); n != headerSize+len(m.body) || !bytes.Equal(rest[headerSize:n], m.body) {
				t.Fatalf("%d bytes became a body of %d", n, len(m.body))
			}
			for _, read := range []func(a *Args){
				func(a *Args) { a.Uint(); _ = a.String(); a.Array() }, func(a *Args) { _ = a.String(); a.Int(); a.FD() },
			} {
				read(&Args{body: m.body})
			}
			rest = r
		}
	})
}
