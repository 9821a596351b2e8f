package engine_test

import (
	"fmt"
	"runtime"
	"testing"
)

func TestCovered(t *testing.T) {
	tests := []struct{ name, program, want string }{
		{"same twice", "a note 1 sh:x\na note 1 sh:y", "[{1 0}]"},
		{"other modes", "a note 1 sh:x\nb note 1 sh:y\n* note 1 sh:z", "[]"},
		{"by two halves", "a note 1 1-60 sh:x\na note 1 61-127 sh:y\na note 1 30-90 sh:z", "[{2 1}]"},
		{"a gap is left", "a note 1 1-60 sh:x\na note 1 62-127 sh:y\na note 1 30-90 sh:z", "[]"},
		{"a channel of all", "a note 1 sh:x\na note 1 ch3 sh:y", "[{1 0}]"},
		{"all of a channel", "a note 1 ch3 sh:x\na note 1 sh:y", "[]"},
		{"a device of all", "devices A B\na note 1 sh:x\na note 1 dev1 sh:y", "[{1 0}]"},
		{"all of a device", "devices A B\na note 1 dev1 sh:x\na note 1 sh:y", "[]"},
		{"tap and hold", "a note 1 sh:x\na long 1 sh:y\na note 1 eager sh:z", "[]"},
		{"a disabled one covers nothing", "a note 1 off sh:x\na note 1 sh:y", "[]"},
		{"a disabled one is not reported", "a note 1 sh:x\na note 1 off sh:y", "[]"},
		{"both ways cover either", "a enc 1 cw sh:x\na enc 1 ccw sh:y\na enc 1 sh:z", "[{2 1}]"},
		{"one way does not", "a enc 1 cw sh:x\na enc 1 sh:z", "[]"},
		{"either covers one way", "a enc 1 sh:x\na enc 1 cw sh:z", "[{1 0}]"},
		{"an encoder shadows cc, wherever it stands", "a cc 1 sh:x\na cc 1 3-9 sh:y\na enc 1 sh:z", "[{0 2} {1 2}]"},
		{"buttons", "a cc 1 sh:x\na cc 1 sh:y", "[{1 0}]"},
		{"a button and a range", "a cc 1 sh:x\na cc 1 3-9 sh:y", "[]"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := fmt.Sprint(program(t, tc.program).Compile()); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestLookupSize: what Compile leaves behind is small beside the mappings themselves, and so it
// is what a note touches that stays near the processor.
func TestLookupSize(t *testing.T) {
	p, _ := newProgram(100_000, 200, 8, "Media")
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	p.Compile()
	each := float64(heap()-before) / float64(len(p.Mappings))
	t.Logf("%.1f bytes a mapping", each)
	if each > 40 {
		t.Errorf("the lookup of %d mappings takes %.1f bytes for each, want at most 40", len(p.Mappings), each)
	}
	runtime.KeepAlive(p)
}
