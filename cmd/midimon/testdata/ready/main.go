// Command ready is the least that a session service does before it is ready: it greets the
// bus, takes a name and says so.
package main

import (
	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/godbus/dbus/v5"
)

func main() {
	c, err := dbus.ConnectSessionBus()
	if err != nil {
		panic(err)
	}
	if _, err := c.RequestName("com.amiable.Ready", dbus.NameFlagDoNotQueue); err != nil {
		panic(err)
	}
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		panic(err)
	}
	select {}
}
