//go:build linux

package launch

import (
	"slices"
	"testing"
)

func TestSplitExec(t *testing.T) {
	for _, c := range []struct {
		exec string
		want []string
	}{
		{"", nil},
		{"gimp-2.10 %U", []string{"gimp-2.10", "%U"}},
		{`  sh	-c  "a b" `, []string{"sh", "-c", "a b"}},
		{`sh -c "say \"it\" \$HOME \\ \n"`, []string{"sh", "-c", `say "it" $HOME \ \n`}},
		{`x "" y`, []string{"x", "", "y"}},
		{`a"b c"d`, []string{"ab cd"}},
	} {
		if got, err := splitExec(c.exec); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.exec, got, err, c.want)
		}
	}
	if got, err := splitExec(`a "b`); err == nil {
		t.Errorf("an open quote gives %q", got)
	}
}

func TestCommandOfAnEntry(t *testing.T) {
	for _, c := range []struct {
		exec string
		args []string
		want []string
	}{
		{"firefox %u", nil, []string{"firefox"}},
		{"firefox %u", []string{"a", "b"}, []string{"firefox", "a"}},
		{"gimp %F --new", []string{"a", "b"}, []string{"gimp", "a", "b", "--new"}},
		{"gimp", []string{"a"}, []string{"gimp", "a"}},
		{"x %i -t %c %k %d", nil, []string{"x", "--icon", "ic", "-t", "Ex", "/e.desktop"}},
		{"x --at=%f 100%%", []string{"a"}, []string{"x", "--at=a", "100%"}},
	} {
		e, err := parseEntry([]byte("[Desktop Entry]\nType=Application\nName=Ex\nIcon=ic\nExec=" + c.exec + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		e.path = "/e.desktop"
		if got := e.command(c.args); !slices.Equal(got, c.want) {
			t.Errorf("%s with %q: %q, want %q", c.exec, c.args, got, c.want)
		}
	}
}

func TestParseEntry(t *testing.T) {
	e, err := parseEntry([]byte(`# one
[Other]
Exec=no
[Desktop Entry]
Type = Application
Name=Calc
Name[de]=Rechner
Exec=calc\s"%f"
Path=/tmp
TryExec=calc
Terminal=true
DBusActivatable=true
StartupNotify=true
StartupWMClass=Calc
broken line
[Desktop Action new]
Exec=never
`))
	if err != nil {
		t.Fatal(err)
	}
	if !e.called("rechner") || e.called("Calculator") || e.dir != "/tmp" || e.try != "calc" || !e.inTerm || !e.busName || !e.tells || e.class != "Calc" || e.hidden ||
		!slices.Equal(e.argv, []string{"calc", "%f"}) {
		t.Errorf("%+v", e)
	}
	for _, bad := range []string{
		"", "[Desktop Entry]\nType=Link\nExec=x\n", "[Desktop Entry]\nType=Application\nName=x\n", "[Desktop Entry]\nType=Application\nExec=\"x\n",
	} {
		if e, err := parseEntry([]byte(bad)); err == nil {
			t.Errorf("%q is %+v", bad, e)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte("[Desktop Entry]\nType=Application\nName=a\\sb\nExec=x \"a\\\"b\" %U %% %c\n"), "arg")
	f.Add([]byte("[Desktop Entry]\nHidden=true\n"), "")
	f.Fuzz(func(t *testing.T, text []byte, arg string) {
		e, err := parseEntry(text)
		if err != nil {
			return
		}
		if !e.hidden && !e.busName && len(e.argv) == 0 && len(e.command(nil)) > 0 {
			t.Errorf("no words in Exec, and yet %q", e.command(nil))
		}
		// What is given comes out whole or not at all: never as a part of the command line's syntax.
		for _, word := range e.command([]string{arg}) {
			if len(word) > len(text)*len(text)+len(arg)*len(text)+len(arg) {
				t.Errorf("a word of %d bytes", len(word))
			}
		}
	})
}
