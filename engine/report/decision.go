package report

import "time"

// Decision is what the engine made of one event, or of the passing of time, and why.
type Decision struct {
	Seq        uint64        // counts decisions since the start, from 1
	At         time.Duration // monotonic: the arrival of the event, or when it was due
	Kind       string        // of the message: "note-on"; for Timed what it was about, or empty
	Port       int           // the daemon's number of the port
	Device     string        // whose port it is, or empty
	Channel    int           // 0-15
	Number     int           // note, controller or program
	Value      int           // velocity or value
	Timed      bool          // a deadline or a caller, not a message
	Mode       string        // what acted
	Candidates int           // mappings of that control that were looked at
	Outcome    string        // "fired", "failed" (fired, and it came to nothing), "waits", "refused", "no-match" or "no-mapping"
	Mapping    string        // the id of that which fired or was refused, or empty
	Trigger    string        // its type
	Hit        string        // VelocityRange: soft, medium or hard
	Reason     string        // why refused or failed, or why the last candidate did not fit
	WaitsFor   []string      // "hold", "taps", "chord"
	Until      time.Duration // monotonic: when the waiting ends; 0: nothing waits
	Taken      time.Duration // from At until the loop took it
	Handed     time.Duration // from At until what came of it was handed on; 0: not measured
}
