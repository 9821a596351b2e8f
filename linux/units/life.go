//go:build linux

package units

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Life begins and ends midimon: through systemd where it is, else through the message bus
// and by signals.
type Life struct {
	Address string // of the session bus; empty: none
	Name    string // midimon's on the bus
	// Holder tells which daemon runs, and how it was started ("by hand").
	Holder func() (pid int, how string, runs bool, err error)
	Files  []File // what install may have to write
}

// Done is what was done, in words for people, and what may still start midimon afterwards.
type Done struct {
	Did      []string `json:"did"`
	MayStart []string `json:"may_start,omitempty"`
}

func (d *Done) did(format string, args ...any) { d.Did = append(d.Did, fmt.Sprintf(format, args...)) }

// with does something with the manager, or something else where there is none.
func (l *Life) with(ctx context.Context, do func(*Manager) error, without func() error) error {
	m, err := Connect(ctx, l.Address)
	switch {
	case errors.Is(err, ErrAbsent):
		return without()
	case err != nil:
		return err
	}
	defer m.Close()
	return do(m)
}

// Start starts midimon, unless it runs, and returns when it is ready.
func (l *Life) Start(ctx context.Context) (Done, error) {
	done := Done{Did: []string{}}
	pid, how, runs, err := l.Holder()
	if err != nil {
		return done, err
	}
	if runs {
		done.did("midimon runs already: process %d, started %s", pid, how)
		return done, nil
	}
	err = l.with(ctx, func(m *Manager) error {
		if err := m.Start(ctx); err != nil {
			return err
		}
		done.did("started %s and %s", Socket, Service)
		return nil
	}, func() error { return l.startByBus(ctx, &done) })
	return done, err
}

// asked asks the bus whether it could start midimon, where no systemd is.
func (l *Life) asked(ctx context.Context) (able bool, err error) {
	able, err = (bus{l.Address}).activatable(ctx, l.Name)
	switch {
	case errors.Is(err, errNoBus):
		return false, fmt.Errorf(`there is no systemd --user, and %w; run "midimon" yourself`, err)
	case err != nil:
		return false, fmt.Errorf("there is no systemd --user, and the session bus cannot be asked: %w", err)
	}
	return able, nil
}

// startable says why no bus can start midimon, where no systemd is.
func (l *Life) startable(ctx context.Context) error {
	if able, err := l.asked(ctx); err != nil || able {
		return err
	}
	for _, f := range l.Files {
		if ours, err := f.Ours(); err == nil && ours && filepath.Base(f.Path) == l.Name+".service" {
			return fmt.Errorf(`there is no systemd --user, and the session bus does not look at %s; run "midimon" yourself`, f.Path)
		}
	}
	return errors.New(`neither systemd nor the session bus can start it; run "midimon" yourself, or "midimonctl install" first`)
}

// startByBus starts midimon where no systemd is.
func (l *Life) startByBus(ctx context.Context, done *Done) error {
	if err := l.startable(ctx); err != nil {
		return err
	}
	if err := (bus{l.Address}).start(ctx, l.Name); err != nil {
		return err
	}
	done.did("the session bus started midimon")
	return nil
}

// Stop stops midimon and its socket, and returns when the daemon has ended.
func (l *Life) Stop(ctx context.Context) (Done, error) {
	done := Done{Did: []string{}}
	err := l.with(ctx, func(m *Manager) error {
		stopped, err := m.Stop(ctx)
		for _, name := range stopped {
			done.did("stopped %s", name)
		}
		if err != nil {
			return err
		}
		return l.loginStarts(ctx, m, &done)
	}, func() error { return nil })
	if err != nil {
		return done, err
	}
	// One that no systemd started.
	pid, how, runs, err := l.Holder()
	if err != nil {
		return done, err
	}
	if runs {
		if err := terminate(ctx, pid); err != nil {
			return done, err
		}
		done.did("stopped process %d, which was started %s", pid, how)
	}
	if len(done.Did) == 0 {
		done.did("midimon was not running")
	}
	if able, err := (bus{l.Address}).activatable(ctx, l.Name); err == nil && able {
		done.MayStart = append(done.MayStart, "a call to "+l.Name+" on the session bus")
	}
	return done, nil
}

// loginStarts notes which units the next login starts.
func (l *Life) loginStarts(ctx context.Context, m *Manager, done *Done) error {
	var enabled []string
	for _, name := range []string{Service, Socket} {
		u, err := m.Unit(ctx, name)
		if err != nil {
			return err
		}
		if u.Enabled == "enabled" {
			enabled = append(enabled, name)
		}
	}
	if len(enabled) > 0 {
		done.MayStart = append(done.MayStart, fmt.Sprintf("the next login (%s; \"midimonctl uninstall\" ends that)", strings.Join(enabled, ", ")))
	}
	return nil
}

// terminate asks a process to end, and waits until it has.
func terminate(ctx context.Context, pid int) error {
	if pid <= 0 {
		return errors.New("cannot stop midimon: its process is not known")
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("cannot stop process %d: %w", pid, err)
	}
	process := os.NewFile(uintptr(fd), "process")
	defer process.Close() //nolint:errcheck // nothing was written
	if err := unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0); err != nil {
		return fmt.Errorf("cannot stop process %d: %w", pid, err)
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
		switch {
		case n > 0:
			return nil
		case err != nil && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("cannot wait for process %d: %w", pid, err)
		case ctx.Err() != nil:
			return fmt.Errorf("process %d does not end: %w", pid, ctx.Err())
		}
	}
}

// Restart ends midimon and starts it.
func (l *Life) Restart(ctx context.Context) (Done, error) {
	done := Done{Did: []string{}}
	pid, how, runs, err := l.Holder()
	if err != nil {
		return done, err
	}
	err = l.with(ctx, func(m *Manager) error {
		u, err := m.Unit(ctx, Service)
		if err != nil {
			return err
		}
		if runs && u.Pid != pid {
			return fmt.Errorf("midimon was started %s (process %d): stop it and start it again the same way", how, pid)
		}
		if err := m.Restart(ctx); err != nil {
			return err
		}
		done.did("restarted %s", Service)
		return nil
	}, func() error {
		if err := l.startable(ctx); err != nil { // it is not stopped for nothing
			return err
		}
		if runs {
			if err := terminate(ctx, pid); err != nil {
				return err
			}
			done.did("stopped process %d, which was started %s", pid, how)
		}
		return l.startByBus(ctx, &done)
	})
	return done, err
}

// Install makes every login start midimon, and starts it now. Where no package brought the
// units and the bus file, it writes them for this user.
func (l *Life) Install(ctx context.Context) (Done, error) {
	done := Done{Did: []string{}}
	err := l.with(ctx, func(m *Manager) error {
		if err := m.reload(ctx); err != nil {
			return err
		}
		if err := l.place(ctx, &done, m); err != nil {
			return err
		}
		if err := m.Enable(ctx); err != nil {
			return err
		}
		done.did("enabled %s and %s: every login starts midimon", Service, Socket)
		enabled, started, err := m.EnableTray(ctx)
		if enabled {
			done.did("enabled %s: the icon comes with the desktop", Tray)
		}
		if started && err == nil {
			done.did("started %s", Tray)
		}
		return err
	}, func() error {
		if _, err := l.asked(ctx); err != nil { // a file for a bus that is not there helps nobody
			return err
		}
		if err := l.place(ctx, &done, nil); err != nil {
			return err
		}
		if err := l.startable(ctx); err != nil {
			return err
		}
		done.did("there is no systemd --user: the session bus starts midimon when it is called")
		return nil
	})
	if err != nil {
		return done, err
	}
	started, err := l.Start(ctx)
	done.Did = append(done.Did, started.Did...)
	return done, err
}

// place writes what is missing, and renews what it wrote before. Without a manager that is
// the bus file alone.
func (l *Life) place(ctx context.Context, done *Done, m *Manager) error {
	for _, f := range l.Files {
		there, err := l.there(ctx, m, f)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if err := f.Place(); err != nil {
			return err
		}
		done.did("wrote %s", f.Path)
	}
	if err := (bus{l.Address}).reload(ctx); err != nil {
		return fmt.Errorf("cannot make the session bus read its files: %w", err)
	}
	return nil
}

// there says whether the file need not be written: a package brought one, or it would be of
// no use.
func (l *Life) there(ctx context.Context, m *Manager, f File) (bool, error) {
	if ours, err := f.Ours(); err != nil || ours {
		return false, err
	}
	switch name := filepath.Base(f.Path); name {
	case Service, Socket, Tray:
		if m == nil {
			return true, nil
		}
		u, err := m.Unit(ctx, name)
		return u.Load != "not-found", err
	default:
		able, err := (bus{l.Address}).activatable(ctx, l.Name)
		if err != nil {
			return able, fmt.Errorf("cannot ask the session bus what it can start: %w", err)
		}
		return able, nil
	}
}

// Uninstall ends Install: it stops midimon, lets no login start it and removes the files that
// Install wrote. The configuration stays.
func (l *Life) Uninstall(ctx context.Context) (Done, error) {
	done, err := l.Stop(ctx)
	done.MayStart = nil
	if err != nil {
		return done, err
	}
	remove := func() error {
		for _, f := range l.Files {
			removed, err := f.Remove()
			if err != nil {
				return err
			}
			if removed {
				done.did("removed %s", f.Path)
			}
		}
		return nil
	}
	err = l.with(ctx, func(m *Manager) error {
		if err := m.Disable(ctx); err != nil {
			return err
		}
		done.did("disabled %s and %s", Service, Socket)
		stopped, disabled, err := m.DisableTray(ctx)
		if stopped {
			done.did("stopped %s", Tray)
		}
		if disabled {
			done.did("disabled %s", Tray)
		}
		if err != nil {
			return err
		}
		if err := remove(); err != nil {
			return err
		}
		return m.reload(ctx)
	}, remove)
	if err != nil {
		return done, err
	}
	b := bus{l.Address}
	_ = b.reload(ctx) // a bus that is not there reads no file
	if able, err := b.activatable(ctx, l.Name); err == nil && able {
		done.MayStart = append(done.MayStart, "a call to "+l.Name+" on the session bus")
	}
	return done, nil
}
