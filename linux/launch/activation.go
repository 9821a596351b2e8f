//go:build linux

package launch

import (
	"cmp"
	"context"
	"path/filepath"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/x11"
)

// tokenWithin is how long a compositor or X server may take for a token. The program starts without then.
const tokenWithin = time.Second

// A Token asks a Wayland compositor, by its directory and the name of its display, for the right of an
// application to come to the front (xdg-activation).
type Token func(ctx context.Context, dir, display, app string) (string, error)

// activation is a token by which a program may come to the front, or empty; c.Env gets it too. What
// withdraw does is due where no program has started with it. The manager may know the display better than
// we: we may be older.
func (p *Programs) activation(ctx context.Context, c *effect.Command, has map[string]string) (token string, withdraw func()) {
	is := func(name string) string { return cmp.Or(has[name], p.getenv(name)) }
	within, cancel := context.WithTimeout(ctx, tokenWithin)
	defer cancel()
	var err error
	var names []string
	withdraw = func() {}
	switch wayland, display := is("WAYLAND_DISPLAY"), is("DISPLAY"); {
	case p.token != nil && wayland != "":
		names = []string{"XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID"}
		token, err = p.token(within, p.getenv("XDG_RUNTIME_DIR"), wayland, cmp.Or(c.BusName, c.Name))
	case c.Startup != nil && wayland == "" && display != "": // others would never say that they are there
		names = []string{"DESKTOP_STARTUP_ID"}
		authority := cmp.Or(is("XAUTHORITY"), filepath.Join(is("HOME"), ".Xauthority"))
		token, err = x11.Announce(within, display, authority, x11.Startup(*c.Startup))
		withdraw = func() {
			within, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenWithin)
			defer cancel()
			_ = x11.Withdraw(within, display, authority, token) // the desktop gives up waiting some time
		}
	}
	if err != nil || token == "" {
		return "", func() {} // the program starts all the same
	}
	c.Env = c.Env[:len(c.Env):len(c.Env)]
	for _, name := range names {
		c.Env = append(c.Env, name+"="+token)
	}
	return token, withdraw
}
