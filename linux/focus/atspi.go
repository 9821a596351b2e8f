//go:build linux

package focus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/unit"
	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
)

// The names of AT-SPI 2 (its XML in at-spi2-core: Bus.xml, Registry.xml, Accessible.xml, Event.xml).
const (
	gnomeName      = "org.gnome.Shell"
	a11yName       = "org.a11y.Bus"
	a11yPath       = dbus.ObjectPath("/org/a11y/bus")
	a11yStatus     = "org.a11y.Status"
	registryName   = "org.a11y.atspi.Registry"
	registryPath   = dbus.ObjectPath("/org/a11y/atspi/registry")
	accessible     = "org.a11y.atspi.Accessible"
	accessibleRoot = dbus.ObjectPath("/org/a11y/atspi/accessible/root")
	windowEvent    = "org.a11y.atspi.Event.Window"
	activated      = windowEvent + ".Activate"
	deactivated    = windowEvent + ".Deactivate"
	driver         = "org.freedesktop.DBus"
	ownerChanged   = driver + ".NameOwnerChanged"
	stateActive    = 1 << 1 // ATSPI_STATE_ACTIVE, in the first word of GetState
)

// patience is how long an application may take to say something of itself. Another hundred of them
// are not waited for.
const patience = 300 * time.Millisecond

// errOff says that applications tell nobody.
var errOff = &fixable{
	"accessibility is switched off, and only by it, or by the extension " + extensionName + ", is it told on this desktop",
	"gsettings set org.gnome.desktop.interface toolkit-accessibility true",
}

// silent is the focus of an application that does not tell, or that is not known yet.
const silent = "the application in front does not tell"

// object is a reference to an object of some application: (so).
type object struct {
	Name string
	Path dbus.ObjectPath
}

// statusChanges are the signals by which accessibility tells that it is switched on or off.
var statusChanges = []dbus.MatchOption{
	dbus.WithMatchObjectPath(a11yPath), dbus.WithMatchInterface(driver + ".Properties"), dbus.WithMatchMember("PropertiesChanged"),
}

// statusChange says whether a signal is one of them.
func statusChange(s *dbus.Signal) bool { return s.Path == a11yPath }

// a11yEnabled says whether applications tell what they do. Nobody is started by asking.
func a11yEnabled(ctx context.Context, user *dbus.Conn) (on bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var v dbus.Variant
	err = user.Object(a11yName, a11yPath).CallWithContext(ctx, driver+".Properties.Get", dbus.FlagNoAutoStart, a11yStatus, "IsEnabled").Store(&v)
	if err != nil {
		return false, err
	}
	on, _ = v.Value().(bool)
	return on, nil
}

// a11yAddress is where accessibility has its bus.
func a11yAddress(ctx context.Context, user *dbus.Conn) (address string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err = user.Object(a11yName, a11yPath).CallWithContext(ctx, a11yName+".GetAddress", dbus.FlagNoAutoStart).Store(&address)
	return address, err
}

// atspi follows what applications tell those who read the screen to people: each says when a window
// of it comes to the front, and when it no longer is there. Some say nothing, and then mute is told.
// It is for GNOME, which has no better way without an extension, and ends when that comes.
func (w *Watcher) atspi(ctx context.Context, tell, mute func(string)) error {
	user, shell, err := w.owned(ctx, gnomeName)
	if err != nil {
		return err
	}
	switch on, err := a11yEnabled(ctx, user); {
	case err != nil:
		return errAbsent
	case !on:
		return errOff
	}
	address, err := a11yAddress(ctx, user)
	if err != nil {
		return fmt.Errorf("cannot find its bus: %w", err)
	}
	a11y := bus.New(address)
	defer a11y.Close()
	conn, err := a11y.Conn(ctx)
	if err != nil {
		return err
	}
	mine, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go bus.Follow(mine, user, statusChanges, func(*dbus.Signal) {
		if on, err := a11yEnabled(mine, user); err == nil && !on {
			stop(errOff)
		}
	}, func() {})
	go w.endWith(mine, gnomeName, shell, func() { stop(nil) })
	go awaitBetter(mine, user, shell, func() { stop(nil) })
	f := &fronts{news: make(chan front, 1)}
	asks := applications{conn}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		bus.FollowAny(mine, conn, [][]dbus.MatchOption{
			{dbus.WithMatchInterface(windowEvent)},
			{dbus.WithMatchSender(driver), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchOption("arg2", "")},
		}, f.hear, func() {
			if f.is.over = asks.register(mine); f.is.over == nil {
				f.is.window = asks.active(mine) // and what is said meanwhile is heard after it
			}
			f.say()
		})
	}()
	err = followFronts(heard, f.news, func(window object) {
		app := ""
		if window != (object{}) {
			app = asks.name(mine, window.Name)
		}
		if app != "" {
			tell(app)
		} else {
			mute(silent)
		}
	})
	stop(err)
	<-heard
	if cause := context.Cause(mine); errors.Is(cause, errOff) {
		return errOff
	}
	return err
}

// front is what is known of the window in front.
type front struct {
	window object // none: it does not tell
	left   bool   // it was left, and none has come yet
	over   error  // why nothing is told any more
}

// fronts hears what applications say. It is a state that they change, not a list of what they said:
// who takes the news, who may wait for one of them meanwhile, misses what is over, and never the end.
type fronts struct {
	is   front // hear's
	news chan front
}

func (f *fronts) hear(s *dbus.Signal) {
	was := f.is
	switch of := (object{s.Sender, s.Path}); {
	case s.Name == activated:
		f.is.window, f.is.left = of, false
		f.say() // also the same once more: it may tell now what it is called
		return
	case s.Name == deactivated && of == f.is.window:
		f.is.left = true
	case s.Name == ownerChanged && len(s.Body) == 3 && s.Body[0] == registryName: // nobody knows any more that we want to hear
		f.is.over = errors.New("its registry is gone")
	case s.Name == ownerChanged && len(s.Body) == 3 && s.Body[0] == f.is.window.Name: // it died
		f.is.left = true
	}
	if f.is != was {
		f.say()
	}
}

// say leaves the news in the place of what nobody has taken yet.
func (f *fronts) say() { leave(f.news, f.is, func(_, now front) front { return now }) }

// followFronts says which window has come to the front, or none, until nothing is heard any more.
func followFronts(heard <-chan struct{}, news <-chan front, say func(window object)) error {
	var none <-chan time.Time
	for {
		select {
		case <-heard:
			return errors.New("its bus is gone")
		case is := <-news:
			switch none = nil; {
			case is.over != nil:
				return is.over
			case is.left:
				none = time.After(overtake)
			default:
				say(is.window)
			}
		case <-none:
			none = nil
			say(object{})
		}
	}
}

// applications are who is asked, on accessibility's bus.
type applications struct{ conn *dbus.Conn }

// register asks them to tell. Who has an older registry knows the shorter call only.
func (a applications) register(ctx context.Context) error {
	registry := a.conn.Object(registryName, registryPath)
	for _, event := range []string{"window:activate", "window:deactivate"} {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		if registry.CallWithContext(ctx, registryName+".RegisterEvent", 0, event, []string{}, "").Err == nil {
			continue
		}
		if err := registry.CallWithContext(ctx, registryName+".RegisterEvent", 0, event).Err; err != nil {
			return fmt.Errorf("cannot ask the applications to tell: %w", err)
		}
	}
	return nil
}

// name is the id of an application, as the desktop started it, or as it calls itself.
func (a applications) name(ctx context.Context, sender string) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var pid uint32
	if a.conn.BusObject().CallWithContext(ctx, driver+".GetConnectionUnixProcessID", 0, sender).Store(&pid) == nil {
		if group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)); err == nil {
			if app := appOfUnit(string(group)); app != "" {
				return app
			}
		}
	}
	var name dbus.Variant
	_ = a.conn.Object(sender, accessibleRoot).CallWithContext(ctx, driver+".Properties.Get", 0, accessible, "Name").Store(&name)
	app, _ := name.Value().(string)
	return app
}

// active is the window that says it is in front now.
func (a applications) active(ctx context.Context) object {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for _, app := range a.children(ctx, object{registryName, accessibleRoot}) {
		for _, window := range a.children(ctx, app) {
			var states []uint32
			if a.ask(ctx, window, "GetState", &states) == nil && len(states) > 0 && states[0]&stateActive != 0 {
				return window
			}
		}
	}
	return object{}
}

func (a applications) children(ctx context.Context, of object) (all []object) {
	if a.ask(ctx, of, "GetChildren", &all) != nil {
		return nil
	}
	return all
}

func (a applications) ask(ctx context.Context, of object, method string, result any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.conn.Object(of.Name, of.Path).CallWithContext(ctx, accessible+"."+method, 0).Store(result)
}

// appOfUnit is the application whose unit a control group is (systemd, Desktop Environment
// Integration: app[-LAUNCHER]-ID-RANDOM.scope, app[-LAUNCHER]-ID[@RANDOM].service; of D-Bus activation
// dbus-CONNECTION-ID@RANDOM.service), or empty.
func appOfUnit(group string) string {
	of := strings.TrimSpace(group[strings.LastIndexByte(group, '/')+1:])
	name, ok := strings.CutSuffix(of, ".service")
	if ok {
		name, _, _ = strings.Cut(name, "@")
	} else {
		if name, ok = strings.CutSuffix(of, ".scope"); !ok {
			return ""
		}
		i := strings.LastIndexByte(name, '-')
		if i < 0 {
			return ""
		}
		name = name[:i]
	}
	prefix, rest, _ := strings.Cut(name, "-")
	if prefix != "app" && prefix != "dbus" {
		return ""
	}
	return unit.UnitNameUnescape(rest[strings.LastIndexByte(rest, '-')+1:])
}
