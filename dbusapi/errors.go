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

// ownErrors gives what a Backend may answer its name on the bus; the first that fits counts.
var ownErrors = []struct {
	is   error
	name string
}{
	{report.ErrConfigInvalid, "ConfigInvalid"},
	{report.ErrConfigUnreadable, "ConfigUnreadable"},
	{report.ErrUnknownMode, "UnknownMode"},
	{report.ErrUnknownMapping, "UnknownMapping"},
	{report.ErrUnknownDevice, "UnknownDevice"},
	{report.ErrUnknownCookie, "UnknownCookie"},
	{report.ErrMappingDisabled, "MappingDisabled"},
	{report.ErrPaused, "Paused"},
	{report.ErrBusy, "Busy"},
	{report.ErrDeviceAbsent, "DeviceAbsent"},
	{report.ErrDeviceBusy, "DeviceBusy"},
	{report.ErrKeysUnavailable, "ActionFailed"},
	{report.ErrNotSupported, "NotSupported"},
	{report.ErrStopping, "Stopping"},
	{context.DeadlineExceeded, "TimedOut"},
	{context.Canceled, "Cancelled"},
}

// The errors of the D-Bus specification.
func standard(name, format string, args ...any) error {
	return &dbus.Error{Name: "org.freedesktop.DBus.Error." + name, Body: []any{fmt.Sprintf(format, args...)}}
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
	for _, own := range ownErrors {
		if errors.Is(err, own.is) {
			return ErrorPrefix + own.name, clean(err.Error())
		}
	}
	return "org.freedesktop.DBus.Error.Failed", clean(err.Error())
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
