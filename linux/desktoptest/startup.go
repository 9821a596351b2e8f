//go:build linux

package desktoptest

import (
	"bytes"
	"slices"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// Startups are what is told on the display from now on by the Startup Notification Protocol, as any
// program may hear it.
func (d *Desktop) Startups() (next func() string) {
	d.t.Helper()
	c, err := xgb.NewConnDisplay(d.Getenv("DISPLAY"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(c.Close)
	root := xproto.Setup(c).DefaultScreen(c).Root
	if err := xproto.ChangeWindowAttributesChecked(c, root, xproto.CwEventMask, []uint32{xproto.EventMaskPropertyChange}).Check(); err != nil {
		d.t.Fatal(err)
	}
	texts := make(chan string, 64)
	go func() {
		said := map[xproto.Window][]byte{}
		for {
			e, err := c.WaitForEvent()
			if e == nil && err == nil {
				return
			}
			m, ok := e.(xproto.ClientMessageEvent)
			if !ok {
				continue
			}
			name, nameErr := xproto.GetAtomName(c, m.Type).Reply()
			if nameErr != nil {
				return
			}
			switch name.Name {
			case "_NET_STARTUP_INFO_BEGIN":
				said[m.Window] = slices.Clone(m.Data.Data8)
			case "_NET_STARTUP_INFO":
				said[m.Window] = append(said[m.Window], m.Data.Data8...)
			default:
				continue
			}
			if text, _, whole := bytes.Cut(said[m.Window], []byte{0}); whole {
				delete(said, m.Window)
				texts <- string(text)
			}
		}
	}()
	return func() string {
		d.t.Helper()
		select {
		case text := <-texts:
			return text
		case <-time.After(Limit):
			d.t.Fatal("nothing is told")
			return ""
		}
	}
}
