package manual

import (
	"regexp"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/introspection"
)

// Names are the errors that midimon has of its own, without their prefix.
var Names = []string{
	"ConfigInvalid", "ConfigUnreadable", "UnknownMode", "UnknownMapping", "UnknownDevice", "MappingDisabled", "ActionFailed",
	"DeviceAbsent", "DeviceBusy", "Busy", "TimedOut", "Cancelled", "Paused", "NotSupported", "UnknownCookie", "Stopping",
}

var (
	errorText = regexp.MustCompile(`(?s)Errors?( when written)?:.*?(\n\n|$)`)
	errorName = regexp.MustCompile(`org\.freedesktop\.DBus\.Error\.\w+|\b[A-Z]\w+`)
)

// Errors are the errors that an interface documents, by member: midimon's own without their
// prefix, those of the specification whole.
func Errors(iface string) (map[string][]string, error) {
	docs, err := documentation(introspection.Source(iface))
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for member, d := range docs {
		for _, name := range errorName.FindAllString(errorText.FindString(d.text), -1) {
			if strings.HasPrefix(name, "org.") || slices.Contains(Names, name) {
				all[member] = append(all[member], name)
			}
		}
	}
	delete(all, iface)
	return all, nil
}
