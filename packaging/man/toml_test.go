package man_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/packaging/man"
	"github.com/amiable-dev/midimon/packaging/man/mantest"
)

var update = flag.Bool("update", false, "write the manual page anew")

// The page of the configuration is made of its schema.
func TestConfiguration(t *testing.T) {
	p := man.New("midimon.toml", 5, "what midimon makes of MIDI controllers")
	p.Section("Description")
	p.Text("midimon reads $XDG_CONFIG_HOME/midimon/config.toml, a TOML 1.1 file. Files of its ancestor,\nMIDIMon 1.0, load too. A changed file acts as soon as it has been written; one with errors changes\nnothing. \"midimonctl validate\" tells what is wrong with a file, and where.\n\n" +
		"The first mapping that fits acts: those of the mode as they are written, then the global ones.\nChannels are 0-15. Notes are numbers or names, and C4 is 60. An unknown key is a warning.")
	p.Section("Example")
	p.Literal("[[modes]]\nname = \"Desk\"\n\n[[modes.mappings]]\nname = \"reopen-tab\"\ntrigger = { type = \"Note\", note = 36, velocity_min = 80 }\naction = { type = \"Keystroke\", keys = \"t\", modifiers = [\"ctrl\", \"shift\"] }\n")
	if err := p.Schema(config.JSONSchema()); err != nil {
		t.Fatal(err)
	}
	p.Section("See also")
	p.Text("midimon(1), midimonctl(1)")
	mantest.Check(t, "midimon.toml.5", p.Bytes(), *update)
}

// What roff would read as its own is kept from it.
func TestEscape(t *testing.T) {
	p := man.New("x", 1, "a-b")
	p.Text(".hidden 'quoted' \\back `tick` ^ ~")
	got := string(p.Bytes())
	if want := "\\&.hidden \\(aqquoted\\(aq \\eback \\(gatick\\(ga \\(ha \\(ti\n"; !strings.HasSuffix(got, want) {
		t.Errorf("%q, want the end %q", got, want)
	}
	if err := p.Schema([]byte("{")); err == nil {
		t.Error("no schema is taken")
	}
	if err := p.Schema([]byte(`{"definitions": {}}`)); err == nil {
		t.Error("a schema without its parts is taken")
	}
}
