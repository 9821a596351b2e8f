//go:build linux && desktop

package mpris_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/mpris"
)

// stage is a backend on a session bus with players.
type stage struct {
	*mpris.Backend
	*desktoptest.Desktop
	t       *testing.T
	conn    *dbus.Conn // whose view is the desktop's
	changes chan *dbus.Signal
	failed  chan string
	files   []string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	desktoptest.Need(t, "mpv", "playerctl")
	s := &stage{Desktop: desktoptest.New(t), t: t, failed: make(chan string, 64)}
	var err error
	if s.conn, err = dbus.Connect(s.Getenv("DBUS_SESSION_BUS_ADDRESS")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.conn.Close() })
	s.changes = make(chan *dbus.Signal, 256)
	s.conn.Signal(s.changes)
	if err := s.conn.AddMatchSignal(dbus.WithMatchObjectPath("/org/mpris/MediaPlayer2"), dbus.WithMatchMember("PropertiesChanged")); err != nil {
		t.Fatal(err)
	}
	session := bus.Session(s.Getenv)
	t.Cleanup(session.Close)
	s.Backend = mpris.New(session)
	s.Defer(func(_ effect.Effect, err error) { s.failed <- err.Error() })
	for i := range 3 {
		s.files = append(s.files, s.Silence(fmt.Sprintf("%d.wav", i)))
	}
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

// player is an mpv, or a cmus.
type player struct {
	*desktoptest.Program
	s    *stage
	name string // on the bus, without the prefix
}

// play starts an mpv that plays. Its name on the bus is mpv, or mpv.instance-PID if that is taken.
func (s *stage) play() *player {
	s.t.Helper()
	before := s.list()
	args := []string{"--no-video", "--ao=null", "--no-terminal"} // Debian loads mpv-mpris by itself
	p := &player{Program: s.Start("mpv", append(args, s.files...)...), s: s}
	desktoptest.Until(s.t, "a player", func() bool {
		for _, name := range s.list() {
			if !slices.Contains(before, name) {
				p.name = name
			}
		}
		return p.name != ""
	})
	p.is("Playing")
	return p
}

// playCmus starts a cmus that plays, through a sound server. It wants a terminal.
func (s *stage) playCmus() *player {
	s.t.Helper()
	desktoptest.Need(s.t, "cmus", "cmus-remote", "script")
	desktoptest.PulseAudio(s.Desktop)
	s.Write("config/cmus/rc", "set output_plugin=pulse\n")
	socket := filepath.Join(s.Dir, "cmus")
	c := s.Command("script", "-qfc", "cmus --listen "+socket, "/dev/null")
	c.Env = append(slices.Clone(s.Env), "TERM=xterm")
	p := &player{Program: s.Run(c), s: s, name: "cmus"}
	desktoptest.Until(s.t, "cmus", func() bool { return s.Command("cmus-remote", "--server", socket, "--stop").Run() == nil })
	s.Output("cmus-remote", append([]string{"--server", socket, "--library"}, s.files...)...)
	desktoptest.Until(s.t, "cmus playing", func() bool {
		s.Output("cmus-remote", "--server", socket, "--play")
		return p.property("PlaybackStatus") == "Playing"
	})
	p.is("Playing")
	return p
}

// list is what playerctl calls the players.
func (s *stage) list() (names []string) {
	out, _ := s.Command("playerctl", "-l").Output() // fails when there is none
	return strings.Fields(string(out))
}

// object is the player itself: playerctl takes one name for all that begin with it.
func (p *player) object() dbus.BusObject {
	return p.s.conn.Object("org.mpris.MediaPlayer2."+p.name, "/org/mpris/MediaPlayer2")
}

func (p *player) property(name string) any {
	v, err := p.object().GetProperty("org.mpris.MediaPlayer2.Player." + name)
	if err != nil {
		return nil
	}
	return v.Value()
}

// tell is somebody else's wish.
func (p *player) tell(operation string) {
	p.s.t.Helper()
	if err := p.object().Call("org.mpris.MediaPlayer2.Player."+operation, 0).Err; err != nil {
		p.s.t.Fatal(err)
	}
}

func (p *player) is(want string) {
	p.s.t.Helper()
	desktoptest.Until(p.s.t, p.name+" "+want, func() bool { return p.property("PlaybackStatus") == want })
	p.s.settle()
}

// settle waits until the players have said all that they have to say. This one tells of
// changes up to 100 ms later, and of those that are over by then as well.
func (s *stage) settle() {
	for {
		select {
		case <-s.changes:
		case <-time.After(200 * time.Millisecond):
			return
		}
	}
}

func (p *player) plays(file string) {
	p.s.t.Helper()
	desktoptest.Until(p.s.t, p.name+" playing "+file, func() bool {
		m, _ := p.property("Metadata").(map[string]dbus.Variant)
		url, _ := m["xesam:url"].Value().(string)
		return strings.HasSuffix(url, filepath.Base(file))
	})
}

func (s *stage) do(operation, name string) {
	s.t.Helper()
	if err := s.Do(&effect.Effect{Action: &effect.Media{Operation: operation, Player: name}}); err != nil {
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

func TestTheRightPlayer(t *testing.T) {
	s := newStage(t)
	s.do("Next", "")
	s.fails("no player is there")

	one := s.play()
	two := s.play()
	if one.name == two.name {
		t.Fatalf("both are called %s", one.name)
	}
	// Both play: the one that began last.
	s.do("PlayPause", "")
	two.is("Paused")
	one.is("Playing")
	// And the same one goes on, although the other plays.
	s.do("PlayPause", "")
	two.is("Playing")
	one.is("Playing")

	// What plays is what goes to the next track.
	s.do("Pause", "")
	two.is("Paused")
	s.do("Next", "")
	one.plays(s.files[1])
	two.plays(s.files[0])
	s.do("Previous", "")
	one.plays(s.files[0])

	// Once somebody else began to play, he is meant.
	one.tell("Pause")
	one.is("Paused")
	one.tell("Play")
	one.is("Playing")
	s.do("PlayPause", "")
	one.is("Paused")
	two.is("Paused")
	s.do("PlayPause", "")
	one.is("Playing")

	// By name.
	s.do("Play", two.name)
	two.is("Playing")
	s.do("Pause", two.name)
	two.is("Paused")
	s.do("Play", "nobody")
	s.fails(`no player "nobody" is there; there is ` + one.name)

	// One goes.
	two.Kill()
	s.do("Pause", "")
	one.is("Paused")
	s.do("PlayPause", "")
	one.is("Playing")
	s.do("Stop", "")
	desktoptest.Until(t, "it to stop", func() bool { return one.property("PlaybackStatus") != "Playing" })
}

// Players of two kinds, neither of which knows of the other.
func TestTheRightKindOfPlayer(t *testing.T) {
	s := newStage(t)
	mpv := s.play()
	cmus := s.playCmus()
	if c := s.Detect(t.Context()); c.Status != report.OK || c.Message != "players on the session bus: cmus, mpv" {
		t.Errorf("%+v", c)
	}
	both := func(first, second string) {
		t.Helper()
		mpv.is(first)
		cmus.is(second)
	}
	s.do("PlayPause", "") // both play: the one that began last
	both("Playing", "Paused")
	s.do("PlayPause", "") // and the same one goes on
	both("Playing", "Playing")
	s.do("Pause", "")
	both("Playing", "Paused")
	track := fmt.Sprint(cmus.property("Metadata"))
	s.do("Next", "") // of the one that plays
	mpv.plays(s.files[1])
	if now := fmt.Sprint(cmus.property("Metadata")); now != track {
		t.Errorf("the other one went from %s to %s", track, now)
	}
	mpv.tell("Pause")
	both("Paused", "Paused")
	mpv.tell("Play") // somebody else's wish: this one is meant from now on
	both("Playing", "Paused")
	s.do("PlayPause", "")
	both("Paused", "Paused")
	s.do("PlayPause", "")
	both("Playing", "Paused")
	s.do("PlayPause", "cmus")
	both("Playing", "Playing")
	s.do("Pause", mpv.name)
	both("Paused", "Playing")
	s.do("PlayPause", "") // whom we made pause goes on
	both("Playing", "Playing")
	cmus.Kill()
	desktoptest.Until(t, "cmus gone", func() bool { return !slices.Contains(s.list(), "cmus") })
	s.settle()
	s.do("PlayPause", "")
	mpv.is("Paused")
}

// TestAPlayerThatHangs: it keeps nobody waiting, and is not asked again while others are there.
func TestAPlayerThatHangs(t *testing.T) {
	s := newStage(t)
	one, two := s.play(), s.play()
	two.Signal(syscall.SIGSTOP)
	s.do("Pause", "")
	if len(s.failed) > 0 {
		t.Error("Do waited for the answer")
	}
	s.fails("does not answer")
	began := time.Now()
	s.do("Pause", "")
	one.is("Paused")
	t.Logf("the next player paused after %v", time.Since(began))
	two.Signal(syscall.SIGCONT)
	two.is("Paused") // it was told
	s.do("Play", two.name)
	two.is("Playing")
}

// TestTheBusGoes: the backend notices without being asked.
func TestTheBusGoes(t *testing.T) {
	s := newStage(t)
	session := bus.Session(s.Getenv)
	t.Cleanup(session.Close)
	b := mpris.New(session)
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	session.Close()
	select {
	case <-b.Lost():
	case <-time.After(desktoptest.Limit):
		t.Fatal("the loss is not noticed")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Await(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestMediaLatency: from the effect to the signal that the player changed, beside playerctl.
func TestMediaLatency(t *testing.T) {
	s := newStage(t)
	p := s.play()
	changes := s.changes
	measure := func(name string, act func()) {
		var took []time.Duration
		for range 60 {
			time.Sleep(20 * time.Millisecond)
			for len(changes) > 0 {
				<-changes
			}
			began := time.Now()
			act()
			for status := false; !status; {
				c := <-changes
				changed, _ := c.Body[1].(map[string]dbus.Variant)
				_, status = changed["PlaybackStatus"]
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%-9s effect to observed signal: p50 %v, p99 %v", name, took[len(took)/2], took[len(took)*99/100])
	}
	measure("midimon", func() { s.do("PlayPause", "") })
	measure("playerctl", func() { s.Output("playerctl", "-p", p.name, "play-pause") })
}
