package script_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/script"
)

var update = flag.Bool("update", false, "write what came as what is expected, but into no file marked # hand")

// compatFiles are the configurations of the ancestor. A script in compat/ plays the one with its name.
const compatFiles = "../config/testdata/compat"

// advice are the warnings that say what a good configuration costs.
var advice = []string{"added-latency", "unreached-mode"}

// TestScripts plays every script of testdata. What its configuration warns of, advice aside,
// must be what the lines "# warns CODE" of its comment say.
func TestScripts(t *testing.T) {
	played, began := 0, time.Now()
	err := filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".txtar" {
			return err
		}
		played++
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/"), ".txtar"), func(t *testing.T) { playFile(t, path) })
		return nil
	})
	if err != nil || played == 0 {
		t.Fatal("no script was played", err)
	}
	t.Logf("%d scripts in %v", played, time.Since(began).Round(time.Millisecond))
}

func playFile(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := script.Parse(filepath.ToSlash(path), text)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(filepath.Dir(path)) == "compat" {
		base := strings.TrimSuffix(filepath.Base(path), ".txtar") + ".toml"
		toml, err := os.ReadFile(filepath.Join(compatFiles, base))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Add(base, toml, 0); err != nil {
			t.Fatal(err)
		}
	}
	warnings(t, p)
	got, err := p.Run()
	if err != nil {
		t.Fatal(err)
	}
	diff := script.Diff(p.Expect, got)
	switch {
	case diff == "":
	case *update:
		text, err := script.Update(text, got)
		if errors.Is(err, script.ErrByHand) {
			t.Fatalf("%v; - is expected, + came:\n%s", err, diff)
		} else if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("- is expected, + came:\n%s", diff)
	}
}

func warnings(t *testing.T, p *script.Performance) {
	t.Helper()
	var want, got []string
	for line := range strings.Lines(p.Comment) {
		if code, ok := strings.CutPrefix(strings.TrimSpace(line), "# warns "); ok {
			want = append(want, code)
		}
	}
	for _, c := range p.Configs {
		for _, d := range c.Warnings {
			if slices.Contains(advice, d.Code) {
				continue
			}
			got = append(got, d.Code)
			if !slices.Contains(want, d.Code) {
				t.Errorf("%s:%d:%d: %s: %s", c.Name, d.Line, d.Column, d.Code, d.Message)
			}
		}
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("warns of %v, expected %v", got, want)
	}
}

// TestHoldWithinTheChordWindowIsRefused: the rules of gestures have no answer for it.
func TestHoldWithinTheChordWindowIsRefused(t *testing.T) {
	const text = `-- config.toml --
global_mappings = [
  { trigger = { type = "LongPress", note = 36, duration_ms = 50 }, action = { type = "Panic" } },
  { trigger = { type = "NoteChord", notes = [36, 37] }, action = { type = "Panic" } },
]
-- events --
`
	if _, err := script.Parse("x", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "x:3:") {
		t.Errorf("got %v", err)
	}
}
