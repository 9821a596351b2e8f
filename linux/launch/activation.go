//go:build linux

package launch

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/display"
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
	if wayland := is("WAYLAND_DISPLAY"); p.token != nil && wayland != "" {
		names = []string{"XDG_ACTIVATION_TOKEN", startupID}
		token, err = p.token(within, p.getenv("XDG_RUNTIME_DIR"), wayland, cmp.Or(c.BusName, c.Name))
	} else if tells(c, is) {
		names = []string{startupID}
		token, err = x11.Announce(within, is("DISPLAY"), display.Authority(is), x11.Startup(*c.Startup))
		withdraw = func() { p.withdraw(token, is) }
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

const startupID = "DESKTOP_STARTUP_ID"

// tells says whether an X server is told of a program: others would never say that they are there.
func tells(c *effect.Command, is func(string) string) bool {
	return c.Startup != nil && is("WAYLAND_DISPLAY") == "" && is("DISPLAY") != ""
}

func (p *Programs) withdraw(id string, is func(string) string) {
	within, cancel := context.WithTimeout(context.Background(), tokenWithin)
	defer cancel()
	_ = x11.Withdraw(within, is("DISPLAY"), display.Authority(is), id) // the desktop gives up waiting some time
}

// Failed takes back what was told of a program that Run left to its caller and that was not started, or has
// failed. One that succeeds may have left its window to another: that one tells.
func (p *Programs) Failed(c *effect.Command) {
	if !tells(c, p.getenv) { // without a manager the display is as we know it
		return
	}
	for _, pair := range c.Env {
		if id, ok := strings.CutPrefix(pair, startupID+"="); ok {
			p.withdraw(id, p.getenv)
		}
	}
}
