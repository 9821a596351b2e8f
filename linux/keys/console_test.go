//go:build linux

package keys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

func write(t *testing.T, root, path, text string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What reads a real console is tested in the machine.
func TestConsoleThatCannotBeReadHasAFix(t *testing.T) {
	root := t.TempDir()
	for _, c := range []struct {
		name  string
		make  func()
		cause error
		fix   string
	}{
		{"no consoles", func() {}, fs.ErrNotExist, "none: this kernel has no consoles"},
		{"no node", func() { write(t, root, "sys/class/tty/tty0/active", "tty7\n") }, fs.ErrNotExist, report.Unexplained},
		{"no console", func() { write(t, root, "dev/tty7", "") }, syscall.ENOTTY, report.Unexplained},
	} {
		c.make()
		_, err := openConsole(root)
		f, ok := errors.AsType[*report.Fault](err)
		if !ok || f.Check != textCheck || f.Fix != c.fix || !errors.Is(err, c.cause) {
			t.Errorf("%s: %v, %+v", c.name, err, f)
		}
		if row := textRow(err); row.Status != report.Warning || !strings.Contains(row.Message, "console") && !strings.Contains(row.Message, "tty7") || row.Fix != c.fix {
			t.Errorf("%s: %+v", c.name, row)
		}
	}
	if row := textRow(nil); row != (report.Check{}) {
		t.Errorf("%+v", row)
	}
}

func TestLockedModifiers(t *testing.T) {
	root := t.TempDir()
	for lamp, trigger := range map[string]string{
		"input3::capslock":   "none [kbd-ctrlllock] kbd-ctrlrlock kbd-capslock",
		"input3::scrolllock": "none kbd-ctrlllock [kbd-altgrlock]",
		"input3::numlock":    "none kbd-ctrlllock [kbd-numlock]",
		"input4::capslock":   "[none] kbd-shiftlock",
		"input5::capslock":   "none [kbd-shiftlock]",
	} {
		write(t, root, "sys/class/leds/"+lamp+"/trigger", trigger+"\n")
		write(t, root, "sys/class/leds/"+lamp+"/brightness", "1\n")
	}
	write(t, root, "sys/class/leds/input5::capslock/brightness", "0\n")
	if got := locks(root); got != 1<<6|1<<1 {
		t.Errorf("locked are %b", got)
	}
}

// What keeps a console from typing is told once, and its end.
func TestTextIsToldOf(t *testing.T) {
	var told []report.Check
	b, keys, _ := opened()
	b.TellOfText(func(c report.Check) { told = append(told, c) })
	b.chosen.text = byUinput
	b.ways[byUinput] = keys
	fault := &report.Fault{Check: textCheck, Fix: "mend it", Err: errors.New("why")}
	row := textRow(fault)
	for _, err := range []error{nil, fault, fault, errors.New("other"), nil, fault} {
		keys.fail = err
		_ = b.Do(&effect.Effect{Kind: effect.Act, Action: &effect.Text{Text: "x"}})
	}
	w := &world{wayland: "no", portal: "no", xtest: "no", console: row}
	if c := b.judge(w, choose(w, "")); c.Status != report.Warning || c.Fix != "mend it" || !strings.HasSuffix(c.Message, "; no text is typed: why") {
		t.Errorf("%+v", c)
	}
	b.tellOfText(choice{}, row) // uinput is gone
	if want := []report.Check{row, {}, row, {}}; !slices.Equal(told, want) {
		t.Errorf("told %+v", told)
	}
}
