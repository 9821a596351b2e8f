package config_test

import (
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

func TestFormat(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		d    report.Diagnostic
		want string
	}{
		{
			report.Diagnostic{File: "config.toml", Line: 42, Column: 8, Severity: report.Error, Message: "note: 128 is out of range 0-127", Hint: "less", Excerpt: "note = 128"},
			"config.toml:42:8: note: 128 is out of range 0-127 (less)\n   42 | note = 128\n      |        ^",
		},
		{
			report.Diagnostic{File: "c", Line: 1, Column: 3, Severity: report.Warn, Message: "m", Excerpt: "\tü\x1b[2J"},
			"c:1:3: warning: m\n    1 | \tü\uFFFD[2J\n      | \t ^",
		},
		{
			report.Diagnostic{File: "c", Line: 1, Column: 201, Message: "m", Excerpt: long + "y"},
			"c:1:201: m\n    1 | " + long[:100] + "\n      | " + strings.Repeat(" ", 50) + "^",
		},
		{
			report.Diagnostic{File: "c", Line: 1, Column: 302, Message: "m", Excerpt: long + "y"},
			"c:1:302: m\n    1 | " + long[:99] + "y\n      | " + strings.Repeat(" ", 100) + "^",
		},
		{report.Diagnostic{File: "c", Line: 1, Column: 1, Message: "m"}, "c:1:1: m"},
	} {
		if got := config.Format(c.d, true); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}
