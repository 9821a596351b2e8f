package report

// Session is how the user's login session fares.
type Session struct {
	Known   bool // somebody can tell; else it counts as present, active and not locked
	Present bool // the user has one, at a seat
	Active  bool // one of the user's is in front
	Locked  bool // its screen is locked
	Asleep  bool // the machine is about to sleep, or sleeps

	Delayed   bool   // the machine waits for us before it sleeps
	Undelayed string // why it does not, if that is known

	Fix string // where it is not known, the command that makes it so
}
