//go:build linux

package focus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	kwinName      = "org.kde.KWin"
	kwinScripting = "org.kde.kwin.Scripting"
	kwinScript    = "org.kde.kwin.Script"
	scriptName    = "midimon"
	// focusPath and focusIface are where the script calls us.
	focusPath  = dbus.ObjectPath("/com/amiable/Midimon1/focus")
	focusIface = "com.amiable.Midimon1.Focus"
)

// script runs in KWin and tells of each change. Plasma 6 has other names than Plasma 5. It counts,
// because calls may overtake each other.
const script = `let count = 0;
function tell(w) {
	count += 1;
	callDBus("%s", "%s", "%s", "Active", count, w ? String(w.desktopFileName || w.resourceClass || "") : "");
}
if (workspace.windowActivated) {
	workspace.windowActivated.connect(tell);
	tell(workspace.activeWindow);
} else {
	workspace.clientActivated.connect(tell);
	tell(workspace.activeClient);
}
`

// overtake is how long an empty focus may stand between two windows before it is believed: KWin
// tells of none at each change from one to another.
const overtake = 50 * time.Millisecond

// active says which application has the focus, counted by who says it: KWin's script, or us.
type active struct {
	count int32
	app   string
}

func newer(was, now active) active {
	if was.count > now.count {
		return was
	}
	return now
}

// receiver is what the script calls.
type receiver struct{ calls chan active }

// active says which application has the focus. Of what nobody has taken yet the newest stays, as the
// script counts: each call comes in a goroutine of its own.
func (r receiver) active(count int32, app string) *dbus.Error {
	leave(r.calls, active{count, app}, newer)
	return nil
}

// kwin puts a script into KWin, which calls us on a connection of our own.
func (w *Watcher) kwin(ctx context.Context, tell func(string)) error {
	_, was, err := w.owned(ctx, kwinName)
	if err != nil {
		return err
	}
	conn, err := w.user.Another()
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it has served
	calls := make(chan active, 1)
	// Export would find the method by its name, and then the linker keeps every exported method there is.
	methods := map[string]any{"Active": receiver{calls}.active}
	if err := conn.ExportMethodTable(methods, focusPath, focusIface); err != nil {
		return err
	}
	gone := make(chan struct{})
	mine, stop := context.WithCancel(ctx)
	defer stop()
	go w.endWith(mine, kwinName, was, stop)
	go func() { <-mine.Done(); close(gone) }()
	if err := w.load(ctx, conn); err != nil {
		return err
	}
	defer unload(conn)
	return order(gone, calls, tell)
}

// load starts the script in the place of one that an earlier midimon may have left.
func (w *Watcher) load(ctx context.Context, conn *dbus.Conn) error {
	path := filepath.Join(w.runtime, "midimon", "focus.js")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf(script, conn.Names()[0], focusPath, focusIface)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	unload(conn)
	scripting := conn.Object(kwinName, "/Scripting")
	var id int32
	if err := scripting.CallWithContext(ctx, kwinScripting+".loadScript", dbus.FlagNoAutoStart, path, scriptName).Store(&id); err != nil {
		return fmt.Errorf("cannot load a script: %w", err)
	}
	var err error
	for _, at := range []string{"/Scripting/Script%d", "/%d"} { // Plasma 6, Plasma 5
		if err = conn.Object(kwinName, dbus.ObjectPath(fmt.Sprintf(at, id))).CallWithContext(ctx, kwinScript+".run", dbus.FlagNoAutoStart).Err; err == nil {
			return nil
		}
	}
	return fmt.Errorf("cannot run a script: %w", err)
}

func unload(conn *dbus.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin) // also when all else has ended
	defer cancel()
	_ = conn.Object(kwinName, "/Scripting").CallWithContext(ctx, kwinScripting+".unloadScript", dbus.FlagNoAutoStart, scriptName).Err
}

// order tells of what comes in its order, until gone is closed.
func order(gone <-chan struct{}, calls <-chan active, tell func(string)) error {
	var newest int32
	var none <-chan time.Time
	first := time.NewTimer(answerWithin)
	defer first.Stop()
	for {
		select {
		case <-gone:
			return errors.New("it is gone")
		case <-first.C:
			if newest == 0 {
				return errors.New("its script says nothing")
			}
		case c := <-calls:
			if c.count <= newest {
				continue
			}
			newest = c.count
			if none = nil; c.app == "" {
				none = time.After(overtake)
				continue
			}
			tell(c.app)
		case <-none:
			none = nil
			tell("")
		}
	}
}
