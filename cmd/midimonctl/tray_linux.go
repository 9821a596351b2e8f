package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/launch"
	"github.com/amiable-dev/midimon/linux/notify"
	"github.com/amiable-dev/midimon/linux/tray"
	"github.com/amiable-dev/midimon/linux/wayland"
	"github.com/amiable-dev/midimon/service/lock"
)

func newTray(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "tray",
		Short: "Show an icon with a menu in the panel",
		Long: `Show an icon in the panel, which tells midimon's state, with a menu: the modes, the
controllers, what is wrong, pause, reload, open the configuration, doctor, stop and quit. It waits for
a panel that comes later, goes on while midimon, the panel or the bus stops and starts, and starts
nothing unless its Start is chosen. midimon-tray.service runs it with the desktop. What an entry
could not do is shown as a notification.

Panels show it that know StatusNotifierItem: those of KDE, Xfce, MATE, LXQt, Cinnamon, Budgie and
waybar, and GNOME's with the extension AppIndicator. With --json it shows the same.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithCancelCause(cmd.Context())
			defer cancel(nil)
			session := bus.Session(a.getenv)
			defer session.Close()
			log := slog.New(slog.NewTextHandler(a.err, nil))
			i := &indicator{app: a, ctx: ctx, quit: func() { cancel(nil) }, bus: session, programs: launch.New(session, a.getenv, wayland.ActivationToken), log: log, busy: make(chan struct{}, 4)}
			faces := make(chan tray.Face, 1)
			go func() { cancel(i.watch(faces)) }()
			if err := tray.Run(ctx, session, faces, log); err != nil {
				return fmt.Errorf("cannot show a tray icon: %w", err)
			}
			if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("cannot watch midimon: %w", err)
			}
			return nil
		},
	}
}

// An indicator makes the icon and its menu of how midimon fares.
type indicator struct {
	*app
	ctx  context.Context //nolint:containedctx // the entries act as long as the command runs
	quit func()

	bus      *bus.Bus
	programs *launch.Programs
	log      *slog.Logger
	busy     chan struct{} // how many entries act at the same time
}

// watch makes a face of each change until ctx is done. The newest alone counts.
func (i *indicator) watch(faces chan tray.Face) error {
	w := &client.Watch{Address: i.address, Getenv: i.getenv, Runs: func(dir string) (int, bool, error) {
		o, held, err := lock.Holder(dir)
		return o.Pid, held, err
	}}
	return w.Run(i.ctx, func(m *client.Moment, incident *client.Incident) error {
		if incident != nil {
			return nil
		}
		select {
		case <-faces:
		default:
		}
		faces <- i.face(m)
		return nil
	})
}

func (i *indicator) face(m *client.Moment) tray.Face {
	if m.State == client.Stopped {
		return tray.Face{State: m.State, Tooltip: "midimon: stopped", Menu: []tray.Entry{
			{Key: "start", Title: "Start", Do: i.tell("start midimon", func(ctx context.Context) error { _, _, err := i.life().Start(ctx); return err })},
		}}
	}
	menu := []tray.Entry{{Key: "state", Title: "midimon: " + m.State, Disabled: true}}
	for _, c := range m.Health {
		menu = append(menu, tray.Entry{Key: "health " + c.Check, Title: oneLine(c.Check + ": " + c.Message), Disabled: true})
	}
	modes := make([]tray.Entry, 0, len(m.Modes))
	for _, name := range m.Modes {
		modes = append(modes, tray.Entry{Key: name, Title: oneLine(name), Mark: tray.OneOf, Checked: name == m.Mode, Do: i.call("change the mode", func(ctx context.Context, c *client.Client) error {
			return c.SetMode(ctx, name)
		})})
	}
	devices := make([]tray.Entry, 0, len(m.ConnectedDevices))
	for _, name := range m.ConnectedDevices {
		devices = append(devices, tray.Entry{Key: name, Title: oneLine(name), Disabled: true})
	}
	if len(devices) == 0 {
		devices = append(devices, tray.Entry{Title: "none is connected", Disabled: true})
	}
	paused := m.State == "paused"
	menu = append(
		menu, tray.Entry{Key: "-1"},
		tray.Entry{Key: "mode", Title: oneLine("Mode: " + m.Mode), Menu: modes},
		tray.Entry{Key: "devices", Title: "Controllers", Menu: devices},
		tray.Entry{Key: "-2"},
		tray.Entry{Key: "pause", Title: "Paused", Mark: tray.Tick, Checked: paused, Do: i.call("pause or resume", func(ctx context.Context, c *client.Client) error {
			if paused {
				return c.Resume(ctx)
			}
			return c.Pause(ctx)
		})},
		tray.Entry{Key: "reload", Title: "Reload", Do: i.call("reload", func(ctx context.Context, c *client.Client) error {
			_, _, err := c.Reload(ctx)
			return err
		})},
		tray.Entry{Key: "config", Title: "Open configuration", Do: i.call("open the configuration", i.openConfig)},
		tray.Entry{Key: "doctor", Title: "Doctor", Do: i.tell("run the doctor", i.doctor)},
		tray.Entry{Key: "-3"},
		tray.Entry{Key: "stop", Title: "Stop midimon", Do: i.tell("stop midimon", func(ctx context.Context) error { _, _, err := i.life().Stop(ctx); return err })},
		tray.Entry{Key: "quit", Title: "Quit this icon", Do: i.quit},
	)
	tooltip := fmt.Sprintf("midimon: %s, mode %s, %s connected", m.State, m.Mode, names(m.ConnectedDevices))
	return tray.Face{State: m.State, Tooltip: tooltip, Menu: menu}
}

// tell makes what an entry does: beside the panel's call, and what fails is told.
func (i *indicator) tell(what string, do func(context.Context) error) func() {
	return func() {
		select {
		case i.busy <- struct{}{}:
		default:
			i.log.Warn("too much is asked of the tray icon at the same time", "action", what)
			return
		}
		go func() {
			defer func() { <-i.busy }()
			ctx, cancel := context.WithTimeout(i.ctx, lifeTimeout)
			defer cancel()
			if err := do(ctx); err != nil && i.ctx.Err() == nil {
				i.log.Error("cannot "+what, "err", err) //nolint:sloglint // each entry has a text of its own
				i.complain("cannot "+what, err)
			}
		}()
	}
}

// call is tell for what the daemon does.
func (i *indicator) call(what string, do func(context.Context, *client.Client) error) func() {
	return i.tell(what, func(ctx context.Context) error { return i.with(ctx, looks, do) })
}

// complain shows what failed where the user looks.
func (i *indicator) complain(what string, why error) {
	b := notify.New(i.bus)
	b.Defer(func(_ effect.Effect, err error) { i.log.Warn("cannot show a notification", "err", err) })
	if err := b.Open(i.ctx); err != nil {
		i.log.Warn("cannot show a notification", "err", err)
		return
	}
	defer b.Close() //nolint:errcheck // the log has it
	_ = b.Do(&effect.Effect{Action: &effect.Notify{Summary: "midimon: " + what, Body: why.Error(), Icon: "dialog-error", Slot: "midimon tray"}})
}

func (i *indicator) openConfig(ctx context.Context, c *client.Client) error {
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	cmd, err := i.programs.Find(&effect.Open{Target: s.ConfigPath})
	if err != nil {
		return err
	}
	return i.start(ctx, cmd)
}

// doctor runs the doctor in a terminal that stays.
func (i *indicator) doctor(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	argv, err := launch.PlacesOf(i.getenv).InTerminal([]string{"/bin/sh", "-c", `"$1" doctor; printf '\nEnter closes this window. '; read -r _`, "sh", self})
	if err != nil {
		return err
	}
	return i.start(ctx, effect.Command{Name: "midimon-doctor", Argv: argv})
}

// start starts a program that is the user's own from then on, and outlives the icon where there is a
// service manager.
func (i *indicator) start(ctx context.Context, c effect.Command) error {
	c.Lasting = true
	err := i.programs.Run(ctx, &c, nil)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...) //nolint:gosec,noctx // the program is the user's own
	cmd.Env = append(os.Environ(), c.Env...)
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait() //nolint:errcheck // how it ends is the user's affair
	return nil
}

// oneLine keeps a menu narrow.
func oneLine(text string) string {
	const most = 60
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most-1]) + "…"
	}
	return text
}
