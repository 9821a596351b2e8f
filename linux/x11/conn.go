//go:build linux

package x11

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// greetWithin is how long a server may take to greet us.
const greetWithin = 2 * time.Second

// Sockets is where X servers listen.
const Sockets = "/tmp/.X11-unix"

const cookieName = "MIT-MAGIC-COOKIE-1"

// familyLocal and familyWild are the families of authorities that are good for our socket (Xauth.h).
const (
	familyLocal = 256
	familyWild  = 65535
)

// ErrXwayland says that the server is a Wayland compositor's, whose XTEST reaches X programs only
// and on some desktops opens a dialog.
var ErrXwayland = errors.New("the X server is Xwayland")

func init() { xgb.Logger = log.New(io.Discard, "", 0) } // it speaks to stderr otherwise

// Dial connects to a display (":0") with the authority of a file, which may be missing.
func Dial(ctx context.Context, display, authority string) (*xgb.Conn, error) {
	c, _, err := dial(ctx, display, authority)
	return c, err
}

// dial is Dial, with the socket.
func dial(ctx context.Context, display, authority string) (*xgb.Conn, net.Conn, error) {
	number, _, _ := strings.Cut(strings.TrimPrefix(display, ":"), ".")
	if !strings.HasPrefix(display, ":") || number == "" {
		return nil, nil, fmt.Errorf("cannot reach the X server %q: it is not on this machine", display)
	}
	var d net.Dialer
	ctx, cancel := context.WithTimeout(ctx, greetWithin)
	defer cancel()
	s, err := d.DialContext(ctx, "unix", filepath.Join(Sockets, "X"+number))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot reach the X server %s: %w", display, err)
	}
	_ = s.SetDeadline(time.Now().Add(greetWithin)) // a server that hangs
	var c *xgb.Conn
	if cookie := cookieOf(authority, number); cookie != nil {
		c, err = xgb.NewConnNetWithCookieHex(s, hex.EncodeToString(cookie))
	} else {
		c, err = xgb.NewConnNet(s)
	}
	if err != nil {
		_ = s.Close()
		return nil, nil, fmt.Errorf("cannot reach the X server %s: %w", display, err)
	}
	_ = s.SetDeadline(time.Time{})
	return c, s, nil
}

// cookieOf is the cookie of a display in an authority file, or nil.
func cookieOf(path, number string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	host, _ := os.Hostname()
	r := bytes.NewReader(data)
	for {
		var family uint16
		if binary.Read(r, binary.BigEndian, &family) != nil {
			return nil
		}
		var fields [4]string // address, display, name, data
		for i := range fields {
			var n uint16
			if binary.Read(r, binary.BigEndian, &n) != nil {
				return nil
			}
			b := make([]byte, n)
			if _, err := io.ReadFull(r, b); err != nil {
				return nil
			}
			fields[i] = string(b)
		}
		here := family == familyWild || family == familyLocal && fields[0] == host
		if here && (fields[1] == "" || fields[1] == number) && fields[2] == cookieName && len(fields[3]) == 16 {
			return []byte(fields[3])
		}
	}
}

// check says why the server is no good for us.
func check(c *xgb.Conn) error {
	const xwayland = "XWAYLAND"
	if r, err := xproto.QueryExtension(c, uint16(len(xwayland)), xwayland).Reply(); err != nil || r.Present {
		return errors.Join(ErrXwayland, err)
	}
	if err := xtest.Init(c); err != nil {
		return fmt.Errorf("the X server lacks XTEST: %w", err)
	}
	return nil
}

// Probe says whether the display can be used.
func Probe(ctx context.Context, display, authority string) error {
	c, socket, err := dial(ctx, display, authority)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := time.AfterFunc(greetWithin, func() { _ = socket.Close() })
	defer stop.Stop()
	return check(c)
}
