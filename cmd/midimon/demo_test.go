package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestDemo plays the whole demo in a bubble where time passes at once, so that all that is
// printed, latencies of 0 included, is the same each time.
func TestDemo(t *testing.T) {
	var stdout, stderr bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		if code := demo(nil, &stdout, &stderr); code != 0 {
			t.Errorf("exit %d: %s", code, stderr.String())
		}
	})
	golden := filepath.Join("testdata", "demo.golden")
	if *update {
		if err := os.WriteFile(golden, stdout.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if stdout.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", stdout.String(), want)
	}
}

func TestDemoTakesNoArguments(t *testing.T) {
	for _, args := range [][]string{{"loud"}, {"--loud"}} {
		var stdout, stderr bytes.Buffer
		if code := demo(args, &stdout, &stderr); code != exitUsage || stdout.Len() > 0 || !strings.Contains(stderr.String(), "usage: midimon demo") {
			t.Errorf("%v: exit %d, %q, %q", args, code, stdout.String(), stderr.String())
		}
	}
}

func TestPerformanceErrors(t *testing.T) {
	for text, want := range map[string]string{
		"x on 1 2":                      `line 1: "x" are no milliseconds`,
		"# a comment\n\n5 on 1":         `line 3: "on 1" is no message`,
		"5 bang 1 2":                    `line 1: "bang 1 2" is no message`,
		"5 on 128 1":                    `line 1: "128" is not 0-127`,
		"5":                             `line 1: "5" is no moment`,
		"5 on 1 1 one\n4 off 1 the end": "line 2: time runs back",
	} {
		if _, err := parsePerformance(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
