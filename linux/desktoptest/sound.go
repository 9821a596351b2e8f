//go:build linux

package desktoptest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Sound is a sound server with two sinks of its own that play nowhere, "one", which is the
// default, and "two". Each has a source: what is played, as "one.monitor".
type Sound struct {
	*Desktop
	start    func() *Program
	server   *Program
	programs []*Program // beside the server
}

// PulseAudio starts a PulseAudio on the desktop.
func PulseAudio(d *Desktop) *Sound {
	d.t.Helper()
	Need(d.t, "pulseaudio", "pactl", "pacat")
	s := &Sound{Desktop: d}
	s.start = func() *Program {
		return d.Start("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
			"-L", "module-native-protocol-unix", "-L", "module-null-sink sink_name=one sink_properties=device.description=First",
			"-L", "module-null-sink sink_name=two sink_properties=device.description=Second")
	}
	s.Start()
	return s
}

// PipeWire starts a PipeWire on the desktop, which speaks PulseAudio's protocol.
func PipeWire(d *Desktop) *Sound {
	d.t.Helper()
	Need(d.t, "pipewire", "wireplumber", "pipewire-pulse", "pactl", "pacat")
	s := &Sound{Desktop: d}
	s.start = func() *Program {
		for _, p := range s.programs {
			p.Kill()
		}
		socket := filepath.Join(d.Dir, "pipewire-0")
		_ = os.Remove(socket) // of one that was killed
		s.programs = []*Program{d.Start("pipewire")}
		Until(d.t, "PipeWire", func() bool { // who comes before it gives up
			c, err := (&net.Dialer{}).DialContext(d.t.Context(), "unix", socket)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
		s.programs = append(s.programs, d.Start("wireplumber"))
		return d.Start("pipewire-pulse")
	}
	s.Start()
	return s
}

// Start starts the server, again after Kill, and returns when it serves.
func (s *Sound) Start() {
	s.t.Helper()
	s.server = s.start()
	Until(s.t, "a sound server", func() bool { return s.Desktop.Command("pactl", "info").Run() == nil })
	sinks := func() string { return s.Output("pactl", "list", "short", "sinks") }
	if !strings.Contains(sinks(), "two") { // PipeWire has none from the beginning
		s.Output("pactl", "load-module", "module-null-sink", "sink_name=one", "sink_properties=device.description=First")
		s.Output("pactl", "load-module", "module-null-sink", "sink_name=two", "sink_properties=device.description=Second")
	}
	Until(s.t, "two sinks", func() bool { return strings.Contains(sinks(), "one") && strings.Contains(sinks(), "two") })
	Until(s.t, "a default sink", func() bool {
		_ = s.Desktop.Command("pactl", "set-default-sink", "one").Run()
		return strings.TrimSpace(s.Output("pactl", "get-default-sink")) == "one"
	})
}

// Kill ends the server as if it had crashed.
func (s *Sound) Kill() {
	s.server.Kill()
	for _, p := range s.programs {
		p.Kill()
	}
	s.programs = nil
}

// Server is the program that clients talk to.
func (s *Sound) Server() *Program { return s.server }

// Play starts an application of that name that plays silence.
func (s *Sound) Play(application string) *Program {
	s.t.Helper()
	c := s.playing(application)
	p := s.Run(c)
	Until(s.t, application+" playing", func() bool {
		return strings.Contains(s.Output("pactl", "list", "sink-inputs"), `application.name = "`+application+`"`)
	})
	return p
}

func (s *Sound) playing(application string) *exec.Cmd {
	return s.Command("sh", "-c", `pacat --playback --client-name="$0" --raw /dev/zero`, application)
}

// Volume is what pactl says of a volume: get-sink-volume, get-source-volume and a name.
func (s *Sound) Volume(t testing.TB, what, name string) string {
	t.Helper()
	out := s.Output("pactl", "get-"+what+"-volume", name)
	var percents []string
	for word := range strings.FieldsSeq(out) {
		if strings.HasSuffix(word, "%") {
			percents = append(percents, word)
		}
	}
	return strings.Join(percents, " ")
}
