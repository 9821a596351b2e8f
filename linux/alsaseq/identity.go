//go:build linux

package alsaseq

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// identity is what stays of a device when it is plugged in again; client and card numbers
// do not.
type identity struct {
	usb    string // "17cc:1700"
	serial string
	path   string // "1-1.2": the socket it is in
}

// identify asks sysfs which USB device a sound card is. Other cards have no identity.
func identify(sysfs string, card int32) identity {
	if card < 0 {
		return identity{}
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(sysfs, "class/sound", fmt.Sprintf("card%d", card), "device"))
	if err != nil {
		return identity{}
	}
	root, err := filepath.EvalSymlinks(sysfs)
	if err != nil {
		return identity{}
	}
	// The card belongs to an interface of the device, so the device is above it.
	for ; dir != root && dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		vendor, product := attribute(dir, "idVendor"), attribute(dir, "idProduct")
		if vendor != "" && product != "" {
			return identity{
				usb:    strings.ToLower(vendor + ":" + product),
				serial: attribute(dir, "serial"),
				path:   filepath.Base(dir),
			}
		}
	}
	return identity{}
}

// cards are the identities found out during one listing, in which a card often has several ports.
type cards map[int32]identity

func (k cards) identify(sysfs string, card int32) identity {
	id, ok := k[card]
	if !ok {
		id = identify(sysfs, card)
		k[card] = id
	}
	return id
}

func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(strings.TrimSpace(string(b)), "\uFFFD")
}
