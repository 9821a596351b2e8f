package effect

import "time"

// Command is a program to start: what a platform makes of a Shell, Launch or Open. None of it
// but Name may be shown.
type Command struct {
	Name    string   // for people: an application's id, or the program's name
	Argv    []string // the program's path first
	Env     []string // NAME=value, beside the session's own
	Dir     string   // where it works; empty: the home directory
	Lasting bool     // it is the user's own once it has started: nobody waits for its end

	// For a command that does not last.
	Timeout time.Duration // it is killed after that; 0: never

	// For an application that the message bus can start.
	BusName string
	Files   []string // that it is to open

	Startup *Startup // nil: the program does not say when it is there
}

// A Startup is what a desktop may tell of a program until that is there.
type Startup struct {
	Name  string // for people
	Class string // of its window; empty: as the program itself says
}
