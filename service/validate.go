package service

import (
	"context"
	"fmt"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// MaxValidated is how long a text Validate takes, in bytes.
const MaxValidated = 1 << 20

// Validate says whether a text is a configuration without errors, and everything there is to
// say of it. It opens no file and changes nothing; a text that is too long is one with an
// error. Texts are read one at a time. Error: ctx's.
func (d *Daemon) Validate(ctx context.Context, text string) (ok bool, diagnostics []report.Diagnostic, err error) {
	if len(text) > MaxValidated {
		return false, []report.Diagnostic{{
			Severity: report.Error, Code: string(config.TooLarge), File: d.o.Config, Line: 1, Column: 1,
			Message: fmt.Sprintf("%d bytes are more than %d", len(text), MaxValidated),
		}}, nil
	}
	select {
	case d.validating <- struct{}{}:
		defer func() { <-d.validating }()
	case <-ctx.Done():
		return false, nil, ctx.Err()
	}
	d.o.Beside(func() {
		p, found := config.Load(d.o.Config, []byte(text))
		ok, diagnostics = p != nil, found
	})
	return ok, diagnostics, nil
}
