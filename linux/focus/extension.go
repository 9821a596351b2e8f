//go:build linux

package focus

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
)

// What GNOME's extension "Focused Window D-Bus" has on the bus, in the shell's own name
// (https://github.com/flexagoon/focused-window-dbus), and how the shell tells of its extensions
// (org.gnome.Shell.Extensions.xml).
const (
	extensionName  = "Focused Window D-Bus"
	extensionPath  = dbus.ObjectPath("/org/gnome/shell/extensions/FocusedWindow")
	extensionIface = "org.gnome.shell.extensions.FocusedWindow"
	focusChanged   = "FocusChanged"

	shellPath       = dbus.ObjectPath("/org/gnome/Shell")
	shellExtensions = gnomeName + ".Extensions"
	stateChanged    = "ExtensionStateChanged"
)

// maxWindow is how long a description of a window may be. The extension's has 700 bytes and a title.
const maxWindow = 64 << 10

// errMute says that the extension is one that has to be asked again and again.
var errMute = errors.New("this version of the extension does not tell of changes")

// extensionStates are the signals by which the shell tells that an extension comes or goes, as all do
// when the screen is locked and unlocked.
var extensionStates = []dbus.MatchOption{
	dbus.WithMatchObjectPath(shellPath), dbus.WithMatchInterface(shellExtensions), dbus.WithMatchMember(stateChanged),
}

// extensionState says whether a signal is one of them.
func extensionState(s *dbus.Signal) bool {
	return s.Path == shellPath && s.Name == shellExtensions+"."+stateChanged
}

// extension follows what the extension tells. It is there when the user has installed it.
func (w *Watcher) extension(ctx context.Context, tell func(string)) error {
	user, shell, err := w.owned(ctx, gnomeName)
	if err != nil {
		return err
	}
	e := extended{shell, user.Object(shell, extensionPath)}
	if err := e.works(ctx); err != nil {
		return err
	}
	mine, stop := context.WithCancel(ctx)
	defer stop()
	go w.endWith(mine, gnomeName, shell, stop)
	news, heard := make(chan news, 1), make(chan struct{})
	go func() {
		defer close(heard)
		bus.FollowAny(mine, user, [][]dbus.MatchOption{
			{dbus.WithMatchSender(shell), dbus.WithMatchObjectPath(extensionPath), dbus.WithMatchInterface(extensionIface), dbus.WithMatchMember(focusChanged)},
			extensionStates,
		}, func(s *dbus.Signal) {
			if n, ok := e.hear(s); ok {
				leave(news, n, truer)
			}
		}, func() { leave(news, ask, truer) })
	}()
	err = e.follow(mine, heard, news, tell)
	stop()
	<-heard
	return err
}

// news are of the window in front: what the extension says of it, or that it is to be asked.
type news struct {
	window string
	ask    bool
}

var ask = news{ask: true}

// truer is what stays of two that nobody has taken: who is asked says what is so by then.
func truer(was, now news) news {
	if was.ask {
		return was
	}
	return now
}

// extended is a shell with the extension.
type extended struct {
	shell  string // its unique name
	object dbus.BusObject
}

// hear is what a signal says. The extension that has gone, or is another now, is asked, and so is one
// that says no text.
func (e extended) hear(s *dbus.Signal) (n news, ok bool) {
	switch {
	case s.Sender != e.shell:
		return n, false
	case extensionState(s):
		return ask, true
	case s.Path != extensionPath || s.Name != extensionIface+"."+focusChanged:
		return n, false
	case len(s.Body) == 1:
		if text, ok := s.Body[0].(string); ok {
			return news{window: text}, true
		}
	}
	return ask, true
}

// follow says which application has the focus, until nothing is heard any more or the extension
// does not say it.
func (e extended) follow(ctx context.Context, heard <-chan struct{}, news <-chan news, tell func(string)) error {
	for {
		select {
		case <-heard:
			return errors.New("it is gone")
		case n := <-news:
			window := n.window
			if n.ask {
				var err error
				if window, err = e.get(ctx); err != nil {
					return err
				}
			}
			app, err := appOfWindow(window)
			if err != nil {
				return err
			}
			tell(app)
		}
	}
}

// works returns nil if the extension is there, tells of changes, and says what can be read.
func (e extended) works(ctx context.Context) error {
	if err := e.tells(ctx); err != nil {
		return err
	}
	window, err := e.get(ctx)
	if err != nil {
		return err
	}
	_, err = appOfWindow(window)
	return err
}

// get asks the extension.
func (e extended) get(ctx context.Context) (window string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := e.object.CallWithContext(ctx, extensionIface+".Get", dbus.FlagNoAutoStart).Store(&window); err != nil {
		return "", fmt.Errorf("cannot ask it: %w", bus.Reason(err))
	}
	return window, nil
}

// tells returns nil if the extension is there and tells of changes. The shell refuses to describe
// what is not there.
func (e extended) tells(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var text string
	err := e.object.CallWithContext(ctx, driver+".Introspectable.Introspect", dbus.FlagNoAutoStart).Store(&text)
	if refusal := (dbus.Error{}); errors.As(err, &refusal) {
		return errAbsent
	}
	if err != nil {
		return fmt.Errorf("cannot ask what it tells: %w", err)
	}
	if len(text) > maxWindow {
		return fmt.Errorf("a description of %d bytes is too long", len(text))
	}
	type named struct {
		Name    string `xml:"name,attr"`
		Signals []struct {
			Name string `xml:"name,attr"`
		} `xml:"signal"`
	}
	var node struct {
		Interfaces []named `xml:"interface"`
	}
	if err := xml.Unmarshal([]byte(text), &node); err != nil {
		return fmt.Errorf("cannot read what it tells: %w", err)
	}
	i := slices.IndexFunc(node.Interfaces, func(n named) bool { return n.Name == extensionIface })
	if i < 0 {
		return errAbsent
	}
	for _, s := range node.Interfaces[i].Signals {
		if s.Name == focusChanged {
			return nil
		}
	}
	return errMute
}

// A description of a window has much more than this.
type description struct {
	Class    string `json:"wm_class"`
	Instance string `json:"wm_class_instance"`
	Focus    *bool  `json:"focus"`
}

// appOfWindow is the application whose window the extension describes, as its app_id or class; empty:
// no window has the focus, of which it says {}.
func appOfWindow(window string) (string, error) {
	if len(window) > maxWindow {
		return "", fmt.Errorf("a window of %d bytes is too long", len(window))
	}
	if window == "" {
		return "", nil
	}
	var w description
	if err := json.Unmarshal([]byte(window), &w); err != nil {
		return "", fmt.Errorf("cannot read what it says: %w", err)
	}
	if w.Focus != nil && !*w.Focus {
		return "", errors.New("it names a window that has no focus")
	}
	if w.Class == "" { // some have half a class only
		return w.Instance, nil
	}
	return w.Class, nil
}

// awaitBetter calls come when the extension has come to a shell, and works.
func awaitBetter(ctx context.Context, user *dbus.Conn, shell string, come func()) {
	changed := make(chan struct{}, 1)
	change := func() { leave(changed, struct{}{}, func(was, _ struct{}) struct{} { return was }) }
	go bus.Follow(ctx, user, extensionStates, func(s *dbus.Signal) {
		if s.Sender == shell && extensionState(s) {
			change()
		}
	}, change) // it may have come just before
	e := extended{shell, user.Object(shell, extensionPath)}
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			if e.works(ctx) == nil {
				come()
				return
			}
		}
	}
}
