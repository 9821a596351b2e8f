//go:build linux

package keys

import (
	"strings"
	"testing"
)

func TestChoice(t *testing.T) {
	const no = "no"
	for name, c := range map[string]struct {
		world   world
		backend string
		want    choice
	}{
		"sway":                  {world{compositor: "/s", pointer: true, portal: no, xtest: no}, "", choice{byWayland, byWayland, byWayland}},
		"no virtual mouse":      {world{compositor: "/s", portal: no, xtest: no}, "auto", choice{byWayland, byWayland, byUinput}},
		"nothing for the mouse": {world{compositor: "/s", portal: no, uinput: no, xtest: no}, "auto", choice{byWayland, byWayland, ""}},
		"plasma":                {world{compositor: "/s", wayland: no, portal: no, xtest: no}, "auto", choice{byUinput, byUinput, byUinput}},
		"plasma without access": {world{compositor: "/s", wayland: no, uinput: no, xtest: no}, "auto", choice{byPortal, byPortal, byPortal}},
		"plasma that allows":    {world{compositor: "/s", granted: true, wayland: no, xtest: no}, "auto", choice{byUinput, byPortal, byUinput}},
		"allowed and gone":      {world{compositor: "/s", granted: true, wayland: no, portal: no, xtest: no}, "auto", choice{byUinput, byUinput, byUinput}},
		"never XTEST there":     {world{compositor: "/s", display: ":0", wayland: no, uinput: no, portal: no}, "auto", choice{}},
		"x11":                   {world{display: ":0", wayland: no, portal: no}, "auto", choice{byXTest, byXTest, byXTest}},
		"x11 without XTEST":     {world{display: ":0", wayland: no, portal: no, xtest: no}, "auto", choice{byUinput, byUinput, byUinput}},
		"console":               {world{wayland: no, portal: no, xtest: no}, "auto", choice{byUinput, byUinput, byUinput}},
		"nothing":               {world{wayland: no, portal: no, xtest: no, uinput: no}, "auto", choice{}},
		"named":                 {world{compositor: "/s", pointer: true}, "uinput", choice{byUinput, byUinput, byUinput}},
		"named without a mouse": {world{compositor: "/s"}, "wayland", choice{byWayland, byWayland, ""}},
		"named and not there":   {world{compositor: "/s", pointer: true, uinput: no}, "uinput", choice{}},
	} {
		got := choose(&c.world, c.backend)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		text := explain(&c.world, c.backend, got)
		for _, way := range ways { // each is said to act, or why not
			if strings.Count(text, "by "+way)+strings.Count(text, "not "+way+": ") != 1 {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	w := world{compositor: "/s", portal: "it asks", xtest: "the session is Wayland", uinput: "no access"}
	const want = "keys, text by wayland; mouse by nothing; not uinput: no access; not portal: it asks; not xtest: the session is Wayland"
	if got := explain(&w, "", choose(&w, "")); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
