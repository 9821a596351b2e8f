//go:build linux && desktop

package notify_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/notify"
)

// stage is a backend on a desktop.
type stage struct {
	*notify.Backend
	*desktoptest.Desktop
	t      *testing.T
	failed chan string
}

func newStage(t *testing.T, d *desktoptest.Desktop) *stage {
	t.Helper()
	session := bus.Session(d.Getenv)
	t.Cleanup(session.Close)
	s := &stage{Backend: notify.New(session), Desktop: d, t: t, failed: make(chan string, 64)}
	s.Defer(func(_ effect.Effect, err error) { s.failed <- err.Error() })
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) do(a effect.Notify) {
	s.t.Helper()
	if err := s.Do(&effect.Effect{Action: &a}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) fails(words string) {
	s.t.Helper()
	select {
	case got := <-s.failed:
		if !strings.Contains(got, words) {
			s.t.Errorf("failed because %q, want %q", got, words)
		}
	case <-time.After(desktoptest.Limit):
		s.t.Fatalf("nothing failed; want %q", words)
	}
}

// shown is what dunst has shown and closed, newest first, as "summary|body": dunstctl tells of
// nothing else.
func (s *stage) shown() []string {
	s.t.Helper()
	s.Output("dunstctl", "close-all")
	var history struct {
		Data [][]struct {
			Message struct{ Data string } `json:"message"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(s.Output("dunstctl", "history")), &history); err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, n := range history.Data[0] {
		out = append(out, n.Message.Data)
	}
	return out
}

func (s *stage) displayed() (n int) {
	s.t.Helper()
	if _, err := fmt.Sscan(s.Output("dunstctl", "count", "displayed"), &n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// pictures keeps what a person would want to see, where ARTEFACTS says.
func (s *stage) picture(name string) {
	if dir := os.Getenv("ARTEFACTS"); dir != "" {
		s.Output("import", "-window", "root", filepath.Join(dir, name+".png"))
	}
}

func TestNotifications(t *testing.T) {
	d := desktoptest.X11(t)
	dunst := d.Dunst()
	s := newStage(t, d)
	heard := d.Monitor()
	if c := s.Detect(t.Context()); c.Name != "notify" || c.Status != report.OK || !strings.HasPrefix(c.Message, "notifications by dunst ") {
		t.Errorf("%+v", c)
	}
	long := 10 * time.Minute
	s.do(effect.Notify{Summary: "alone", Body: "first", Timeout: long})
	s.do(effect.Notify{Summary: "alone", Body: "second", Timeout: long})
	desktoptest.Until(t, "two notifications", func() bool { return s.displayed() == 2 })

	// One slot shows one, the newest; twenty at once do not flood.
	for i := range 20 {
		s.do(effect.Notify{Summary: "Volume", Body: fmt.Sprint(i, " %"), Slot: "volume", Timeout: long})
	}
	s.do(effect.Notify{Summary: "a <b>bold</b> & \"quoted\"", Body: "<b>not bold</b> & more", Slot: "other", Timeout: long})
	desktoptest.Until(t, "four notifications", func() bool { return s.displayed() == 4 })
	// What waits for its slot comes last; dunst takes calls in their order.
	heard.Notify("19 %")
	s.picture("notifications")
	if n := s.displayed(); n != 4 {
		t.Errorf("%d notifications are displayed, want 4", n)
	}
	got := s.shown()
	slices.Sort(got)
	want := []string{"Volume|19 %", "a <b>bold</b> & \"quoted\"|<b>not bold</b> & more", "alone|first", "alone|second"}
	for i := range got {
		got[i] = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#34;", `"`, "&amp;", "&").Replace(got[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("shown %q\nwant  %q", got, want)
	}

	// A failed reload, twice, is one.
	for range 2 {
		s.ReloadFailed(report.Reload{Err: "x", Diagnostics: []report.Diagnostic{{Severity: report.Error, File: "config.toml", Line: 3, Column: 1, Message: "is wrong"}}})
	}
	desktoptest.Until(t, "a failed reload", func() bool { return s.displayed() == 1 })

	// Another daemon knows none of what the last one showed.
	dunst.Kill()
	s.do(effect.Notify{Summary: "nobody there"})
	s.fails("no notification daemon that works")
	d.Dunst()
	desktoptest.Until(t, "the new daemon", func() bool {
		s.do(effect.Notify{Summary: "Volume", Body: "again", Slot: "volume", Timeout: long})
		return s.displayed() == 1
	})
}

// TestADaemonThatHangs: it is asked once, and again when it answers or is another. Nobody waits for it, which a
// busy machine may hide: then it is tried anew.
func TestADaemonThatHangs(t *testing.T) {
	d := desktoptest.X11(t)
	dunst := d.Dunst()
	s := newStage(t, d)
	const rounds, waits = 3, 2 * time.Second
	for round := 1; ; round++ {
		for len(s.failed) > 0 {
			<-s.failed
		}
		dunst.Signal(syscall.SIGSTOP)
		began := time.Now()
		s.do(effect.Notify{Summary: "one"})
		first := time.Since(began)
		s.fails("did not answer within 2s")
		began = time.Now()
		s.do(effect.Notify{Summary: "two"})
		s.fails("is left alone")
		second := time.Since(began)
		t.Logf("with a daemon that hangs Do takes %v, and the next one fails after %v", first, second)
		dunst.Signal(syscall.SIGCONT)
		desktoptest.Until(t, "the daemon", func() bool {
			s.do(effect.Notify{Summary: "three", Slot: "x"})
			return slices.Contains(s.shown(), "three|")
		})
		dunst.Kill()
		dunst = d.Dunst()
		desktoptest.Until(t, "the new daemon", func() bool {
			s.do(effect.Notify{Summary: "four", Slot: "x"})
			return s.displayed() > 0
		})
		if first < waits && second < waits {
			return
		}
		if round == rounds {
			t.Fatal("the daemon is waited for")
		}
	}
}

// TestABrokenDaemon: the bus starts it, and it dies.
func TestABrokenDaemon(t *testing.T) {
	services := t.TempDir()
	if err := os.Chmod(services, 0o755); err != nil { //nolint:gosec // the bus is to read it
		t.Fatal(err)
	}
	counter := filepath.Join(services, "started")
	text := "[D-BUS Service]\nName=org.freedesktop.Notifications\nExec=/bin/sh -c 'echo x >>" + counter + "; kill -TRAP $$'\n"
	if err := os.WriteFile(filepath.Join(services, "broken.service"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, desktoptest.New(t, "<servicedir>"+services+"</servicedir>"))
	for range 5 {
		s.do(effect.Notify{Summary: "one"})
		s.fails("no notification daemon that works: org.freedesktop.DBus.Error.Spawn")
	}
	if b, _ := os.ReadFile(counter); string(b) != "x\n" {
		t.Errorf("it was started %d times", strings.Count(string(b), "x"))
	}
}
