// Package pulse changes volumes through PulseAudio's native protocol, which PipeWire speaks
// too: of sinks and sources, by name or whichever is the default, and of the streams of an
// application. It observes the server, so that what it says of volumes is so.
//
// What a volume becomes is arithmetic of package volume; which mixer is used where there are
// several is decided elsewhere.
package pulse
