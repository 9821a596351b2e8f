// Package units asks the user's service manager, over the session bus, to start and stop
// midimon's units, and tells how they stand. What the daemon itself says to the manager is
// package systemd's; the texts of the units are packaging's.
package units
