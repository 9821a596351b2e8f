// Package audio performs VolumeControl: through the sound server if there is one, PulseAudio
// or PipeWire, else through ALSA's mixer. It knows which application is in front.
package audio
