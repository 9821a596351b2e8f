// Package mantest checks manual pages: that one is up to date, and that roff has nothing to
// say against it.
package mantest

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// Check compares a page with its file, or writes that, and lets man read it.
func Check(t *testing.T, path string, page []byte, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(path, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, page) {
		t.Errorf("%s is out of date; run this test with -update", path)
	}
	for _, reader := range [][]string{
		{"groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z"}, // what "man --warnings" runs
		{"mandoc", "-T", "lint", "-W", "warning"},
	} {
		if _, err := exec.LookPath(reader[0]); err != nil {
			if os.Getenv("MIDIMON_TEST") == "all" {
				t.Error(err)
			} else {
				t.Logf("not checked: %v", err)
			}
			continue
		}
		said, err := exec.CommandContext(t.Context(), reader[0], append(reader[1:], path)...).CombinedOutput()
		if err != nil || len(said) > 0 {
			t.Errorf("%s says of %s: %v\n%s", reader[0], path, err, said)
		}
	}
}
