package client

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
)

// Status is what the daemon says of itself. Its JSON form is part of the command line's
// contract.
type Status struct {
	State            string   `json:"state"`
	Mode             string   `json:"mode"`
	BaseMode         string   `json:"base_mode"`
	Modes            []string `json:"modes"`
	Problems         []string `json:"problems"`
	Health           []Check  `json:"health"`
	Inhibitors       []Holder `json:"inhibitors"`
	ConnectedDevices []string `json:"connected_devices"`
	Devices          []Device `json:"devices"`
	ConfigPath       string   `json:"config_path"`
	ConfigStatus     string   `json:"config_status"`
	ConfigGeneration uint64   `json:"config_generation"`
	LastReload       *Reload  `json:"last_reload"` // null before the first
	Version          string   `json:"version"`
	Features         []string `json:"features"`
	Pid              uint32   `json:"pid"`
	StartedUSec      uint64   `json:"started_usec"`
}

// A Check is a row of health that is not ok.
type Check struct {
	Check   string `json:"check"`
	Status  string `json:"status"`
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// Reload is how the configuration was last read.
type Reload struct {
	TimeUSec   uint64 `json:"time_usec"`
	OK         bool   `json:"ok"`
	Trigger    string `json:"trigger"`
	DurationUS uint64 `json:"duration_us"`
	Modes      uint32 `json:"modes"`
	Mappings   uint32 `json:"mappings"`
	Warnings   uint32 `json:"warnings"`
	Grade      string `json:"grade"`
	Error      string `json:"error"`
	Phases
	Diff
}

// Phases is where the time of a reload went.
type Phases struct {
	DetectUS  uint64 `json:"detect_us"`
	ReadUS    uint64 `json:"read_us"`
	ParseUS   uint64 `json:"parse_us"`
	CompileUS uint64 `json:"compile_us"`
	SwapUS    uint64 `json:"swap_us"`
}

// Diff is what a reload changed.
type Diff struct {
	Changes []Change `json:"changes"`
	More    uint32   `json:"more_changes"`  // that are not listed
	Other   []string `json:"other_changes"` // "modes", "devices", "timing"
}

// Change is a mapping that is not as it was.
type Change struct {
	Kind    string `json:"kind"` // "added", "removed" or "changed"
	ID      string `json:"id"`
	Label   string `json:"label"`
	Mode    string `json:"mode"` // empty: a global one
	Trigger string `json:"trigger"`
	Action  string `json:"action"`
}

// A Device is a MIDI controller.
type Device struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Kind          string `json:"kind"`
	USB           string `json:"usb_id"`
	Serial        string `json:"serial"`
	State         string `json:"state"`
	Error         string `json:"error"`
	Enabled       bool   `json:"enabled"`
	Ports         []Port `json:"ports"`
	EventCount    uint64 `json:"event_count"`
	LastEventUSec uint64 `json:"last_event_usec"` // 0: none yet
}

// A Port is one port of a device.
type Port struct {
	Name string `json:"name"`
	In   bool   `json:"in"`
	Out  bool   `json:"out"`
}

const (
	propsGetAll   = "org.freedesktop.DBus.Properties.GetAll"
	propsSet      = "org.freedesktop.DBus.Properties.Set"
	objectsGetAll = "org.freedesktop.DBus.ObjectManager.GetManagedObjects"
)

// Status reads everything.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	// Both calls are on their way at once.
	props := c.root.GoWithContext(ctx, propsGetAll, c.flag, make(chan *dbus.Call, 1), dbusapi.BusName)
	objects := c.root.GoWithContext(ctx, objectsGetAll, c.flag, make(chan *dbus.Call, 1))
	var values map[string]dbus.Variant
	if err := answer(ctx, <-props.Done, &values); err != nil {
		return nil, err
	}
	devices, err := deviceList(ctx, <-objects.Done)
	if err != nil {
		return nil, err
	}
	s := &Status{Devices: devices, Inhibitors: []Holder{}}
	var reload map[string]dbus.Variant
	err = store(values, map[string]any{
		"State": &s.State, "Mode": &s.Mode, "BaseMode": &s.BaseMode, "Modes": &s.Modes, "Problems": &s.Problems,
		"Health": &s.Health, "Inhibitors": &s.Inhibitors, "ConnectedDevices": &s.ConnectedDevices, "ConfigPath": &s.ConfigPath,
		"ConfigStatus": &s.ConfigStatus, "ConfigGeneration": &s.ConfigGeneration, "LastReload": &reload,
		"Version": &s.Version, "Features": &s.Features, "Pid": &s.Pid, "StartedUSec": &s.StartedUSec,
	})
	if err != nil || len(reload) == 0 {
		return s, err
	}
	s.LastReload, err = lastReload(reload)
	return s, err
}

// Generation is which configuration acts: it grows with every one that is accepted or taken back.
func (c *Client) Generation(ctx context.Context) (generation uint64, err error) {
	var v dbus.Variant
	if err := c.call(ctx, "org.freedesktop.DBus.Properties.Get", []any{dbusapi.BusName, "ConfigGeneration"}, &v); err != nil {
		return 0, err
	}
	err = v.Store(&generation)
	return generation, err
}

// LastReload is how the configuration was last read; nil before the first time.
func (c *Client) LastReload(ctx context.Context) (*Reload, error) {
	var v dbus.Variant
	if err := c.call(ctx, "org.freedesktop.DBus.Properties.Get", []any{dbusapi.BusName, "LastReload"}, &v); err != nil {
		return nil, err
	}
	var values map[string]dbus.Variant
	if err := v.Store(&values); err != nil || len(values) == 0 {
		return nil, err
	}
	return lastReload(values)
}

func lastReload(values map[string]dbus.Variant) (*Reload, error) {
	r := &Reload{Diff: Diff{Changes: []Change{}, Other: []string{}}}
	return r, store(values, map[string]any{
		"time": &r.TimeUSec, "ok": &r.OK, "trigger": &r.Trigger, "duration_us": &r.DurationUS,
		"modes": &r.Modes, "mappings": &r.Mappings, "warnings": &r.Warnings, "grade": &r.Grade, "error": &r.Error,
		"detect_us": &r.DetectUS, "read_us": &r.ReadUS, "parse_us": &r.ParseUS, "compile_us": &r.CompileUS, "swap_us": &r.SwapUS,
		"changes": &r.Changes, "more_changes": &r.More, "other_changes": &r.Other,
	})
}

// Devices lists the devices by name, those that are not configured last.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	return deviceList(ctx, c.root.CallWithContext(ctx, objectsGetAll, c.flag))
}

func deviceList(ctx context.Context, call *dbus.Call) ([]Device, error) {
	var objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant
	if err := answer(ctx, call, &objects); err != nil {
		return nil, err
	}
	devices := []Device{}
	for _, object := range objects {
		values, ok := object[dbusapi.DeviceInterface]
		if !ok {
			continue
		}
		d := Device{Ports: []Port{}}
		err := store(values, map[string]any{
			"Id": &d.ID, "Name": &d.Name, "Kind": &d.Kind, "UsbId": &d.USB, "Serial": &d.Serial, "State": &d.State,
			"Error": &d.Error, "Enabled": &d.Enabled, "Ports": &d.Ports, "EventCount": &d.EventCount,
			"LastEventUSec": &d.LastEventUSec,
		})
		if err != nil {
			return nil, err
		}
		devices = append(devices, d)
	}
	slices.SortFunc(devices, func(a, b Device) int {
		ignored := func(d Device) int { return map[bool]int{true: 1}[d.State == "ignored"] }
		return cmp.Or(cmp.Compare(ignored(a), ignored(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return devices, nil
}

// store fills what is there; a daemon of another version may lack some.
func store(values map[string]dbus.Variant, into map[string]any) error {
	for name, to := range into {
		if v, ok := values[name]; ok {
			reflect.ValueOf(to).Elem().SetZero() // else a slice would be filled in place
			if err := v.Store(to); err != nil {
				return err
			}
		}
	}
	return nil
}

// Ping measures a round trip to the daemon itself.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	err := c.call(ctx, "org.freedesktop.DBus.Peer.Ping", nil)
	return time.Since(begin), err
}
