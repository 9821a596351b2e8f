// Package script is one text format for a performance in virtual time: what a user plays and
// what comes of it. The engine's golden tests, recordings, `midimonctl test` and bug reports
// are written in it. It reads no clock, opens no file and performs nothing; it must never
// know who asks.
//
// A performance is a txtar archive: a comment, then files that each begin with a line
// "-- name --".
//
//	A tap is told from a hold by its release.
//	# hand
//	-- config.toml --
//	global_mappings = [
//	  { name = "copy", trigger = { type = "Note", note = 36 }, action = { type = "Keystroke", keys = "c", modifiers = ["ctrl"] } },
//	  { name = "stop", trigger = { type = "LongPress", note = 36 }, action = { type = "Media", operation = "Stop" } },
//	]
//	-- events --
//	0ms on 36 100
//	80ms off 36
//	1s advance
//	-- expect --
//	80ms copy Keystroke
//	80ms down ctrl+c
//	100ms up c+ctrl
//
// # The files
//
// config.toml is a configuration as users write it. Whoever runs a performance may bring it
// instead. Every further file but the two below is one more configuration, for reload.
//
// events has one event a line: when, what, and to what. Times count from the beginning, with
// the units s, ms and us (1.5s, 80ms, 250us), and never run back. Words with spaces in them
// stand in double quotes.
//
// expect has one effect a line, in the order in which they come.
//
// In events and expect empty lines mean nothing, nor does anything from a # that begins a
// line or stands between spaces. A line "# hand" in the comment says that the expectation was
// written by hand and must not be overwritten by what the engine happens to do.
//
// # The events
//
// A message comes from port 0 and on channel 0 unless its line ends in "ch 0" to "ch 15" or
// "port 0" to "port 255". Port 0 belongs to the first device of the configuration, port 1 to
// the second; further ports to none. A port is there from the start.
//
//	on NOTE [VELOCITY]     velocity 100; 0 is a release
//	off NOTE
//	cc CONTROLLER VALUE    NRPN and RPN are made of these
//	bend VALUE             0 to 16383, rest 8192
//	pressure VALUE         of the channel
//	poly NOTE VALUE        pressure of one note
//	program NUMBER
//	start, continue, stop
//	sysex F0 .. F7
//	lost                   the port is gone
//	attach                 it is back
//	overrun                the kernel lost events of it
//	mode NAME              the base mode is set
//	cycle STEPS            the mode so many after the one that acts, in file order and round
//	hold-mode NAME         a mode is held
//	release-mode [NAME]    and let go of: the newest, or the newest of that name
//	pause, resume          the gates: paused
//	inhibit, uninhibit     an application asks for quiet
//	lock, unlock           the screen; the condition Locked follows
//	inactive, active       the session
//	focus APP              that application is in front; without a name none is; ? nobody can tell
//	clock Mon 09:30        what day and time it is; Mon 00:00 at first
//	running PROGRAM...     all programs that run; none at first
//	present DEVICE...      all devices that are connected; all that are configured at first
//	reload FILE            another configuration of the archive acts
//	enable ID, disable ID  a mapping
//	trigger ID             a mapping, without its control
//	toggle STATE on|off    a named toggle is set
//	refuse                 the next KeyDown finds no place in its queue
//	panic                  everything is let go of
//	stopping               so too, because the daemon stops
//	sink-lost              what held the keys down is gone; notes sound on
//	advance                nothing but time
//
// # The effects
//
// Every line begins with the time at which the effect was due. ID is the mapping, followed by
// ".3" for the third step of a sequence. TYPE and DETAIL are the action, without what a user
// may want kept private. Parts that say nothing are left out.
//
//	ID TYPE DETAIL level N steps N     an action starts; of a VelocityRange it ends in hit soft,
//	                                   hit medium or hit hard
//	refused ID TYPE DETAIL (cause)     it was due and did not happen
//	down ctrl+c                        keys go down, in this order; "-" if all were down already
//	down note 60 ch 0 PORT             a note begins
//	up c+ctrl (cause)                  they go up, or the note ends
//	refused down ctrl+c (queue-full)   an event "refuse" took effect
//	mode OLD > NEW (cause)             another mode acts
//	held ctrl+c                        at the end: these are still down
//
// # Lateness
//
// [Performance.Run] plays everything twice: woken only by the events, and woken at each deadline
// of the engine as well. That must make no difference, or Run fails, as it does when a key
// goes down twice, goes up without having been down, or time runs back.
package script
