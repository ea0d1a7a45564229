package browse_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/browse"
	"github.com/ctr-prune/ctr-prune/prune"
)

// What keys ask for.
func TestEffects(t *testing.T) {
	for _, c := range []struct {
		name string
		keys string
		want browse.Effect
	}{
		{"leaving", "q", browse.Quit},
		{"reading again", "r", browse.Read},
		{"a plan of nothing", "enter", browse.None},
		{"a plan", "space enter", browse.Plan},
		{"a plan after the marks were taken away", "space c enter", browse.None},
		{"marking twice", "space up space enter", browse.None},
		{"undoing", "u", browse.Undo},
		{"interrupting", "ctrl+c", browse.Stop},
		{"suspending", "ctrl+z", browse.Suspend},
		{"typing q in a search", "/ q", browse.None},
		{"leaving a search", "/ q esc q", browse.Quit},
		{"leaving the help", "? q", browse.None},
	} {
		if got := typed(model(small(), 80, 24), strings.Fields(c.keys)...); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Only y and g carry a plan out; an undo has no grace.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		asked  browse.Effect
		always bool
		key    string
		want   browse.Effect
	}{
		{browse.Plan, false, "y", browse.Do}, {browse.Plan, false, "g", browse.DoWithGrace}, {browse.Plan, true, "g", browse.None},
		{browse.Undo, false, "y", browse.Do}, {browse.Undo, false, "g", browse.None}, {browse.Plan, false, "enter", browse.None},
		{browse.Plan, false, "n", browse.None}, {browse.Plan, false, "space", browse.None}, {browse.Plan, false, "ctrl+c", browse.Stop},
	} {
		m := model(small(), 80, 24)
		m.Always = c.always
		m.Asking(c.asked, func(int) []string { return []string{"Would remove all."} })
		if got := typed(m, c.key); got != c.want {
			t.Errorf("%q after %v: %v, want %v", c.key, c.asked, got, c.want)
		}
	}
}

// A folder marks what may go in it, an image itself, and the foot tells what that frees
// together and why the rest stays.
func TestMarks(t *testing.T) {
	m := model(small(), 120, 40)
	typed(m, "right", "home", "space")
	if got := m.Marked(); !slices.Equal(got, []int{1, 2, 3, 4}) {
		t.Errorf("marked %v", got)
	}
	shows(t, m, "Marked 4: frees 70MB", "removes 5 names of 4 images", `Held: 20MB by container "web"`)
	typed(m, "home", "space")
	if got := m.Marked(); len(got) > 0 {
		t.Errorf("%v are still marked", got)
	}
	typed(m, "/", "1", ".", "2", "7", "enter", "space", "enter")
	shows(t, m, "Nothing that is marked can be removed", "in use by container web (nerdctl)", "Stays: docker.io/library/nginx:1.27")
}

// A search finds names and digests, from the selected line on, and opens what they are in.
func TestSearch(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"front", "frontend:2026-10"}, {"FRONT", "frontend:2026-10"}, {"latest", "nginx:1.28 (+1)"},
		{"sha256:" + "7777", "pause:3.10 (+1)"}, {"nowhere", `No image has "nowhere" in its name.`},
	} {
		m := model(small(), 120, 30)
		typed(m, append(append([]string{"/"}, strings.Split(c.typed, "")...), "enter")...)
		shows(t, m, c.want)
	}
	m := model(small(), 120, 30)
	typed(m, "/", "n", "g", "i", "n", "x", "enter")
	first := screen(m)
	typed(m, "n")
	second := screen(m)
	typed(m, "N")
	if first == second || screen(m) != first {
		t.Errorf("n and N do not go on and back:\n%s\n%s\n%s", first, second, screen(m))
	}
}

// The order of lines is by what was chosen, and what is selected stays selected.
func TestOrder(t *testing.T) {
	m := model(small(), 120, 30)
	typed(m, "/", "2", "7", "enter") // opens nginx
	for _, want := range []string{"what only it holds", "size", "age, the oldest first", "last use", "name", "what can be reclaimed"} {
		typed(m, "s")
		shows(t, m, "Sorted by "+want)
		lines := strings.Split(screen(m), "\n")
		if at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, ">") }); at < 0 || !strings.Contains(lines[at], "1.27") {
			t.Errorf("%s: another line is selected:\n%s", want, screen(m))
		}
	}
	before := strings.Index(screen(m), "1.28 (") < strings.Index(screen(m), " 1.27 ")
	typed(m, "S")
	if after := strings.Index(screen(m), "1.28 (") < strings.Index(screen(m), " 1.27 "); before == after {
		t.Errorf("it is not reversed:\n%s", screen(m))
	}
}

// The store that is read after a run has the same lines open, no marks, and less.
func TestReadAgain(t *testing.T) {
	s := small()
	m := model(s, 120, 30)
	typed(m, "/", "1", ".", "2", "8", "enter", "space")
	m.Showing(func(int) []string { return []string{"Total reclaimed space: 10MB"} }, true)
	if typed(m, "esc") != browse.Read {
		t.Error("the store is not read again")
	}
	m.Waiting("Reading the store", noon)
	s.usage.Images = slices.Delete(s.usage.Images, 1, 2)
	m.Loaded(s, s.usage)
	shows(t, m, "1.27", "Nothing is marked")
	if strings.Contains(screen(m), "1.28") {
		t.Errorf("it is still there:\n%s", screen(m))
	}
}

// While something is done, it is told how far that has got, and how to stop it.
func TestWaiting(t *testing.T) {
	m := model(small(), 80, 24)
	m.Waiting("Working", noon.Add(-3*time.Second))
	m.Told(prune.Progress{Stage: prune.StageDelete, Done: 7, Total: 20})
	shows(t, m, "Working, 7 of 20: removing names (3s)", "Ctrl-C stops in order.")
	if typed(m, "q") != browse.None || typed(m, "ctrl+c") != browse.Stop {
		t.Error("only Ctrl-C ends it")
	}
	shows(t, m, "Stopping in order")
}
