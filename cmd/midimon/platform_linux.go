package main

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/linux/alsaseq"
	"github.com/amiable-dev/midimon/linux/audio"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/buscall"
	"github.com/amiable-dev/midimon/linux/focus"
	presses "github.com/amiable-dev/midimon/linux/keys" // keys is a word of ours
	"github.com/amiable-dev/midimon/linux/launch"
	"github.com/amiable-dev/midimon/linux/lease"
	"github.com/amiable-dev/midimon/linux/mpris"
	"github.com/amiable-dev/midimon/linux/notify"
	"github.com/amiable-dev/midimon/linux/remedy"
	"github.com/amiable-dev/midimon/linux/resident"
	"github.com/amiable-dev/midimon/linux/running"
	"github.com/amiable-dev/midimon/linux/session"
	"github.com/amiable-dev/midimon/linux/stream"
	"github.com/amiable-dev/midimon/linux/systemd"
	"github.com/amiable-dev/midimon/linux/wayland"
	"github.com/amiable-dev/midimon/service"
)

func configPath() string {
	return filepath.Join(xdg("XDG_CONFIG_HOME", ".config"), "midimon", "config.toml")
}

func statePath() string {
	return filepath.Join(xdg("XDG_STATE_HOME", ".local/state"), "midimon", "state.json")
}

// bringBus is the command that brings the session bus.
func bringBus() string { return remedy.SessionBus() }

func runtimeDir() string { return os.Getenv("XDG_RUNTIME_DIR") }

func logHandler(stderr io.Writer, level slog.Leveler) slog.Handler {
	return systemd.LogHandler(stderr, level)
}

// platform adds what Linux brings.
func platform(o *service.Options, log *slog.Logger) (err error) {
	o.Drivers = []service.Driver{
		sequencer{alsaseq.New(log, alsaseq.Options{})},
		streams{stream.New(log, nil)},
	}
	desk, system := bus.Session(os.Getenv), bus.System(os.Getenv) // which all share
	presser, notes := presses.New(desk, os.Getenv, log), notify.New(desk)
	o.SetBackend, o.SetPresent = presser.Use, presser.Present
	o.Backends = []service.Backend{presser, audio.New(nil), mpris.New(desk), notes, buscall.New(desk, system)}
	o.Notifier = notes
	o.Programs = launch.New(desk, os.Getenv, wayland.ActivationToken)
	o.Sensors = []service.Sensor{sessions{session.New(system, desk)}, focuses{focus.New(desk, os.Getenv)}}
	o.Running = running.Names
	o.PrivateEnv = append(systemd.PrivateEnv(), "DBUS_STARTER_ADDRESS", "DBUS_STARTER_BUS_TYPE")
	o.Guard = lease.Hold
	o.Free = func() {
		giveBack()
		if err := resident.Tables(); err != nil {
			log.Debug("tables stay in memory", "err", err)
		}
	}
	o.Supervisor = systemd.NewNotifier(log)
	o.Listener, err = systemd.Listener()
	return err
}

// A driver returns a session of its own type, and Go has it that this is another method.

type sequencer struct{ *alsaseq.Driver }

func (d sequencer) Open(deliver func(engine.Input)) (service.Session, error) {
	s, err := d.Driver.Open(deliver)
	if err != nil {
		return nil, err
	}
	return s, nil
}

type streams struct{ *stream.Driver }

func (d streams) Open(deliver func(engine.Input)) (service.Session, error) {
	s, err := d.Driver.Open(deliver)
	if err != nil {
		return nil, err
	}
	return s, nil
}
