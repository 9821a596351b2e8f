package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
)

// completionFiles are what packages install for each shell, named as it wants them.
var completionFiles = []struct {
	name  string
	write func(*cobra.Command, io.Writer) error
	reads []string // what reads one and does nothing
}{
	{"midimonctl.bash", func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) }, []string{"bash", "-n"}},
	{"_midimonctl", func(c *cobra.Command, w io.Writer) error { return c.GenZshCompletion(w) }, []string{"zsh", "-n"}},
	{"midimonctl.fish", func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) }, []string{"fish", "-n"}},
}

// The files are those that "midimonctl completion" prints, and their shells understand them.
func TestCompletionFiles(t *testing.T) {
	for _, f := range completionFiles {
		var b bytes.Buffer
		if err := f.write(newRoot(&app{getenv: os.Getenv}, ""), &b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("../../packaging/completions", f.name)
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if was, err := os.ReadFile(path); err != nil || !bytes.Equal(was, b.Bytes()) {
			t.Errorf("%s is out of date (%v); run this test with -update", path, err)
		}
		t.Run(f.name, func(t *testing.T) {
			dbustest.Need(t, f.reads[0])
			if out, err := exec.CommandContext(t.Context(), f.reads[0], append(f.reads[1:], path)...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
