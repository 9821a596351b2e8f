// Package midi performs SendMidi. It knows what a message's bytes are, which notes it began
// and where it has sent anything, so that all of that can be silenced. Which port a name
// means is decided elsewhere.
package midi
