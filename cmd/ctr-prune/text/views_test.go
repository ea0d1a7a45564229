package text

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

// shown is what is shown on a terminal of that width, in a file if it is 0, and
// whole if that is asked for.
func shown(t *testing.T, width int, whole bool, show func(*terminal.Printer)) string {
	t.Helper()
	var b strings.Builder
	out := terminal.New(&b)
	out.Width, out.Whole = width, whole
	show(out)
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		if r, bad := terminaltest.Unprintable(line); bad {
			t.Errorf("%U reaches the output: %q", r, line)
		}
	}
	return b.String()
}

// shownDocument is what is shown of a plan or a report in a file.
func shownDocument(t *testing.T, doc prune.Document) string {
	t.Helper()
	return shown(t, 0, false, func(out *terminal.Printer) { Document(out, doc, How{}) })
}

func TestDocuments(t *testing.T) {
	plan, report := texttest.Plan(), texttest.Report()
	for _, c := range []struct {
		file  string
		doc   prune.Document
		width int
		whole bool
	}{
		{"plan.txt", plan, 0, false},
		{"plan-80.txt", plan, 80, false},
		{"plan-40.txt", plan, 40, false},
		{"plan-80-no-trunc.txt", plan, 80, true},
		{"plan-200.txt", plan, 200, false},
		{"report.txt", report, 0, false},
		{"report-80.txt", report, 80, false},
	} {
		t.Run(c.file, func(t *testing.T) {
			texttest.Golden(t, c.file, shown(t, c.width, c.whole, func(out *terminal.Printer) { Document(out, c.doc, How{}) }))
		})
	}
}

// Nothing wider than the terminal, nothing raw, at every width.
func TestAnswersFitTheTerminal(t *testing.T) {
	names := regexp.MustCompile("^(Untagged|Kept as|Deleted|Aborted): ") // are listed whole, for copying
	for name, show := range map[string]func(*terminal.Printer){
		"plan":     func(out *terminal.Printer) { Document(out, texttest.Plan(), How{}) },
		"question": func(out *terminal.Printer) { Summary(out, texttest.Plan(), How{}) },
		"report":   func(out *terminal.Printer) { Document(out, texttest.Report(), How{}) },
		"check": func(out *terminal.Printer) {
			Check(out, Checked{Findings: []prune.Finding{{Problem: prune.ProblemIncomplete, Namespace: "k8s.io", Object: "registry.k8s.io/app:1", Bytes: 5, Meaning: strings.Repeat("what it means ", 9), Fix: "pull it again, or remove it", Repairable: true}}})
		},
		"explain": func(out *terminal.Printer) { Explanation(out, texttest.Explanation(), texttest.Now()) },
		"df":      func(out *terminal.Printer) { Usage(out, texttest.Usage(), texttest.Now(), "unique") },
		"leases":  func(out *terminal.Printer) { Leases(out, texttest.Leases(), texttest.Now()) },
		"runs": func(out *terminal.Printer) {
			Runs(out, []prune.Run{{Name: "20260301-120000-abcdef", Started: texttest.Now(), Until: texttest.Now().Add(24 * time.Hour), Namespaces: []string{"default", "k8s.io"}, Records: make([]prune.Record, 3)}}, texttest.Now())
		},
	} {
		for _, width := range []int{0, 40, 80, 120, 200} {
			got := shown(t, width, false, show)
			for line := range strings.SplitSeq(got, "\n") {
				if n := runewidth.StringWidth(line); width > 0 && n > width && !names.MatchString(line) {
					t.Errorf("%s at %d columns has a line of %d: %q", name, width, n, line)
				}
			}
			if hasGolden := slices.Contains([]string{"explain", "df", "leases", "runs"}, name); width == 80 && hasGolden || width == 0 && name == "explain" {
				texttest.Golden(t, name+map[int]string{0: "", 80: "-80"}[width]+".txt", got)
			}
		}
	}
}

// Sizes of which only a bound is known are shown as that, with a sentence.
func TestBoundsAreTold(t *testing.T) {
	usage := texttest.Usage()
	usage.Images = usage.Images[:1]
	usage.Images[0].AtLeast = true
	usage.Objects[0].ImagesAtLeast = true
	going := prune.Document{Images: []prune.ImageDocument{{Record: prune.Record{Name: "a"}, Action: prune.Remove, SizeBytes: 1000, SizeAtLeast: true}}}
	for sizes, show := range map[string]func(*terminal.Printer){
		"≥42MB ≥41MB ≥2": func(out *terminal.Printer) { Usage(out, usage, texttest.Now(), "unique") },
		"≥5B": func(out *terminal.Printer) {
			Check(out, Checked{Findings: []prune.Finding{{Problem: prune.ProblemIncomplete, Bytes: 5, AtLeast: true}}})
		},
		"≥1kB": func(out *terminal.Printer) { Summary(out, going, How{}) },
	} {
		got := shown(t, 0, false, show)
		for _, size := range append(strings.Fields(sizes), "too many ways") {
			if !strings.Contains(got, size) {
				t.Errorf("there is no %q in:\n%s", size, got)
			}
		}
	}
}

func TestSummaryNamesTheLargest(t *testing.T) {
	const most = 5
	got := shown(t, 0, false, func(out *terminal.Printer) { Summary(out, many(2*most), How{}) })
	if n := strings.Count(got, "image-"); n != most || !strings.Contains(got, "image-009") || strings.Contains(got, "image-004") {
		t.Errorf("%d shown:\n%s", n, got)
	}
	if !strings.Contains(strings.Join(strings.Fields(got), " "), "10B and 5 more") { // 0 to 4
		t.Errorf("what the others free is not told:\n%s", got)
	}
}

// Last use is told with from when on it is watched, and not at all where nobody
// ever did.
func TestLastUseIsExplained(t *testing.T) {
	now := texttest.Now()
	watched := time.Date(2025, time.November, 2, 1, 0, 0, 0, time.UTC)
	for want, c := range map[string]struct {
		at    time.Time
		by    string
		since time.Time
	}{
		"Last used    3d ago by container web-1, watched since 2025-11-02": {now.Add(-73 * time.Hour), "container web-1", watched},
		"Last used    in use by container web-1, watched since 2025-11-02": {now, "container web-1", watched},
		"Last used    3d ago by container web-1, not watched now":          {now.Add(-73 * time.Hour), "container web-1", time.Time{}},
		"Last used    no use is known, watched since 2025-11-02":           {time.Time{}, "", watched},
		"": {},
	} {
		e := texttest.Explanation()
		e.LastUsedAt, e.LastUsedBy, e.UseWatchedSince = c.at, c.by, c.since
		got := shown(t, 0, false, func(out *terminal.Printer) { Explanation(out, e, now) })
		if want == "" && strings.Contains(got, "Last used") || !strings.Contains(got, want) {
			t.Errorf("want %q in:\n%s", want, got)
		}
	}
}

// A hint that a note gives is not given again with the decision.
func TestNotesAreToldOnce(t *testing.T) {
	e := texttest.Explanation()
	hint := prune.Cause{Reason: "the label pinned=true keeps nothing"}
	e.Notes, e.Decisions[0].Details = append(e.Notes, hint), []prune.Cause{hint, {Reason: "and another detail"}}
	got := shown(t, 0, false, func(out *terminal.Printer) { Explanation(out, e, texttest.Now()) })
	if strings.Count(got, hint.Reason) != 1 || !strings.Contains(got, "and another detail") {
		t.Errorf("got\n%s", got)
	}
}

// A plan and df have a column for last use where any is known.
func TestUsedColumns(t *testing.T) {
	now := texttest.Now()
	plan := texttest.Plan()
	if got := shownDocument(t, plan); strings.Contains(got, "USED") {
		t.Errorf("no use is known:\n%s", got)
	}
	plan.Images[0].LastUsedAt, plan.Images[1].LastUsedAt = now.Add(-26*time.Hour), plan.Time
	usage := shown(t, 0, false, func(out *terminal.Printer) { Usage(out, texttest.Usage(), now, "unique") })
	for _, got := range []string{shownDocument(t, plan), usage} {
		for _, want := range []string{"USED", "26h ago", "-"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is missing:\n%s", want, got)
			}
		}
	}
	if got := shownDocument(t, plan); !strings.Contains(got, " now ") {
		t.Errorf("an image in use is not used now:\n%s", got)
	}
}

// What a check says is whole at every width.
func TestFindingsAreWhole(t *testing.T) {
	f := prune.Finding{Problem: prune.ProblemIncomplete, Namespace: "default", Object: "docker.io/library/some:1", Bytes: 5000,
		Meaning: "no container can be made from the image, because " + texttest.Sum("x").String() + " is not in the store", Fix: "pull it again, or remove it"}
	for _, width := range []int{0, 40, 80} {
		got := shown(t, width, false, func(out *terminal.Printer) { Check(out, Checked{Findings: []prune.Finding{f, f}}) })
		words := strings.Join(strings.Fields(got), " ")
		if n := strings.Count(words, f.Meaning+" Fix: "+f.Fix); n != 2 || !strings.Contains(words, "docker.io/library/some:1 (namespace default), 5kB") {
			t.Errorf("%d columns, %d times whole:\n%s", width, n, got)
		}
	}
}

// However narrow it gets, the column by which images are sorted stays.
func TestSortedColumnStays(t *testing.T) {
	for _, key := range []string{"created", "-shared", "reclaimable", "size", "unique"} {
		got := shown(t, 40, false, func(out *terminal.Printer) { Usage(out, texttest.Usage(), texttest.Now(), key) })
		_, images, _ := strings.Cut(got, "\nIMAGE")
		if title := strings.ToUpper(strings.TrimPrefix(key, "-")); !strings.Contains(images, title) {
			t.Errorf("sorted by %s there is no %s:\n%s", key, title, got)
		}
	}
}

// Times are those of the user's zone, and say so.
func TestTimesHaveAZone(t *testing.T) {
	e := texttest.Explanation()
	e.CreatedAt = time.Date(2026, time.January, 31, 23, 30, 0, 0, time.UTC)
	got := shown(t, 80, false, func(out *terminal.Printer) {
		out.Zone = time.FixedZone("", 2*60*60)
		Explanation(out, e, texttest.Now())
	})
	if !strings.Contains(got, "2026-02-01T01:30:00+02:00") {
		t.Errorf("got\n%s", got)
	}
}
