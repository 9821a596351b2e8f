//go:build linux

package main

import (
	"regexp"
	"strconv"
	"testing"
)

var heapGoal = regexp.MustCompile(` (\d+) MB goal`)

// Until something was collected the limit is far away; then it follows the heap, which is small.
// Go alone would aim at 4 MB from the beginning.
func TestTheLimitFollowsTheHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	p := spawn(t, stormy, "--dry-run")
	goals := func() (all []int) {
		for _, m := range heapGoal.FindAllStringSubmatch(p.stderr.String(), -1) {
			n, _ := strconv.Atoi(m[1])
			all = append(all, n)
		}
		return all
	}
	p.eventually("the first collection", func() bool { return len(goals()) > 0 })
	if first := goals()[0]; first < 12 {
		t.Errorf("something was collected before it was needed: at %d MB", first)
	}
	p.eventually("the limit is near the heap", func() bool {
		p.collect()
		all := goals()
		return all[len(all)-1] <= 8
	})
}
