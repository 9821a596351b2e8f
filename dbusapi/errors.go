package dbusapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

// ErrorPrefix begins the names of midimon's own errors.
const ErrorPrefix = BusName + ".Error."

// limitsExceeded and invalidArgs are errors of the specification that a Backend may answer.
const (
	specErrors     = "org.freedesktop.DBus.Error."
	limitsExceeded = specErrors + "LimitsExceeded"
	invalidArgs    = specErrors + "InvalidArgs"
	failed         = specErrors + "Failed"
)

// backendErrors gives what a Backend may answer its name on the bus; the first that fits counts.
var backendErrors = []struct {
	is   error
	name string
}{
	{report.ErrConfigInvalid, ErrorPrefix + "ConfigInvalid"},
	{report.ErrConfigUnreadable, ErrorPrefix + "ConfigUnreadable"},
	{report.ErrUnknownMode, ErrorPrefix + "UnknownMode"},
	{report.ErrUnknownMapping, ErrorPrefix + "UnknownMapping"},
	{report.ErrUnknownDevice, ErrorPrefix + "UnknownDevice"},
	{report.ErrUnknownCookie, ErrorPrefix + "UnknownCookie"},
	{report.ErrMappingDisabled, ErrorPrefix + "MappingDisabled"},
	{report.ErrPaused, ErrorPrefix + "Paused"},
	{report.ErrBusy, ErrorPrefix + "Busy"},
	{report.ErrDeviceAbsent, ErrorPrefix + "DeviceAbsent"},
	{report.ErrDeviceBusy, ErrorPrefix + "DeviceBusy"},
	{report.ErrActionFailed, ErrorPrefix + "ActionFailed"},
	{report.ErrKeysUnavailable, ErrorPrefix + "ActionFailed"},
	{report.ErrNotSupported, ErrorPrefix + "NotSupported"},
	{report.ErrStopping, ErrorPrefix + "Stopping"},
	{report.ErrInvalid, invalidArgs},
	{report.ErrTooMany, limitsExceeded},
	{context.DeadlineExceeded, ErrorPrefix + "TimedOut"},
	{context.Canceled, ErrorPrefix + "Cancelled"},
}

// The errors of the D-Bus specification.
func standard(name, format string, args ...any) error {
	return &dbus.Error{Name: specErrors + name, Body: []any{fmt.Sprintf(format, args...)}}
}

func errUnknownObject(path dbus.ObjectPath) error {
	return standard("UnknownObject", "no object at %s", path)
}

func errUnknownInterface(path dbus.ObjectPath, name string) error {
	return standard("UnknownInterface", "%s has no interface %q", path, name)
}

func errUnknownMethod(name string) error {
	return standard("UnknownMethod", "no method %q", name)
}

func errUnknownProperty(name string) error {
	return standard("UnknownProperty", "no property %q", name)
}

func errReadOnly(name string) error {
	return standard("PropertyReadOnly", "%s cannot be written", name)
}

func errPrivateOnly(name string) error {
	return fmt.Errorf("%w: %s answers on the private socket only", report.ErrNotSupported, name)
}

func errInvalidArgs(format string, args ...any) error {
	return standard("InvalidArgs", format, args...)
}

// busError is the error message for err: its name, and a text that can be encoded (a text
// that cannot would be dropped, and the caller would wait).
func busError(err error) (name, text string) {
	var e *dbus.Error
	if errors.As(err, &e) {
		return e.Name, clean(e.Error())
	}
	for _, own := range backendErrors {
		if errors.Is(err, own.is) {
			return own.name, clean(err.Error())
		}
	}
	return failed, clean(err.Error())
}

// clean makes a text what D-Bus takes: UTF-8 without NUL. Names of devices and files are not
// always that.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func cleanAll(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = clean(s)
	}
	return out
}
