// Package packaging holds what is installed beside the programs, for the client, which can
// install it where no package did. It has no code.
package packaging

import "embed"

// Texts are the units and the file of the message bus, as packages install them.
//
//go:embed systemd/midimon.service systemd/midimon.socket systemd/midimon-tray.service dbus-1/com.amiable.Midimon1.service
var Texts embed.FS
