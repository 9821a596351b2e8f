package service_test

import (
	"os"
	"testing"

	"github.com/amiable-dev/midimon/engine/report"
)

const focused = `
[[modes]]
name = "Default"
[[modes]]
name = "Paint"
apps = ["gimp*"]
`

func TestUnknownFocusIsSaid(t *testing.T) {
	s, ctx := prepare(t, func(s *stage) {
		if err := os.WriteFile(s.options.Config, []byte(focused), 0o600); err != nil {
			t.Fatal(err)
		}
	}).run(), t.Context()
	s.await("running", running)
	row := func(want string) {
		t.Helper()
		s.await("the row "+want, func(st *report.Status) bool {
			if want == "" {
				return len(st.Health) == 0
			}
			return len(st.Health) == 1 && st.Health[0].Name == "focus" && st.Health[0].Status == report.Warning && st.Health[0].Message == want
		})
	}
	must(t, s.SetFocusUnknown(ctx, "it is off", "switch it on"))
	row("it is off")
	if fix := s.Status().Health[0].Fix; fix != "switch it on" {
		t.Errorf("fix: %q", fix)
	}
	must(t, s.SetFocusUnknown(ctx, "no desktop", ""))
	row("no desktop")
	must(t, s.ReportFocus(ctx, ":1.7", "Gimp-2.10"))
	row("")
	s.mode("Paint")
	must(t, s.Gone(ctx, ":1.7"))
	row("no desktop")
	s.mode("Default")
	must(t, s.SetFocus(ctx, "GIMP", true))
	row("")
	s.mode("Paint")
}
