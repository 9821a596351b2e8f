// Package darwin is what midimon knows of macOS. So far that is what it cannot do there. What
// the daemon makes of it is decided elsewhere.
package darwin
