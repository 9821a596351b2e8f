//go:build linux

package units

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// The units of midimon.
const (
	Service = "midimon.service"
	Socket  = "midimon.socket"
	Tray    = "midimon-tray.service" // the icon in the panel; midimon does without
)

// desktop is the target that is active while there is a desktop.
const desktop = "graphical-session.target"

// ErrAbsent says that no systemd --user is on the bus, or that there is no bus.
var ErrAbsent = errors.New("there is no systemd --user on the session bus")

// ErrNotInstalled says that the manager does not know the units.
var ErrNotInstalled = errors.New("systemd does not know " + Service)

// replace is the mode in which every job is asked for: it takes the place of one that waits.
const replace = "replace"

// A Manager is the connection to the user's service manager.
type Manager struct{ conn *sd.Conn }

// A Unit is how one unit stands. The words are systemd's.
type Unit struct {
	Name    string
	Load    string // "loaded", "not-found", "masked"
	Active  string // "active", "inactive", "failed", "activating", "deactivating"
	Enabled string // "enabled", "disabled", "static", or empty
	Pid     int    // of the service; 0: none
	Result  string // of the last run: "success", "start-limit-hit"
}

// Running says whether the unit is, or is about to be.
func (u Unit) Running() bool { return u.Active == "active" || u.Active == "activating" }

// Connect finds the manager on the bus at address. The connection ends with ctx or Close.
func Connect(ctx context.Context, address string) (*Manager, error) {
	if address == "" {
		return nil, ErrAbsent
	}
	first, err := dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	owned := false
	err = first.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.systemd1").Store(&owned)
	if err != nil || !owned {
		return nil, errors.Join(ErrAbsent, err, first.Close())
	}
	conn, err := sd.NewConnection(func() (*dbus.Conn, error) { // asked twice
		if c := first; c != nil {
			first = nil
			return c, nil
		}
		return dial(ctx, address)
	})
	if err != nil {
		return nil, fmt.Errorf("cannot speak to systemd: %w", err)
	}
	return &Manager{conn}, nil
}

func dial(ctx context.Context, address string) (*dbus.Conn, error) {
	c, err := dbus.Dial(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err = c.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))}); err == nil {
		err = c.Hello()
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close ends the connection.
func (m *Manager) Close() { m.conn.Close() }

// Unit tells how a unit stands. One that there is not is "not-found".
func (m *Manager) Unit(ctx context.Context, name string) (Unit, error) {
	u := Unit{Name: name}
	all, err := m.conn.GetAllPropertiesContext(ctx, name)
	if err != nil {
		return u, fmt.Errorf("cannot look at %s: %w", name, err)
	}
	for key, to := range map[string]*string{
		"LoadState": &u.Load, "ActiveState": &u.Active, "UnitFileState": &u.Enabled, "Result": &u.Result,
	} {
		*to, _ = all[key].(string)
	}
	pid, _ := all["MainPID"].(uint32)
	u.Pid = int(pid)
	return u, nil
}

// Start starts the socket and the service and returns when the daemon says that it is ready.
// What failed before is forgotten first: a unit that failed too often would not start.
func (m *Manager) Start(ctx context.Context) error {
	if err := m.installed(ctx); err != nil {
		return err
	}
	for _, name := range []string{Socket, Service} {
		if err := m.conn.ResetFailedUnitContext(ctx, name); err != nil && !unknown(err) {
			return fmt.Errorf("cannot reset %s: %w", name, err)
		}
	}
	for _, name := range []string{Socket, Service} {
		if err := m.job(ctx, "start", name, m.conn.StartUnitContext); err != nil {
			return err
		}
	}
	return nil
}

// Restart stops the service and starts it, and the socket where it was not.
func (m *Manager) Restart(ctx context.Context) error {
	if err := m.installed(ctx); err != nil {
		return err
	}
	if err := m.job(ctx, "stop", Service, m.conn.StopUnitContext); err != nil {
		return err
	}
	return m.Start(ctx)
}

// Stop stops what runs of the service and the socket, and returns their names. The socket
// comes first, and takes the service with it: nobody may start that again in between.
func (m *Manager) Stop(ctx context.Context) (stopped []string, err error) {
	var found []string
	for _, name := range []string{Socket, Service} {
		u, err := m.Unit(ctx, name)
		if err != nil {
			return nil, err
		}
		if u.Active != "inactive" && u.Active != "failed" {
			found = append(found, name)
		}
	}
	for _, name := range found {
		if err := m.job(ctx, "stop", name, m.conn.StopUnitContext); err != nil {
			return stopped, err
		}
		stopped = append(stopped, name)
	}
	return stopped, nil
}

// Enable makes the login start both units, by files that the manager reads anew first.
func (m *Manager) Enable(ctx context.Context) error {
	if err := m.conn.ReloadContext(ctx); err != nil {
		return fmt.Errorf("cannot make systemd read its units: %w", err)
	}
	if err := m.installed(ctx); err != nil {
		return err
	}
	if _, _, err := m.conn.EnableUnitFilesContext(ctx, []string{Service, Socket}, false, false); err != nil {
		return fmt.Errorf("cannot enable the units: %w", err)
	}
	return m.reload(ctx)
}

// Disable ends Enable.
func (m *Manager) Disable(ctx context.Context) error {
	if _, err := m.conn.DisableUnitFilesContext(ctx, []string{Service, Socket}, false); err != nil && !unknown(err) {
		return fmt.Errorf("cannot disable the units: %w", err)
	}
	return m.reload(ctx)
}

// EnableTray makes the desktop start the icon, and starts it where there is a desktop now. Where systemd
// does not know the unit, or was told not to, it does nothing.
func (m *Manager) EnableTray(ctx context.Context) (enabled, started bool, err error) {
	u, err := m.Unit(ctx, Tray)
	if err != nil || u.Load != "loaded" {
		return false, false, err
	}
	if _, _, err := m.conn.EnableUnitFilesContext(ctx, []string{Tray}, false, false); err != nil {
		return false, false, fmt.Errorf("cannot enable %s: %w", Tray, err)
	}
	if err := m.reload(ctx); err != nil {
		return true, false, err
	}
	if target, err := m.Unit(ctx, desktop); err != nil || target.Active != "active" {
		return true, false, err
	}
	return true, true, m.job(ctx, "start", Tray, m.conn.StartUnitContext)
}

// DisableTray ends EnableTray.
func (m *Manager) DisableTray(ctx context.Context) (stopped, disabled bool, err error) {
	u, err := m.Unit(ctx, Tray)
	if err != nil {
		return false, false, err
	}
	if u.Running() {
		if err := m.job(ctx, "stop", Tray, m.conn.StopUnitContext); err != nil {
			return false, false, err
		}
		stopped = true
	}
	if u.Enabled != "enabled" {
		return stopped, false, nil
	}
	if _, err := m.conn.DisableUnitFilesContext(ctx, []string{Tray}, false); err != nil {
		return stopped, false, fmt.Errorf("cannot disable %s: %w", Tray, err)
	}
	return stopped, true, nil
}

func (m *Manager) reload(ctx context.Context) error {
	if err := m.conn.ReloadContext(ctx); err != nil {
		return fmt.Errorf("cannot make systemd read its units: %w", err)
	}
	return nil
}

func (m *Manager) installed(ctx context.Context) error {
	for _, name := range []string{Socket, Service} {
		switch u, err := m.Unit(ctx, name); {
		case err != nil:
			return err
		case u.Load == "masked":
			return fmt.Errorf("%s is masked", name)
		case u.Load != "loaded":
			return ErrNotInstalled
		}
	}
	return nil
}

// job asks for a job and waits for its end.
func (m *Manager) job(ctx context.Context, verb, name string, ask func(ctx context.Context, name, mode string, done chan<- string) (int, error)) error {
	done := make(chan string, 1)
	if _, err := ask(ctx, name, replace, done); err != nil {
		return fmt.Errorf("cannot %s %s: %w", verb, name, err)
	}
	select {
	case result := <-done:
		if result == "done" || result == "skipped" {
			return nil
		}
		return fmt.Errorf("cannot %s %s: systemd says %q%s", verb, name, result, m.why(ctx, name))
	case <-ctx.Done():
		return fmt.Errorf("cannot %s %s: %w", verb, name, ctx.Err())
	}
}

// why is what the unit's last run came to, if that says more than "failed".
func (m *Manager) why(ctx context.Context, name string) string {
	u, err := m.Unit(ctx, name)
	if err != nil || u.Result == "" || u.Result == "success" {
		return ""
	}
	return " (" + u.Result + ")"
}

// unknown says whether systemd does not know the unit.
func unknown(err error) bool {
	var e dbus.Error
	return errors.As(err, &e) && (e.Name == "org.freedesktop.systemd1.NoSuchUnit" || e.Name == "org.freedesktop.DBus.Error.FileNotFound")
}
