//go:build linux

package wayland

import (
	"context"
	"errors"
	"path/filepath"
)

// From xdg-activation-v1.
const (
	activation = "xdg_activation_v1"

	activationGetToken = 1

	tokenSetAppID = 1
	tokenCommit   = 3

	tokenDone = 0
)

// ActivationToken asks the compositor of a display, as $WAYLAND_DISPLAY names it, for the right of a
// program that is started now to come to the front. We have no window that was just clicked, so a
// compositor may give a token and still not bring the program forward.
func ActivationToken(ctx context.Context, dir, display, app string) (string, error) {
	if !filepath.IsAbs(display) {
		display = filepath.Join(dir, display)
	}
	c, err := Dial(ctx, display)
	if err != nil {
		return "", err
	}
	defer c.Close()
	g, ok := c.Find(activation)
	if !ok {
		return "", errors.New("the compositor lacks " + activation)
	}
	manager, err := c.Bind(g, 1, nil)
	if err != nil {
		return "", err
	}
	done := make(chan string, 1)
	_, err = c.Create(func(opcode uint16, a *Args) {
		if opcode == tokenDone {
			select {
			case done <- a.String():
			default: // it says so once
			}
		}
	}, func(id uint32) []byte {
		b := Append(nil, manager, activationGetToken, id)
		if app != "" {
			from := len(b)
			b = appendString(Append(b, id, tokenSetAppID), from, app)
		}
		return Append(b, id, tokenCommit)
	})
	if err != nil {
		return "", err
	}
	select {
	case token := <-done:
		return token, nil
	case <-c.Done():
		return "", c.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
