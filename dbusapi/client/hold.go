package client

import (
	"context"
	"time"

	"github.com/amiable-dev/midimon/dbusapi"
)

// Inhibit makes the daemon refuse every action for as long as the connection lasts.
func (c *Client) Inhibit(ctx context.Context, who, why string) error {
	var cookie uint32
	return c.call(ctx, dbusapi.BusName+".Inhibit", []any{who, why}, &cookie)
}

// ArmRevert makes the daemon go back to the configuration before, unless Keep comes in time
// with the generation returned.
func (c *Client) ArmRevert(ctx context.Context, within time.Duration) (generation uint64, err error) {
	err = c.call(ctx, dbusapi.BusName+".ArmRevert", []any{uint32(within.Milliseconds())}, &generation)
	return generation, err
}

// Keep ends ArmRevert: the configuration stays.
func (c *Client) Keep(ctx context.Context, generation uint64) error {
	return c.call(ctx, dbusapi.BusName+".Keep", []any{generation})
}

// Revert goes back to the configuration before.
func (c *Client) Revert(ctx context.Context) error {
	return c.call(ctx, dbusapi.BusName+".Revert", nil)
}
