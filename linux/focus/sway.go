//go:build linux

package focus

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// The IPC of sway and i3 (sway-ipc(7)).
const (
	ipcMagic     = "i3-ipc"
	ipcSubscribe = 2
	ipcGetTree   = 4
	ipcWindow    = 0x80000003
	ipcWorkspace = 0x80000000
	// ipcMost is more than the tree of a full desktop has, in bytes.
	ipcMost = 16 << 20
)

// answerWithin is how long a desktop may take to answer.
const answerWithin = 2 * time.Second

// A node is what the tree is made of.
type node struct {
	Type     string `json:"type"`
	Focused  bool   `json:"focused"`
	AppID    string `json:"app_id"`
	Window   struct{ Class string }
	Nodes    []node `json:"nodes"`
	Floating []node `json:"floating_nodes"`
}

// UnmarshalJSON takes the class from where it stands.
func (n *node) UnmarshalJSON(text []byte) error {
	type plain node
	var x struct {
		*plain
		Properties struct {
			Class string `json:"class"`
		} `json:"window_properties"`
		Window any `json:"window"` // a number
	}
	x.plain = (*plain)(n)
	if err := json.Unmarshal(text, &x); err != nil {
		return err
	}
	n.Window.Class = x.Properties.Class
	return nil
}

func (n *node) app() string {
	if n.AppID != "" {
		return n.AppID
	}
	return n.Window.Class
}

// focused is the application below n that has the focus, or empty.
func (n *node) focused() string {
	if n.Focused {
		return n.app()
	}
	for _, list := range [][]node{n.Nodes, n.Floating} {
		for i := range list {
			if app := list[i].focused(); app != "" {
				return app
			}
		}
	}
	return ""
}

func (w *Watcher) sway(ctx context.Context, tell func(string)) error {
	var paths []string
	for _, name := range []string{"SWAYSOCK", "I3SOCK"} {
		if p := w.getenv(name); p != "" {
			paths = append(paths, p)
		}
	}
	paths = append(paths, sockets(w.runtime, "sway-ipc.*.sock")...)
	return eachSocket(ctx, paths, func(c net.Conn) error { return followSway(c, tell) })
}

// eachSocket follows the first socket that answers.
func eachSocket(ctx context.Context, paths []string, follow func(net.Conn) error) error {
	err := errAbsent
	for _, path := range paths {
		c, dialErr := (&net.Dialer{Timeout: answerWithin}).DialContext(ctx, "unix", path)
		if dialErr != nil {
			if !errors.Is(dialErr, syscall.ENOENT) && !errors.Is(dialErr, syscall.ECONNREFUSED) { // left over from another time
				err = dialErr
			}
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = c.Close() })
		err = follow(c)
		stop()
		_ = c.Close()
		return err
	}
	return err
}

// followSway tells of the focus until the connection ends.
func followSway(c net.Conn, tell func(string)) error {
	if err := send(c, ipcSubscribe, `["window","workspace"]`); err != nil {
		return err
	}
	if err := send(c, ipcGetTree, ""); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(answerWithin))
	first := true
	for {
		kind, text, err := receive(c)
		if err != nil {
			return fmt.Errorf("cannot hear it: %w", err)
		}
		switch kind {
		case ipcGetTree:
			var tree node
			if err := json.Unmarshal(text, &tree); err != nil {
				return fmt.Errorf("cannot read the tree: %w", err)
			}
			tell(tree.focused())
			if first {
				_ = c.SetReadDeadline(time.Time{})
				first = false
			}
		case ipcWindow, ipcWorkspace:
			// The tree is asked, since what an event says may be over already: a window that closes,
			// an empty workspace.
			var e struct{ Change string }
			if json.Unmarshal(text, &e) == nil && (e.Change == "focus" || e.Change == "close" || e.Change == "move" || e.Change == "empty") {
				if err := send(c, ipcGetTree, ""); err != nil {
					return err
				}
			}
		}
	}
}

func send(c net.Conn, kind uint32, text string) error {
	b := binary.NativeEndian.AppendUint32([]byte(ipcMagic), uint32(len(text)))
	b = append(binary.NativeEndian.AppendUint32(b, kind), text...)
	_ = c.SetWriteDeadline(time.Now().Add(answerWithin))
	_, err := c.Write(b)
	return err
}

func receive(r io.Reader) (kind uint32, text []byte, err error) {
	var head [len(ipcMagic) + 8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	if string(head[:len(ipcMagic)]) != ipcMagic {
		return 0, nil, errors.New("that is no message of sway's")
	}
	n := binary.NativeEndian.Uint32(head[len(ipcMagic):])
	if n > ipcMost {
		return 0, nil, fmt.Errorf("a message of %d bytes", n)
	}
	text = make([]byte, n)
	_, err = io.ReadFull(r, text)
	return binary.NativeEndian.Uint32(head[len(ipcMagic)+4:]), text, err
}
