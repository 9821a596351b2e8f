//go:build linux

// Package launch finds the applications of the desktop and starts programs where they outlive
// midimon: each as a unit of its own in the session's service manager, or by the message bus where an
// application has it so. Which programs, and when, is not its business.
package launch

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/remedy"
	"github.com/amiable-dev/midimon/linux/systemd"
)

// activateTimeout bounds the start of an application by the message bus.
const activateTimeout = 20 * time.Second

// displayVariables are what the manager may lack if it was there before the session.
var displayVariables = []string{"WAYLAND_DISPLAY", "DISPLAY", "XAUTHORITY", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE"}

// Programs starts programs.
type Programs struct {
	places Places
	bus    *bus.Bus
	getenv func(string) string
	token  Token

	mu  sync.Mutex // held while a manager is asked to tell
	ear *ear       // the last one; nil: there was none yet
}

// New makes Programs that start on the session bus b. Token is nil where there is none to be had.
func New(b *bus.Bus, getenv func(string) string, token Token) *Programs {
	return &Programs{places: PlacesOf(getenv), bus: b, getenv: getenv, token: token}
}

// Find says what a Launch or Open starts.
func (p *Programs) Find(a effect.Action) (effect.Command, error) { return p.places.Find(a) }

// errNoManager is why programs are not contained.
var errNoManager = errors.New("there is no systemd user manager on the session bus: commands are not limited in processes, " +
	"and what they leave behind is not ended at their timeout")

// Watch tells whether there is a service manager (nil), or by a *report.Fault that there is none.
func (p *Programs) Watch(ctx context.Context, tell func(error)) {
	first, was := true, false
	p.bus.Owner(ctx, managerName, func(_ *godbus.Conn, owner string) {
		is := owner != ""
		if is == was && !first {
			return
		}
		first, was = false, is
		if is {
			tell(nil)
		} else {
			tell(&report.Fault{Check: "process-limits", Fix: remedy.Manager(), Err: errNoManager})
		}
	})
}

// Run starts a command, and returns when it has ended or, if it lasts, when it has started. Where it is
// errors.ErrUnsupported, c.Env has what c needs to come to the front.
func (p *Programs) Run(ctx context.Context, c *effect.Command, out *os.File) error {
	conn, has, managed := p.manager(ctx)
	token, withdraw := "", func() {}
	if c.Lasting {
		token, withdraw = p.activation(ctx, c, has)
	}
	if c.BusName != "" && conn != nil {
		if err := p.activate(ctx, conn, c, token); err == nil || !unknown(err) || len(c.Argv) == 0 {
			if err != nil {
				withdraw()
			}
			return err
		}
	}
	if !managed {
		return errors.ErrUnsupported
	}
	mine := *c
	mine.Env = append(mine.Env[:len(mine.Env):len(mine.Env)], p.missing(has)...)
	err := p.start(ctx, conn, &mine, out, withdraw)
	if err != nil {
		withdraw()
	}
	return err
}

// manager is the connection, nil without a bus, what the service manager gives to those that it
// starts, and whether there is one. It is asked each time: what Watch knows may be a moment old.
func (p *Programs) manager(ctx context.Context) (conn *godbus.Conn, has map[string]string, there bool) {
	conn, err := p.bus.Conn(ctx)
	if err != nil {
		return nil, nil, false
	}
	within, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if conn.BusObject().CallWithContext(within, "org.freedesktop.DBus.NameHasOwner", 0, managerName).Store(&there) != nil || !there {
		return conn, nil, false
	}
	if has, err = systemd.Environment(within, conn); err != nil {
		has = nil // it gives what it gives
	}
	return conn, has, true
}

// missing is what our environment knows of the display and the manager's, if it told, does not.
func (p *Programs) missing(has map[string]string) []string {
	if has == nil {
		return nil
	}
	for _, name := range []string{"WAYLAND_DISPLAY", "DISPLAY"} {
		if _, ok := has[name]; ok {
			return nil
		}
	}
	var add []string
	for _, name := range displayVariables {
		if v := p.getenv(name); v != "" {
			add = append(add, name+"="+v)
		}
	}
	return add
}

// escapePath is a unit's name in an object path.
func escapePath(name string) string { return dbus.PathBusEscape(name) }

// addresses are files as an application's Open takes them.
func addresses(files []string) []string {
	out := make([]string, len(files))
	for i, f := range files {
		if filepath.IsAbs(f) {
			f = (&url.URL{Scheme: "file", Path: f}).String()
		}
		out[i] = f
	}
	return out
}
