// Package alsaseq speaks to the ALSA sequencer of the kernel (include/uapi/sound/asequencer.h),
// in Go alone: it finds MIDI ports, says which devices they are, listens to them, writes to
// them and hears of plugging as it happens.
//
// A session is two clients of the sequencer. The control client enumerates and hears the
// announcements; the data client carries the music. So a flood of notes, which may cost the
// data client its queue, never costs an announcement. Neither client's ports are exported:
// other programs neither see nor break the connections.
//
// What messages mean, which device is wanted and when to try again is decided elsewhere.
package alsaseq
