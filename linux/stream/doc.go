// Package stream reads MIDI as plain bytes: from a FIFO, a serial line or a raw sound device
// that the configuration names by path (raw:/dev/snd/midiC1D0). Parser turns such bytes into
// messages; Driver finds the paths, watches them and opens them.
//
// It decides nothing about messages and knows no sequencer: package alsaseq does.
package stream
