//go:build linux

package bus

import (
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// Reason is the error of a call with the name that the bus has for it, which godbus does not
// show: "org.freedesktop.DBus.Error.UnknownMethod: No such method". Others are as they are.
func Reason(err error) error {
	var e dbus.Error
	if p := (*dbus.Error)(nil); errors.As(err, &p) && p != nil {
		e = *p
	} else if !errors.As(err, &e) {
		return err
	}
	if text := e.Error(); text != e.Name {
		return fmt.Errorf("%s: %w", e.Name, err)
	}
	return err
}
