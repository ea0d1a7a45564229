package testworld

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sizeForSteps is the variable that tells a process in which statements are
// counted how much it has to do.
const sizeForSteps = "CTR_PRUNE_TEST_STEPS"

// Linear fails if one of the library's statements is executed much more often than
// linear growth allows when there is eight times as much to do. It runs the test
// that calls it in processes that count statements, and calls do only there: so
// nothing depends on how busy the machine is. What do prepares is better done
// by test files and this package, whose statements are not counted.
func Linear(t *testing.T, n int, do func(n int)) {
	t.Helper()
	if size := os.Getenv(sizeForSteps); size != "" {
		do(Must(strconv.Atoi(size)))
		return
	}
	program := filepath.Join(t.TempDir(), "steps.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-race=false", "-covermode=count", "-coverpkg=github.com/ctr-prune/ctr-prune/prune/...", "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building what counts: %v\n%s", err, out)
	}
	few, many := steps(t, program, n), steps(t, program, 8*n)
	if len(few) == 0 {
		t.Fatal("no statement was counted")
	}
	for block, times := range many {
		// A sort has a little more than eight times as many steps, and a nested loop
		// sixty-four times.
		if most := 16*few[block] + 8*n; times > most {
			t.Errorf("%s: executed %d times at %d, and %d times at %d", block, few[block], n, times, 8*n)
		}
	}
}

// steps says how often each block of statements is executed where there is so
// much to do.
func steps(t *testing.T, program string, n int) map[string]int {
	t.Helper()
	profile := filepath.Join(t.TempDir(), "steps")
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$", "-test.coverprofile="+profile)
	cmd.Env = append(os.Environ(), fmt.Sprint(sizeForSteps, "=", n))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("counting at %d: %v\n%s", n, err, out)
	}
	f := Must(os.Open(profile))
	defer func() { _ = f.Close() }()
	counts := make(map[string]int)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// file:from,to statements times
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && !slices.Contains(strings.Split(fields[0], "/"), "testworld") {
			counts[fields[0]] += Must(strconv.Atoi(fields[2]))
		}
	}
	return counts
}
