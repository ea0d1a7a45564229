package html

import (
	"context"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
)

// rowNames returns the names in the table as it is shown.
func rowNames(s *session) []string {
	return eval[[]string](s, `Array.from(document.querySelectorAll("#rows tbody th .name"), (e) => e.title)`)
}

func TestPageShowsTheStore(t *testing.T) {
	page := usagePage(t, workshop())
	s := open(t, page)
	if got := eval[int](s, `document.querySelectorAll("#rows tbody tr").length`); got != len(page.Usage.Images) {
		t.Errorf("%d rows for %d images", got, len(page.Usage.Images))
	}
	// Every byte is drawn once: the picture adds up to the disk.
	total := eval[float64](s, `Array.from(JSON.parse(document.getElementById("data").textContent).cards)[0].bytes`)
	if int64(total) != page.Usage.Total.TotalBytes {
		t.Errorf("the page says %v bytes, the store has %d", total, page.Usage.Total.TotalBytes)
	}
	if text := eval[string](s, `document.getElementById("crumbs").textContent`); text != "All17.63GB" {
		t.Errorf("the map is about %q", text)
	}
	if n := eval[int](s, `document.querySelectorAll("#map [role=button]").length`); n != 3 {
		t.Errorf("%d parts on top; want two namespaces and what they share", n)
	}
	if n := eval[int](s, `document.querySelectorAll("#map .tile").length`); n < 60 || n > 1500 {
		t.Errorf("%d tiles", n)
	}
}

func TestSearchFilterSort(t *testing.T) {
	s := open(t, planPage(t, workshop()))
	all := eval[int](s, `document.querySelectorAll("#rows tbody tr").length`)
	s.run(chromedp.SendKeys("#search", "Nginx default"))
	if diff := cmp.Diff([]string{"docker.io/library/nginx:1.27", "docker.io/library/nginx:1.29"}, rowNames(s)); diff != "" {
		t.Errorf("search: %s", diff)
	}
	s.run(chromedp.Click(`[data-action="keep"]`))
	if diff := cmp.Diff([]string{"docker.io/library/nginx:1.29"}, rowNames(s)); diff != "" {
		t.Errorf("search and filter: %s", diff)
	}
	if text := eval[string](s, `document.getElementById("count").textContent`); text != fmt.Sprintf("1 of %d records", all) {
		t.Errorf("the count says %q", text)
	}
	s.run(chromedp.Click(`[data-action=""]`))
	s.do(`document.getElementById("search").value = ""; document.getElementById("search").dispatchEvent(new Event("input"))`)
	s.run(chromedp.Click(`#rows th:nth-child(1) button`))
	names := rowNames(s)
	for i := 1; i < len(names); i++ {
		if names[i-1] > names[i] {
			t.Fatalf("sorted by name, %q stands before %q", names[i-1], names[i])
		}
	}
	s.run(chromedp.KeyEvent("\r")) // the focus stays on the header
	if got := eval[string](s, `document.querySelector("#rows th").getAttribute("aria-sort")`); got != "descending" {
		t.Errorf("aria-sort is %q", got)
	}
	if got := rowNames(s); got[0] != names[len(names)-1] {
		t.Errorf("descending begins with %q", got[0])
	}
	s.do(`document.getElementById("space").value = "1"; document.getElementById("space").dispatchEvent(new Event("change"))`)
	if got := len(rowNames(s)); got == 0 || got >= all {
		t.Errorf("%d rows in one namespace of %d in all", got, all)
	}
}

func TestMapByKeyboard(t *testing.T) {
	s := open(t, usagePage(t, workshop()))
	place := func() string { return eval[string](s, `document.getElementById("crumbs").textContent`) }
	focused := func() string { return eval[string](s, `document.activeElement.getAttribute("aria-label") || ""`) }
	s.do(`document.querySelector("#map [tabindex='0']").focus()`)
	if got := focused(); !strings.HasPrefix(got, "namespace default, 16.46GB, 67 images: ") {
		t.Fatalf("the focus is on %q", got)
	}
	s.run(chromedp.KeyEvent("\r"))
	if got := place(); got != "Alldefault16.46GB" {
		t.Fatalf("Enter leads to %q", got)
	}
	first := focused()
	s.run(chromedp.KeyEvent("\u0303")) // right
	if got := focused(); got == first || got == "" {
		t.Errorf("the right arrow leads from %q to %q", first, got)
	}
	s.run(chromedp.KeyEvent("\u0302"), chromedp.KeyEvent("\r"))
	if got := place(); !strings.HasPrefix(got, "Alldefaultregistry.example.com/shop") {
		t.Errorf("Enter leads to %q", got)
	}
	s.run(chromedp.KeyEvent("\b"))
	if got := place(); got != "Alldefault16.46GB" {
		t.Errorf("Backspace leads to %q", got)
	}
	if got := focused(); !strings.HasPrefix(got, "organisation registry.example.com/shop") {
		t.Errorf("back outside, the focus is on %q", got)
	}
	s.run(chromedp.KeyEvent("\x1b"))
	if got := place(); got != "All17.63GB" {
		t.Errorf("Escape leads to %q", got)
	}
	if got := eval[string](s, `document.getElementById("spoken").textContent`); !strings.HasPrefix(got, "store All, 17.63GB, 75 images") {
		t.Errorf("a screen reader hears %q", got)
	}
}

func TestMapAsTable(t *testing.T) {
	s := open(t, usagePage(t, workshop()))
	s.run(chromedp.Click("#as-table"))
	if eval[bool](s, `document.getElementById("map").offsetParent !== null`) {
		t.Error("the map is still there")
	}
	s.run(chromedp.Click("#parts tbody button"))
	if got := eval[string](s, `document.querySelector("#parts caption").textContent`); !strings.HasPrefix(got, "Parts of namespace default") {
		t.Errorf("the table is of %q", got)
	}
	if got := eval[string](s, `document.querySelector("#parts tbody th").textContent`); got != "registry.example.com/shop" {
		t.Errorf("the largest part is %q", got)
	}
}

func TestDarkMode(t *testing.T) {
	background := `getComputedStyle(document.body).backgroundColor`
	s := open(t, usagePage(t, workshop()), dark)
	if got := eval[string](s, background); got != "rgb(20, 24, 28)" {
		t.Errorf("the page is %s to a user who prefers dark", got)
	}
	s.run(chromedp.Click("#theme"))
	if got := eval[string](s, background); got != "rgb(247, 247, 245)" {
		t.Errorf("after the button it is %s", got)
	}
	call(s, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
}

func TestReportSaysWhatStayed(t *testing.T) {
	s := open(t, reportPage(t, workshop()))
	s.run(chromedp.Click(`[data-action="skipped"]`))
	if got := eval[[]string](s, `Array.from(document.querySelectorAll("#rows td.reason"), (e) => e.textContent)`); len(got) != 1 || got[0] != "it was tagged anew after the plan" {
		t.Errorf("what was skipped: %q", got)
	}
	if got := eval[string](s, `document.getElementById("cards").textContent`); !strings.Contains(got, "Predicted9.142GB") || !strings.Contains(got, "Reclaimed9.117GB") {
		t.Errorf("the cards say %q", got)
	}
}

// The page of serve has the node beside its store: a bar and the marks of each disk, the
// last runs, and what is wrong.
func TestPageOfServe(t *testing.T) {
	s := open(t, servePage(t, town(144)))
	texts := eval[string](s, `document.getElementById("node").innerText + document.getElementById("messages").innerText`)
	for _, want := range []string{
		"Idle until the next run at 2026-11-20T12:00:00Z.", "The store was read 42s before.", "80\u00a0%",
		"Marks: low 65\u00a0%, high 75\u00a0%, critical 88\u00a0%. Images go until the low mark is reached.", "20261120-060000-abcdef", "3.2GB", "containerd did not answer for 30s", "use of images is not watched",
	} {
		if !strings.Contains(texts, want) {
			t.Errorf("the page lacks %q in %q", want, texts)
		}
	}
	if n := eval[int](s, `document.querySelectorAll("#disks .mark").length`); n != 6 {
		t.Errorf("%d marks", n)
	}
	empty := open(t, htmlreport.Page{Node: &htmlreport.Node{Time: now, Why: "connecting to containerd"}, Generated: now})
	if got := eval[string](empty, `document.querySelector("main").innerText.trim().split("\n").filter(Boolean).join("|")`); got != "The node|Connecting to containerd.|As of 2026-11-20T09:30:00Z." {
		t.Errorf("before the first reading it says %q", got)
	}
}

// Times are in the zone of the reader, with its offset, as on a terminal.
func TestTimesOfTheReader(t *testing.T) {
	s := open(t, servePage(t, town(144)), func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kolkata"})
		return chromedp.Void{}, err
	})
	for id, want := range map[string]string{
		"node-why": "next run at 2026-11-20T17:30:00+05:30.", "node-time": "As of 2026-11-20T15:00:42+05:30.",
		"facts": "2026-11-20T15:00:00+05:30", "foot": "on 2026-11-20T15:00:00+05:30.", "runs": "+05:30",
	} {
		if got := eval[string](s, `document.getElementById("`+id+`").textContent`); !strings.Contains(got, want) || strings.Contains(got, "UTC") {
			t.Errorf("%s lacks %q: %s", id, want, got)
		}
	}
}

// A layer says which command made it, and how long ago.
func TestLayersTellTheirOrigin(t *testing.T) {
	s := open(t, usagePage(t, town(144)))
	s.do(`document.getElementById("search").value = "grafana:12.2.0"; document.getElementById("search").dispatchEvent(new Event("input"))`)
	s.do(`Array.from(document.querySelectorAll("#rows .row-tools button")).find((b) => b.textContent === "on the map").click()`)
	labels := strings.Join(eval[[]string](s, `Array.from(document.querySelectorAll("#map text"), (e) => e.textContent)`), "|")
	if !strings.Contains(labels, "RUN install docker.io/grafana/grafana:12.2.0") {
		t.Errorf("the labels are %s", labels)
	}
	s.do(`document.querySelector("#map [role=button]").dispatchEvent(new PointerEvent("pointerover", { bubbles: true }))`)
	if got := eval[string](s, `document.getElementById("inspect").innerText`); !strings.Contains(got, "layer 3, unpacked: RUN install docker.io/grafana/grafana:12.2.0") || !strings.Contains(got, "built 105d before, on 2026-08-07") {
		t.Errorf("of the layer it says %q", got)
	}
}

// What the rows of a plan free adds up to what the plan frees, also where an image has
// several names.
func TestFreesAddsUp(t *testing.T) {
	page := planPage(t, warehouse(100))
	s := open(t, page)
	sum := eval[float64](s, `JSON.parse(document.getElementById("data").textContent).rows.reduce((sum, row) => sum + (row.f || 0), 0)`)
	if want := page.Document.Predicted.TotalBytes - page.Document.RestBytes; want == 0 || int64(sum) != want {
		t.Errorf("the rows free %.0f of %d bytes", sum, want)
	}
	if head := eval[string](s, `document.querySelector("#rows thead").textContent`); !strings.Contains(head, "SizeUniqueFreesCreated") {
		t.Errorf("the columns are %s", head)
	}
}

// A search in a thousand images finds the ten whose names have it. How soon that
// page can be used is logged and not judged: it depends on the machine.
func TestThousandImages(t *testing.T) {
	s := open(t, usagePage(t, warehouse(1000)))
	t.Logf("1,000 images can be used after %.0f ms", eval[float64](s, `performance.getEntriesByName("ready")[0].startTime`))
	took := eval[float64](s, `(() => {
		const start = performance.now();
		document.getElementById("search").value = "build-0004";
		document.getElementById("search").dispatchEvent(new Event("input"));
		return performance.now() - start;
	})()`)
	t.Logf("a search takes %.0f ms", took)
	if n := len(rowNames(s)); n != 10 {
		t.Errorf("%d rows of ten", n)
	}
}

// TestTenThousandImages limits the size of the file and the processor time of
// the writer; not the elapsed time, because other tests may run beside it.
func TestTenThousandImages(t *testing.T) {
	s := warehouse(10000)
	start := processor(t)
	page := usagePage(t, s)
	read := processor(t) - start
	var size counter
	if err := htmlreport.Write(&size, page); err != nil {
		t.Fatal(err)
	}
	wrote := processor(t) - start - read
	t.Logf("10,000 images, %d blobs, %d snapshots: usage %v, page %v, %d bytes",
		page.Usage.Total.Blobs, page.Usage.Total.Snapshots, read, wrote, size)
	if size > 5e6 {
		t.Errorf("the page has %d bytes", size)
	}
	if wrote > 5*time.Second {
		t.Errorf("writing it took %v", wrote)
	}
}

// processor returns the processor time that this program has used.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = new(counter)
