//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// After work on both processors what is free does not stay with us, whichever of them has it. Go may miss some of it, so
// the middle of many programs counts.
func TestGiveBack(t *testing.T) {
	const child = "MIDIMON_GIVE_BACK"
	if os.Getenv(child) != "" {
		runtime.GOMAXPROCS(besideProcs)
		var working sync.WaitGroup
		for range besideProcs {
			working.Go(func() {
				kept := make([][]byte, 300)
				for i := range 20_000 {
					kept[i*7%len(kept)] = make([]byte, 64<<(i%7))
				}
			})
		}
		working.Wait()
		giveBack()
		sample := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}}
		metrics.Read(sample)
		fmt.Println(sample[0].Value.Uint64(), "bytes")
		return
	}
	var free []int
	for range 25 {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), child+"=1")
		out, err := c.Output()
		n, _, ok := strings.Cut(string(out), " bytes")
		bytes, bad := strconv.Atoi(n)
		if err != nil || !ok || bad != nil {
			t.Fatalf("%q: %v", out, err)
		}
		free = append(free, bytes)
	}
	slices.Sort(free)
	if free[len(free)/2] > 16<<10 {
		t.Errorf("bytes that are free and ours: %d", free)
	}
}
