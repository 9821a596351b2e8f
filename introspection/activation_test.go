package introspection

import (
	"os"
	"regexp"
	"testing"
)

// The activation file names the bus name, the unit and a real program: where there is no
// systemd, the bus starts that.
func TestActivationFile(t *testing.T) {
	text, err := os.ReadFile("../packaging/dbus-1/com.amiable.Midimon1.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`\[D-BUS Service\]`, `Name=com\.amiable\.Midimon1`, `SystemdService=midimon\.service`, `Exec=/usr/bin/midimon`} {
		if !regexp.MustCompile("(?m)^" + line + "$").Match(text) {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}
