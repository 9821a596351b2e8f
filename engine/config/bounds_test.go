package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

func TestManyDiagnosticsAreCounted(t *testing.T) {
	warnings := "[[modes]]\nname = \"A\"\n"
	for i := range 151 {
		warnings += fmt.Sprintf("x%d = 1\n", i)
	}
	p, diagnostics := config.Load("config.toml", []byte(warnings))
	last := diagnostics[len(diagnostics)-1]
	if p == nil || len(diagnostics) != 101 || last.Message != "51 more not shown" || last.Severity != report.Warn {
		t.Errorf("%v, %d diagnostics, the last %+v", p, len(diagnostics), last)
	}

	// An error is shown however many warnings come first.
	p, diagnostics = config.Load("config.toml", []byte(warnings+"name = 5\n"))
	last = diagnostics[len(diagnostics)-1]
	if p != nil || len(diagnostics) != 101 || !hasErrors(diagnostics) || last.Message != "52 more not shown" || last.Severity != report.Warn {
		t.Errorf("%v, %d diagnostics, the last %+v", p, len(diagnostics), last)
	}

	p, diagnostics = config.Load("config.toml", []byte(strings.Repeat("[modes]\n", 2000)))
	last = diagnostics[len(diagnostics)-1]
	if p != nil || len(diagnostics) != 101 || last.Message != "1900 more not shown" || last.Severity != report.Error {
		t.Errorf("%v, %d diagnostics, the last %+v", p, len(diagnostics), last)
	}
}

func TestTooLarge(t *testing.T) {
	p, diagnostics := config.Load("config.toml", []byte(strings.Repeat("#", config.MaxSize)))
	if p == nil || len(diagnostics) != 0 {
		t.Errorf("of the largest file: %v, %v", p, diagnostics)
	}
	p, diagnostics = config.Load("config.toml", []byte(strings.Repeat("#", config.MaxSize+1)))
	if p != nil || len(diagnostics) != 1 || diagnostics[0].Code != string(config.TooLarge) {
		t.Errorf("of a larger one: %v, %v", p, diagnostics)
	}
}

func TestNestedActionsAreBounded(t *testing.T) {
	nest := func(n int) []byte {
		a := `{ type = "Delay", ms = 1 }`
		for range n {
			a = `{ type = "Sequence", actions = [ ` + a + ` ] }`
		}
		return []byte("[[global_mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction = " + a)
	}
	if p, d := config.Load("config.toml", nest(8)); p == nil {
		t.Errorf("8 deep: %v", d)
	}
	if _, d := config.Load("config.toml", nest(9)); len(d) != 1 || d[0].Code != string(config.TooDeep) {
		t.Errorf("9 deep: %v", d)
	}
	steps := func(n int) []byte {
		return []byte("[[global_mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction = { type = \"Sequence\", actions = [" +
			strings.Repeat(`{ type = "Delay", ms = 1 },`, n) + "] }")
	}
	if p, d := config.Load("config.toml", steps(10_000)); p == nil {
		t.Errorf("10000 steps: %v", d)
	}
	if _, d := config.Load("config.toml", steps(10_001)); len(d) != 1 || d[0].Code != string(config.TooMany) {
		t.Errorf("10001 steps: %v", d)
	}
}

func TestDevicesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 257 {
		fmt.Fprintf(&b, "[[devices]]\nname = \"%d\"\nmatch = \"name:%d\"\n", i, i)
	}
	if _, d := config.Load("config.toml", []byte(b.String())); len(d) != 1 || d[0].Code != string(config.TooMany) || d[0].Line != 1+3*256 {
		t.Errorf("257 devices: %v", d)
	}
}
