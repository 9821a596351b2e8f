package report

import "errors"

// Fault is an error that somebody can mend: a row of health in the making.
type Fault struct {
	Check string // the check that fails: "alsa", "keys", "bus"
	Fix   string // the one command that mends it
	Err   error
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// Unexplained is the fix of what nobody foresaw: where more is said of it.
const Unexplained = "midimonctl logs"

// ReportFocus is the fix where no desktop tells which application has the focus. What a caller reports
// counts no longer than the caller stays, so no one command does it.
const ReportFocus = "have a program that stays on the session bus call ReportFocus at each change"

// Ended is the error of a program that ran and did not succeed.
type Ended struct {
	Program  string
	How      string // for people: "exit status 3"
	TimedOut bool   // it was killed because it took too long
}

func (e *Ended) Error() string { return e.Program + ": " + e.How }

// What callers ask for and cannot have. The bus gives each its own error name.
var (
	ErrConfigInvalid    = errors.New("the configuration has errors")
	ErrConfigUnreadable = errors.New("the configuration cannot be read")
	ErrUnknownMode      = errors.New("no such mode")
	ErrUnknownMapping   = errors.New("no such mapping")
	ErrUnknownDevice    = errors.New("no such device")
	ErrUnknownCookie    = errors.New("no such cookie")
	ErrMappingDisabled  = errors.New("the mapping is disabled")
	ErrPaused           = errors.New("actions are not performed now")
	ErrBusy             = errors.New("too many at once")
	ErrDeviceAbsent     = errors.New("the device is absent")
	ErrDeviceBusy       = errors.New("the device is busy")
	ErrKeysUnavailable  = errors.New("no keyboard device to press keys with")
	ErrNotSupported     = errors.New("not supported")
	ErrActionFailed     = errors.New("the action failed")
	ErrTooMany          = errors.New("over the limit")
	ErrInvalid          = errors.New("invalid argument")
	ErrStopping         = errors.New("midimon is stopping")
)
