package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// TestBrokenFolder: what a file says of itself in lines that begin with #= is what is said of
// it. It was counted by hand.
func TestBrokenFolder(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	several := 0
	for _, name := range files {
		code, _ := strings.CutSuffix(filepath.Base(name), ".toml")
		t.Run(code, func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			for line := range strings.Lines(string(src)) {
				if said, ok := strings.CutPrefix(line, "#= "); ok {
					want += said
				}
			}
			open := os.ReadFile
			if code == "include-not-followed" {
				open = nil
			}
			_, _, diagnostics := config.LoadAll(name, src, open)
			got, codes, inArrays := "", 0, 0
			for _, d := range diagnostics {
				got += fmt.Sprintf("%d:%d: %s\n", d.Line, d.Column, d.Code)
				if d.Code == code {
					codes++
				}
				if d.Severity == report.Error && strings.Contains(d.Path, "]") {
					inArrays++
				}
			}
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
				for _, d := range diagnostics {
					t.Log(config.Format(d, true))
				}
			}
			if strings.HasPrefix(code, "several-") {
				if several++; len(diagnostics) < 3 || inArrays < 2 {
					t.Errorf("only %d said, and %d errors inside arrays of tables", len(diagnostics), inArrays)
				}
			} else if codes != 1 {
				t.Errorf("%d times", codes)
			}
		})
	}
	if several < 10 {
		t.Errorf("only %d files with several faults", several)
	}
	// What no file can show: too many and too large ones are made by tests of their own, and that
	// the group may write is for whoever opens the file.
	for _, c := range config.Codes {
		if c.Code == config.More || c.Code == config.TooLarge || c.Code == config.GroupWritable {
			continue
		}
		if _, err := os.Stat("testdata/broken/" + string(c.Code) + ".toml"); err != nil {
			t.Errorf("no broken file shows %s", c.Code)
		}
	}
}
