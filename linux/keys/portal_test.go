//go:build linux

package keys

import (
	"testing"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/portal"
)

// A key that was left down asks for a session, which a locked desktop refuses to begin. That is no reason to
// open the portal again, and so to ask again.
func TestPortalIsOpenedThoughNothingComesUp(t *testing.T) {
	d := desktoptest.New(t) // whose bus has no portal
	desk := bus.Session(d.Getenv)
	defer desk.Close()
	p := portal.New(desk, "", d.Write("held", "30\n"))
	if err := p.Recover(t.Context()); err == nil {
		t.Fatal("a key has come up, by nobody")
	}
	w, err := openPortal(t.Context(), &world{}, p, desk)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
}
