package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 59 * time.Second: "59 s", 61 * time.Second: "1 min 1 s",
		3*time.Hour + 2*time.Minute: "3 h 2 min", 49 * time.Hour: "2 d 1 h",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := ago(0); got != "never" {
		t.Errorf("never is %q", got)
	}
}

// Colour goes to terminals only, and not to those who do not want it.
func TestColor(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = device.Close() }()
	none := func(string) string { return "" }
	env := func(key, value string) func(string) string {
		return func(k string) string { return map[string]string{key: value}[k] }
	}
	for name, x := range map[string]struct {
		a    app
		want bool
	}{
		"terminal":   {app{out: device, getenv: none}, true},
		"file":       {app{out: file, getenv: none}, false},
		"buffer":     {app{out: &bytes.Buffer{}, getenv: none}, false},
		"--no-color": {app{out: device, getenv: none, noColor: true}, false},
		"NO_COLOR":   {app{out: device, getenv: env("NO_COLOR", "1")}, false},
		"dumb":       {app{out: device, getenv: env("TERM", "dumb")}, false},
	} {
		if got := x.a.color(); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Colours do not count in the widths, and names do not drive the terminal.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	p := &printer{out: &out, color: true}
	p.table("> ", "  ", [][]cell{{{printable("Ü\x1b[2J"), bold}, {"a", plain}}, {{"xx", plain}, {"b", plain}}})
	want := "> \x1b[1mÜ\uFFFD[2J\x1b[0m  a\n  xx     b\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestWhatNobodySent(t *testing.T) {
	for want, from := range map[string][2]string{
		"time, or a caller":              {"", "time"},
		"LPD8 time":                      {"LPD8", "time"},
		"unknown device ch 1 pressure 3": {"", "pressure"},
	} {
		if got := message(from[0], from[1], 0, 0, 3); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
}

func TestDeviceRows(t *testing.T) {
	a := &app{verbose: true}
	for want, d := range map[string]client.Device{
		"no events yet": {State: "connected", Enabled: true},
		"held":          {State: "busy", Error: "held", Enabled: true},
		"":              {State: "absent", Enabled: true},
	} {
		row := a.deviceRows([]client.Device{d})[0]
		if got := row[len(row)-1].text; got != want {
			t.Errorf("%+v: %q, want %q", d, got, want)
		}
	}
	if got := a.deviceRows(nil)[0][0].text; got != "none" {
		t.Errorf("no devices: %q", got)
	}
	if got := portList([]client.Port{{Name: "a", In: true}, {Name: "b", Out: true}, {Name: "c", In: true, Out: true}}); got != "a (in), b (out), c" {
		t.Errorf("ports: %q", got)
	}
}
