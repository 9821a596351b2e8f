package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/amiable-dev/midimon/packaging/man"
	"github.com/amiable-dev/midimon/packaging/man/mantest"
)

// The manual page is made of the commands themselves.
func TestManual(t *testing.T) {
	root := newRoot(&app{getenv: os.Getenv}, "")
	p := man.New("midimonctl", 1, "look at midimon and tell it what to do")
	p.Section("Synopsis")
	p.Text("midimonctl [OPTION]... VERB [ARGUMENT]...")
	p.Section("Description")
	about, codes, _ := strings.Cut(root.Long, "\n\n")
	p.Text(about)
	p.Section("Options")
	flags(p, root.PersistentFlags())
	p.Item(0, "-h, --help", "Describe midimonctl, or a verb.")
	p.Section("Verbs")
	for _, v := range verbs {
		cmd := v.make(&app{getenv: os.Getenv})
		p.Part(cmd.Use)
		p.Text(cmd.Short + ".")
		p.Text(cmd.Long)
		flags(p, cmd.Flags())
	}
	p.Part("completion SHELL")
	p.Text("Print a script that completes verbs, flags, modes, mappings and devices, for bash, zsh, fish or\npowershell. Names come from the running midimon; completing starts none.")
	p.Section("JSON")
	p.Text("What --json prints is stable: keys may be added, and words may come that are not told here; none\nchange or go. Channels are 0-15, times in *_usec are microseconds since 1970, in *_us microseconds.")
	p.Section("Exit status")
	p.Text(strings.TrimPrefix(codes, "Exit status: "))
	p.Section("Environment")
	p.Item(0, "MIDIMON_ADDRESS", "Where midimon is sought; as --address.")
	p.Item(0, "NO_COLOR", "Print no colour.")
	p.Section("Files")
	p.Item(0, "$XDG_RUNTIME_DIR/midimon/bus", "The private socket.")
	p.Item(0, "$XDG_CONFIG_HOME/midimon/config.toml", "The configuration.")
	p.Section("See also")
	p.Text("midimon(1), midimon.toml(5), busctl(1)")
	mantest.Check(t, "../../packaging/man/midimonctl.1", p.Bytes(), *update)
}

func flags(p *man.Page, set *pflag.FlagSet) {
	set.VisitAll(func(f *pflag.Flag) {
		value, what := pflag.UnquoteUsage(f)
		tag := "--" + f.Name
		if f.Shorthand != "" {
			tag = "-" + f.Shorthand + ", " + tag
		}
		if value != "" {
			tag += " " + strings.ToUpper(value)
		}
		p.Item(0, tag, strings.ToUpper(what[:1])+what[1:]+".")
	})
}

// Each verb is where its name says, and says what it does and what it prints.
func TestVerbs(t *testing.T) {
	for _, v := range verbs {
		cmd := v.make(&app{getenv: os.Getenv})
		if cmd.Name() != v.name {
			t.Errorf("%s makes %s", v.name, cmd.Name())
		}
		if cmd.Short == "" || cmd.Args == nil {
			t.Errorf("%s: %q, Args %v", v.name, cmd.Short, cmd.Args != nil)
		}
		if v.name != "inhibit" && !strings.Contains(cmd.Long, "ith --json") {
			t.Errorf("%s does not say what it prints with --json", v.name)
		}
	}
	for line, want := range map[string]string{
		"status": "status", "-j status": "status", "--address x status -v": "status", "": "", "nothing": "",
		"__complete mode": "", "help status": "", "--address status": "",
	} {
		if got := verbOf(strings.Fields(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
