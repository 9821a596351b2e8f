package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/dbusapi/client"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/alsaseq"
	"github.com/amiable-dev/midimon/linux/audio"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/buscall"
	"github.com/amiable-dev/midimon/linux/focus"
	"github.com/amiable-dev/midimon/linux/keys"
	"github.com/amiable-dev/midimon/linux/launch"
	"github.com/amiable-dev/midimon/linux/mpris"
	"github.com/amiable-dev/midimon/linux/notify"
	"github.com/amiable-dev/midimon/linux/session"
	"github.com/amiable-dev/midimon/linux/units"
	"github.com/amiable-dev/midimon/packaging"
	"github.com/amiable-dev/midimon/service"
	"github.com/amiable-dev/midimon/service/lock"
	"github.com/amiable-dev/midimon/service/midi"
)

// life is systemd's, or the bus's where there is no systemd.
func (a *app) life() life {
	return unitsLife{&units.Life{
		Address: dbusapi.SessionAddress(a.getenv), Name: dbusapi.BusName, Holder: a.holder, Files: a.unitFiles(),
	}}
}

// holder tells which daemon has the lock.
func (a *app) holder() (pid int, how string, runs bool, err error) {
	dir := client.PrivateDir(a.getenv)
	if dir == "" {
		return 0, "", false, nil
	}
	o, held, err := lock.Holder(dir)
	return o.Pid, o.How, held, err
}

// unitFiles are the files of a midimon that no package installed.
func (a *app) unitFiles() []units.File {
	texts := map[string][]byte{}
	for _, path := range []string{"systemd/" + units.Service, "systemd/" + units.Socket, "systemd/" + units.Tray, "dbus-1/" + dbusapi.BusName + ".service"} {
		text, err := packaging.Texts.ReadFile(path)
		if err != nil {
			panic(err) // it is built in
		}
		texts[filepath.Base(path)] = text
	}
	return units.Files(a.xdg("XDG_CONFIG_HOME", ".config"), a.xdg("XDG_DATA_HOME", ".local/share"), programs(), texts)
}

// xdg is a base directory (XDG Base Directory Specification).
func (a *app) xdg(variable, fallback string) string {
	if dir := a.getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(a.getenv("HOME"), fallback)
}

// programs is the directory of this program, beside which midimon is.
func programs() string {
	self, err := os.Executable()
	if err != nil {
		return "/usr/bin"
	}
	return filepath.Dir(self)
}

// unitsLife says it in the words of the verbs.
type unitsLife struct{ *units.Life }

func told(d units.Done, err error) (did, mayStart []string, _ error) { return d.Did, d.MayStart, err }

func (l unitsLife) Start(ctx context.Context) ([]string, []string, error) {
	return told(l.Life.Start(ctx))
}

func (l unitsLife) Stop(ctx context.Context) ([]string, []string, error) {
	return told(l.Life.Stop(ctx))
}

func (l unitsLife) Restart(ctx context.Context) ([]string, []string, error) {
	return told(l.Life.Restart(ctx))
}

func (l unitsLife) Install(ctx context.Context) ([]string, []string, error) {
	return told(l.Life.Install(ctx))
}

func (l unitsLife) Uninstall(ctx context.Context) ([]string, []string, error) {
	return told(l.Life.Uninstall(ctx))
}

// machineChecks look at what the machine must offer.
func (a *app) machineChecks(ctx context.Context) []report.Check {
	runtime := report.Check{Name: "runtime-dir", Status: report.OK, Message: "XDG_RUNTIME_DIR is " + a.getenv("XDG_RUNTIME_DIR")}
	if a.getenv("XDG_RUNTIME_DIR") == "" {
		runtime.Name, runtime.Status, runtime.Message, runtime.Fix = "no-runtime-dir", report.Failed, "XDG_RUNTIME_DIR is not set", service.RuntimeDirFix("")
	}
	// What each back end would work with, all at once: some must be asked.
	desk, system, quiet := bus.Session(a.getenv), bus.System(a.getenv), slog.New(slog.DiscardHandler)
	defer desk.Close()
	defer system.Close()
	sequencer := alsaseq.New(quiet, alsaseq.Options{})
	detectors := []service.Detector{
		keys.New(desk, a.getenv, quiet), audio.New(a.getenv), mpris.New(desk), notify.New(desk), buscall.New(desk, system),
		launch.New(desk, a.getenv, nil), midi.New(nil, sequencer.Ports), session.New(system, desk), focus.New(desk, a.getenv),
	}
	found := make([]report.Check, len(detectors))
	var looking sync.WaitGroup
	for i, d := range detectors {
		looking.Go(func() { found[i] = d.Detect(ctx) })
	}
	looking.Wait()
	l := &units.Life{Address: dbusapi.SessionAddress(a.getenv), Name: dbusapi.BusName}
	return slices.Concat([]report.Check{
		runtime,
		row("alsa", "the ALSA sequencer can be opened", sequencer.Available()),
	}, found, l.Checks(ctx))
}
