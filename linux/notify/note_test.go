package notify

import (
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

func TestFailedNote(t *testing.T) {
	d := func(severity string, line int, message string) report.Diagnostic {
		return report.Diagnostic{Severity: severity, File: "/home/me/config.toml", Line: line, Column: 5, Message: message, Excerpt: "secret"}
	}
	for _, c := range []struct {
		r    report.Reload
		want string
	}{
		{report.Reload{Err: "no such file"}, "no such file"},
		{report.Reload{Err: "x", Diagnostics: []report.Diagnostic{d(report.Warn, 1, "odd"), d(report.Error, 3, "note: 128 is out of range")}}, "config.toml:3:5: note: 128 is out of range"},
		{report.Reload{Diagnostics: []report.Diagnostic{d(report.Error, 3, "a"), d(report.Error, 4, "b"), d(report.Error, 5, "c")}}, "config.toml:3:5: a\nand 2 more"},
	} {
		n := failedNote(&c.r)
		if n.body != c.want || n.slot == "" || n.asked {
			t.Errorf("%+v, want body %q", n, c.want)
		}
	}
}

func TestMarkup(t *testing.T) {
	n := noteOf(&effect.Notify{Body: `<b>&amp; "x"`}, &effect.Effect{})
	if got := n.shown(true); got != "&lt;b&gt;&amp;amp; &#34;x&#34;" {
		t.Errorf("with markup: %s", got)
	}
	if got := n.shown(false); got != n.body {
		t.Errorf("without: %s", got)
	}
}

func TestSlots(t *testing.T) {
	s := slots{}
	now := time.Now()
	a := func(body string) *note { return &note{slot: "a", body: body} }
	first, ok := s.take(a("1"), now)
	if !ok {
		t.Fatal("the first waits")
	}
	first.id = 7
	if _, ok := s.take(&note{}, now); !ok {
		t.Error("one without a slot waits")
	}
	if _, ok := s.take(&note{slot: "b"}, now); !ok {
		t.Error("another slot waits")
	}
	for _, body := range []string{"2", "3"} {
		if _, ok := s.take(a(body), now.Add(every/2)); ok {
			t.Errorf("%s does not wait", body)
		}
	}
	at, ok := s.due()
	if !ok || !at.Equal(now.Add(every)) {
		t.Errorf("due at %v", at.Sub(now))
	}
	if got := s.waiting(now.Add(every - 1)); len(got) != 0 {
		t.Error("too early")
	}
	got := s.waiting(now.Add(every))
	if len(got) != 1 || got[0].body != "3" {
		t.Fatalf("%d wait, want the newest", len(got))
	}
	if at, ok := s.take(got[0], now.Add(every)); !ok || at.id != 7 {
		t.Error("it does not replace the first")
	}
	if _, ok := s.due(); ok {
		t.Error("something waits")
	}
	s.clear()
	if at, _ := s.take(a("4"), now.Add(3*every)); at == nil || at.id != 0 {
		t.Error("it replaces what is gone")
	}
	for i := range 3 * maxSlots {
		s.take(&note{slot: string(rune('A' + i))}, now.Add(time.Duration(i)*time.Hour))
	}
	if len(s) > maxSlots+1 {
		t.Errorf("%d slots are remembered", len(s))
	}
}
