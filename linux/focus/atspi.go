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
	"accessibility is switched off, and only by it do the applications of this desktop tell",
	"gsettings set org.gnome.desktop.interface toolkit-accessibility true",
}

// silent is the focus of an application that does not tell, or that is not known yet.
const silent = "the application in front does not tell"

// object is a reference to an object of some application: (so).
type object struct {
	Name string
	Path dbus.ObjectPath
}

// awaitA11y looks again when accessibility is switched on or off.
func (w *Watcher) awaitA11y(ctx context.Context) {
	for {
		user, err := w.user.Await(ctx)
		if err != nil {
			return
		}
		bus.Follow(ctx, user, statusChanges, func(s *dbus.Signal) {
			if s.Path == a11yPath {
				w.Again()
			}
		}, func() {})
	}
}

var statusChanges = []dbus.MatchOption{
	dbus.WithMatchObjectPath(a11yPath), dbus.WithMatchInterface(driver + ".Properties"), dbus.WithMatchMember("PropertiesChanged"),
}

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
// It is for GNOME, which has no better way.
func (w *Watcher) atspi(ctx context.Context, tell, mute func(string)) error {
	user, err := w.user.Conn(ctx)
	if err != nil {
		return errAbsent
	}
	shell := owner(ctx, user, gnomeName)
	if shell == "" {
		return errAbsent
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
	go w.user.Owner(mine, gnomeName, func(_ *dbus.Conn, now string) {
		if now != shell {
			stop(nil)
		}
	})
	f := &fronts{conn: conn, tell: tell, mute: mute, events: make(chan *dbus.Signal, 64), ready: make(chan error, 1)}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		bus.FollowAny(mine, conn, [][]dbus.MatchOption{
			{dbus.WithMatchInterface(windowEvent)},
			{dbus.WithMatchSender(driver), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchOption("arg2", "")},
		}, f.hear, func() { f.ready <- f.register(mine) })
	}()
	err = f.follow(mine, heard)
	stop(err)
	<-heard
	if cause := context.Cause(mine); errors.Is(cause, errOff) {
		return errOff
	}
	return err
}

// fronts follows the windows that come to the front.
type fronts struct {
	conn       *dbus.Conn
	tell, mute func(string)
	events     chan *dbus.Signal
	ready      chan error
	front      object // the window in front, as far as is known
}

func (f *fronts) hear(s *dbus.Signal) {
	if s.Name != activated && s.Name != deactivated && s.Name != ownerChanged {
		return
	}
	select {
	case f.events <- s:
	default: // somebody runs away
	}
}

// register asks the applications to tell. Who has an older registry knows the shorter call only.
func (f *fronts) register(ctx context.Context) error {
	registry := f.conn.Object(registryName, registryPath)
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

// follow tells of each change until ctx is done or nothing is heard any more.
func (f *fronts) follow(ctx context.Context, heard <-chan struct{}) error {
	select {
	case err := <-f.ready:
		if err != nil {
			return err
		}
	case <-heard:
		return errors.New("its bus is gone")
	}
	if f.front = f.active(ctx); f.front != (object{}) {
		f.say(ctx)
	} else {
		f.mute(silent)
	}
	var left <-chan time.Time // the window in front was left, and none has come yet
	for {
		select {
		case <-heard:
			return errors.New("its bus is gone")
		case s := <-f.events:
			switch of := (object{s.Sender, s.Path}); {
			case s.Name == ownerChanged && len(s.Body) == 3 && s.Body[0] == registryName: // nobody knows any more that we want to hear
				return errors.New("its registry is gone")
			case s.Name == activated:
				left, f.front = nil, of
				f.say(ctx)
			case s.Name == deactivated && of == f.front, s.Name == ownerChanged && len(s.Body) == 3 && s.Body[0] == f.front.Name: // or it died
				left = time.After(overtake)
			}
		case <-left:
			left, f.front = nil, object{}
			f.mute(silent)
		}
	}
}

// say tells which application has the window in front.
func (f *fronts) say(ctx context.Context) {
	if app := f.app(ctx, f.front.Name); app != "" {
		f.tell(app)
	} else {
		f.mute(silent)
	}
}

// app is the id of an application, as the desktop started it, or as it calls itself.
func (f *fronts) app(ctx context.Context, sender string) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var pid uint32
	if f.conn.BusObject().CallWithContext(ctx, driver+".GetConnectionUnixProcessID", 0, sender).Store(&pid) == nil {
		if group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)); err == nil {
			if app := appOfUnit(string(group)); app != "" {
				return app
			}
		}
	}
	var name dbus.Variant
	_ = f.conn.Object(sender, accessibleRoot).CallWithContext(ctx, driver+".Properties.Get", 0, accessible, "Name").Store(&name)
	app, _ := name.Value().(string)
	return app
}

// active is the window that says it is in front now.
func (f *fronts) active(ctx context.Context) object {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for _, app := range f.children(ctx, object{registryName, accessibleRoot}) {
		for _, window := range f.children(ctx, app) {
			var states []uint32
			if f.ask(ctx, window, "GetState", &states) == nil && len(states) > 0 && states[0]&stateActive != 0 {
				return window
			}
		}
	}
	return object{}
}

func (f *fronts) children(ctx context.Context, of object) (all []object) {
	if f.ask(ctx, of, "GetChildren", &all) != nil {
		return nil
	}
	return all
}

func (f *fronts) ask(ctx context.Context, of object, method string, result any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return f.conn.Object(of.Name, of.Path).CallWithContext(ctx, accessible+"."+method, 0).Store(result)
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
