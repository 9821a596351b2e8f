//go:build linux

package pulse

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestServers(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want string
	}{
		{nil, fmt.Sprintf("[{unix /run/user/%d/pulse/native}]", os.Getuid())},
		{[]string{"XDG_RUNTIME_DIR", "/r"}, "[{unix /r/pulse/native}]"},
		{[]string{"XDG_RUNTIME_DIR", "/r", "PULSE_RUNTIME_PATH", "/p"}, "[{unix /p/native}]"},
		{[]string{"PULSE_SERVER", "/a unix:/b"}, "[{unix /a} {unix /b}]"},
		{[]string{"PULSE_SERVER", "{here}unix:/a {there}unix:/b {here}tcp:h:1"}, "[{unix /a} {tcp h:1}]"},
		{[]string{"PULSE_SERVER", "tcp:h tcp4:h:5 tcp6:[::1]:6 tcp6:[::1] name"}, "[{tcp h:4713} {tcp4 h:5} {tcp6 [::1]:6} {tcp6 [::1]:4713} {tcp name:4713}]"},
		{[]string{"PULSE_SERVER", "unix:relative {broken tcp: {here}", "XDG_RUNTIME_DIR", "/r"}, "[{unix /r/pulse/native}]"},
	} {
		if got := fmt.Sprint(servers(env(c.env...), "here")); got != c.want {
			t.Errorf("%v: %s, want %s", c.env, got, c.want)
		}
	}
}

func FuzzServer(f *testing.F) {
	for _, s := range []string{"unix:/a", "{h}tcp:x:1", "tcp6:[::1]", "{", "/", "[::1]:5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseServer(s, "h")
		if ok && (got.address == "" || got.network == "") {
			t.Errorf("%q is %+v", s, got)
		}
	})
}

func TestCookie(t *testing.T) {
	home := t.TempDir()
	if got := cookie(env("HOME", home)); !slices.Equal(got, make([]byte, cookieSize)) {
		t.Error("a cookie out of nothing")
	}
	secret := make([]byte, cookieSize+1)
	secret[0] = 7
	for name, e := range map[string][]string{
		".pulse-cookie":        {"HOME", home},
		".config/pulse/cookie": {"HOME", home},
		"config/pulse/cookie":  {"XDG_CONFIG_HOME", home + "/config"},
		"secret":               {"PULSE_COOKIE", home + "/secret"},
	} {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, secret, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := cookie(env(e...)); len(got) != cookieSize || got[0] != 7 {
			t.Errorf("%s is not read", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConfigured(t *testing.T) {
	dir := t.TempDir()
	e := env("XDG_RUNTIME_DIR", dir)
	if Configured(e) {
		t.Error("a server out of nothing")
	}
	if !Configured(env("PULSE_SERVER", "there")) {
		t.Error("PULSE_SERVER does not count")
	}
	if err := os.MkdirAll(filepath.Join(dir, "pulse"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pulse", "native"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !Configured(e) || !slices.Equal(Paths(e), []string{filepath.Join(dir, "pulse", "native")}) {
		t.Error("the session's server does not count")
	}
}

func TestStreamsOfAnApplication(t *testing.T) {
	for _, c := range []struct {
		app   string
		names []string
		want  bool
	}{
		{"mpv", []string{"mpv", "mpv"}, true},
		{"google-chrome", []string{"Google Chrome", "chrome"}, true},
		{"Google Chrome", []string{"Google Chrome"}, true},
		{"org.gnome.Rhythmbox3", []string{"rhythmbox3"}, true},
		{"org.mozilla.firefox", []string{"Firefox", "firefox-bin"}, true},
		{"firefox", []string{"org.mozilla.firefox"}, true},
		{"vlc", []string{"VLC media player (LibVLC 3.0.18)", "vlc"}, true},
		{"fire", []string{"Firefox"}, false},
		{"", []string{"x"}, false},
		{"-", []string{"-"}, false},
		{"org.example.", []string{"x", ""}, false},
		{"mpv", nil, false},
	} {
		o := object{apps: c.names}
		if got := o.isOf(c.app); got != c.want {
			t.Errorf("%q of %q: %v", c.names, c.app, got)
		}
	}
}
