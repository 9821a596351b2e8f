//go:build linux

package focus

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// maxLine is more than a line of Hyprland or niri has, in bytes.
const maxLine = 1 << 20

// hyprland follows Hyprland's events (its wiki, IPC): "activewindow>>class,title".
func (w *Watcher) hyprland(ctx context.Context, tell func(string)) error {
	dir := filepath.Join(w.runtime, "hypr")
	paths := sockets(dir, "*/.socket2.sock")
	if is := w.getenv("HYPRLAND_INSTANCE_SIGNATURE"); is != "" {
		paths = append([]string{filepath.Join(dir, is, ".socket2.sock")}, paths...)
	}
	return eachSocket(ctx, paths, func(c net.Conn) error {
		app, err := activeWindow(ctx, filepath.Join(filepath.Dir(c.RemoteAddr().String()), ".socket.sock"))
		if err != nil {
			return err
		}
		tell(app)
		return followHyprland(c, tell)
	})
}

// activeWindow asks Hyprland which window has the focus.
func activeWindow(ctx context.Context, path string) (string, error) {
	c, err := (&net.Dialer{Timeout: answerWithin}).DialContext(ctx, "unix", path)
	if err != nil {
		return "", err
	}
	defer c.Close() //nolint:errcheck // what was asked has been read
	_ = c.SetDeadline(time.Now().Add(answerWithin))
	if _, err := io.WriteString(c, "j/activewindow"); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(c, maxLine))
	if err != nil {
		return "", err
	}
	var is struct{ Class string }
	if err := json.Unmarshal(text, &is); err != nil {
		return "", fmt.Errorf("cannot read the active window: %w", err)
	}
	return is.Class, nil
}

func followHyprland(r io.Reader, tell func(string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if what, ok := strings.CutPrefix(lines.Text(), "activewindow>>"); ok {
			class, _, _ := strings.Cut(what, ",") // the title may have more of them
			tell(class)
		}
	}
	return lines.Err()
}

// niri follows niri's event stream (its wiki, IPC): a line of JSON an event.
func (w *Watcher) niri(ctx context.Context, tell func(string)) error {
	paths := sockets(w.runtime, "niri.*.sock")
	if p := w.getenv("NIRI_SOCKET"); p != "" {
		paths = append([]string{p}, paths...)
	}
	return eachSocket(ctx, paths, func(c net.Conn) error {
		if _, err := io.WriteString(c, "\"EventStream\"\n"); err != nil {
			return err
		}
		return followNiri(c, tell)
	})
}

// A window is one of niri's.
type window struct {
	ID      uint64 `json:"id"`
	AppID   string `json:"app_id"`
	Focused bool   `json:"is_focused"`
}

func followNiri(r io.Reader, tell func(string)) error {
	apps, focused := map[uint64]string{}, uint64(0)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e struct {
			Err            any
			WindowsChanged *struct {
				Windows []window `json:"windows"`
			}
			WindowOpenedOrChanged *struct {
				Window window `json:"window"`
			}
			WindowClosed *struct {
				ID uint64 `json:"id"`
			}
			WindowFocusChanged *struct {
				ID uint64 `json:"id"` // none is null, which leaves 0; niri counts from 1
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("cannot read an event: %w", err)
		}
		take := func(x window) {
			apps[x.ID] = x.AppID
			if x.Focused {
				focused = x.ID
			}
		}
		switch {
		case e.Err != nil:
			return fmt.Errorf("it refuses: %v", e.Err)
		case e.WindowsChanged != nil:
			clear(apps)
			focused = 0
			for _, x := range e.WindowsChanged.Windows {
				take(x)
			}
		case e.WindowOpenedOrChanged != nil:
			take(e.WindowOpenedOrChanged.Window)
		case e.WindowClosed != nil:
			delete(apps, e.WindowClosed.ID)
		case e.WindowFocusChanged != nil:
			focused = e.WindowFocusChanged.ID
		default:
			continue // of no interest; also the answer to what we asked
		}
		tell(apps[focused])
	}
	return lines.Err()
}
