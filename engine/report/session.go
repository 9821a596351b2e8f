package report

// Session is how the user's login session fares.
type Session struct {
	Known   bool // somebody can tell; else it counts as present, active and not locked
	Present bool // the user has one, at a seat
	Active  bool // one of the user's is in front
	Locked  bool // its screen is locked
	Assumed bool // that was only asked for, some time ago, and nobody has said what came of it
	Asleep  bool // the machine is about to sleep, or sleeps

	Delayed   bool   // the machine waits for us before it sleeps
	Undelayed string // why it does not, if that is known

	Fix string // where it is not known, or assumed, the command that makes it so
}
