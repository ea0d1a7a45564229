package html

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// widths are those of a phone, of a laptop and of a large screen.
var widths = []int64{390, 1280, 1920}

// window gives a page a window of a width, in which all of the map can be seen.
func (s *session) window(width int64) {
	s.Helper()
	s.run(chromedp.EmulateViewport(width, 2600))
	s.wait(fmt.Sprintf(`document.querySelector("#map svg").getAttribute("width") > %d`, width*8/10))
	s.do(`scrollTo(0, 0)`)
}

// TestAreasAreSizes compares the area of each tile that is large enough to be measured,
// at each depth, with its size: on one scale for the whole picture, and after going in.
func TestAreasAreSizes(t *testing.T) {
	for _, n := range []int{144, 5000} {
		s := open(t, usagePage(t, town(n)))
		for _, width := range widths {
			s.window(width)
			for depth := range 4 {
				checkAreas(s, fmt.Sprintf("%d images at %d, %d in", n, width, depth))
				s.do(`document.querySelector("#map [role=button]").focus()`)
				s.run(chromedp.KeyEvent("\r"))
			}
			for range 4 {
				s.run(chromedp.KeyEvent("\x1b"))
			}
		}
	}
}

func checkAreas(s *session, where string) {
	s.Helper()
	off := eval[[]string](s, `(() => {
		const picture = document.querySelector("#map svg").getBoundingClientRect();
		const tiles = Array.from(document.querySelectorAll("#map .tile"));
		const total = Array.from(document.querySelectorAll("#map [role=button]")).reduce((sum, g) => sum + Number(g.dataset.bytes), 0);
		return tiles.map((g) => {
			const box = g.getBoundingClientRect();
			if (box.width < 12 || box.height < 12) return "";
			const share = box.width * box.height / (picture.width * picture.height), should = g.dataset.bytes / total;
			return Math.abs(share / should - 1) > 0.01 ? g.dataset.bytes + " of " + total + " bytes have " + share + " of the area" : "";
		}).filter(Boolean);
	})()`)
	if len(off) > 0 {
		s.Errorf("%s: %d tiles are not as large as what they stand for: %s", where, len(off), off[0])
	}
	if n := eval[int](s, `document.querySelectorAll("#map .tile").length`); n < 2 || n > 6000 {
		s.Errorf("%s: %d tiles", where, n)
	}
}

// TestLabelsFit looks for texts of the map that leave their tile, or lie over one
// another.
func TestLabelsFit(t *testing.T) {
	for _, n := range []int{144, 5000} {
		s := open(t, usagePage(t, town(n)))
		for _, width := range widths {
			s.window(width)
			for depth := range 3 {
				where := fmt.Sprintf("%d images at %d, %d in", n, width, depth)
				if wrong := eval[[]string](s, misplaced); len(wrong) > 0 {
					t.Errorf("%s: %d labels: %s", where, len(wrong), wrong[0])
				}
				if labels := eval[int](s, `document.querySelectorAll("#map text").length`); labels < 2 {
					t.Errorf("%s: %d labels", where, labels)
				}
				s.do(`document.querySelector("#map [role=button]").focus()`)
				s.run(chromedp.KeyEvent("\r"))
			}
			for range 3 {
				s.run(chromedp.KeyEvent("\x1b"))
			}
		}
	}
}

const misplaced = `(() => {
	const wrong = [];
	const texts = Array.from(document.querySelectorAll("#map text"), (e) => ({ e, box: e.getBoundingClientRect() }));
	const tile = (x, y) => document.elementFromPoint(x, y)?.closest(".tile");
	for (const { e, box } of texts) {
		const y = box.top + box.height / 2;
		const left = tile(box.left + 1, y), right = tile(box.right - 1, y);
		const header = /head|on-frame/.test(e.className.baseVal);
		if (!left || !right || (header ? left.closest("[role=button]") !== right.closest("[role=button]") : left !== right)) wrong.push(e.textContent + " leaves its tile");
	}
	const boxes = texts.sort((a, b) => a.box.top - b.box.top);
	boxes.forEach((a, i) => {
		for (let j = i + 1; j < boxes.length && boxes[j].box.top < a.box.bottom - 3; j++) {
			const b = boxes[j];
			if (a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1) wrong.push(a.e.textContent + " lies over " + b.e.textContent);
		}
	});
	return wrong;
})()`

// TestWhatDistinguishes looks at labels that are shortened: of builds whose names begin
// alike the end stays.
func TestWhatDistinguishes(t *testing.T) {
	s := open(t, usagePage(t, town(144)))
	labels := strings.Join(eval[[]string](s, `Array.from(document.querySelectorAll("#map text.plain"), (e) => e.textContent)`), " ")
	for _, want := range []string{"…0012", "…0003", "nightly-00001"} {
		if !strings.Contains(labels, want) {
			t.Errorf("%q is not among %s", want, labels)
		}
	}
	if strings.Contains(labels, "…0000…") || strings.Contains(labels, "pipel…") {
		t.Errorf("labels say what all have in common: %s", labels)
	}
}

// TestOneTileForWhatWasNotChosen counts the parts of a plan for one namespace of three.
func TestOneTileForWhatWasNotChosen(t *testing.T) {
	s := open(t, chosenPage(t, town(144), "default"))
	names := eval[[]string](s, `Array.from(document.querySelectorAll("#map [role=button]"), (e) => e.getAttribute("aria-label"))`)
	if len(names) != 2 || !strings.HasPrefix(names[0], "namespace default, ") || !strings.HasPrefix(names[1], "2 namespaces not chosen, ") {
		t.Errorf("the parts are %q", names)
	}
	if n := eval[int](s, `document.querySelectorAll("#map [role=button]")[1].querySelectorAll(".tile").length`); n != 0 {
		t.Errorf("what was not chosen is in %d parts", n)
	}
	if got := eval[string](s, `document.getElementById("host").textContent`); got != "build-7" {
		t.Errorf("the machine is %q", got)
	}
}

// TestLegendOfWhatIsThere looks at the legend of parts in which not all states are: it has
// those that are, and nothing is hatched where all is of one state.
func TestLegendOfWhatIsThere(t *testing.T) {
	s := open(t, planPage(t, town(144)))
	for range 3 {
		legend := eval[[]string](s, `Array.from(document.querySelectorAll("#states li"), (e) => e.textContent)`)
		shown := eval[int](s, `new Set(Array.from(document.querySelectorAll("#map [class^=s-]"), (e) => e.className.baseVal)).size`)
		if len(legend) != shown || len(legend) == 0 {
			t.Errorf("%d colours, and the legend is %q", shown, legend)
		}
		for _, entry := range legend {
			if strings.Contains(entry, "0B,") {
				t.Errorf("the legend has %q", entry)
			}
		}
		hatched := eval[int](s, `document.querySelectorAll("#map .texture path").length`)
		if hatched > 1 || hatched == 1 && len(legend) == 1 {
			t.Errorf("%d kinds of hatching with the legend %q", hatched, legend)
		}
		s.do(`document.querySelector("#map [role=button]").focus()`)
		s.run(chromedp.KeyEvent("\r"))
	}
}

// TestPhone shows the table as cards, and nothing wider than the screen.
func TestPhone(t *testing.T) {
	s := open(t, planPage(t, town(144)), chromedp.EmulateViewport(390, 844))
	if got := eval[int](s, `document.documentElement.scrollWidth`); got > 390 {
		t.Errorf("the page is %d wide", got)
	}
	card := eval[[]string](s, `Array.from(document.querySelectorAll("#rows tbody tr:first-child td"), (e) => getComputedStyle(e, "::before").content + " " + getComputedStyle(e).display)`)
	if len(card) < 6 || card[0] != `"Namespace" flex` {
		t.Errorf("a card has %q", card)
	}
	if eval[bool](s, `document.querySelector("#rows thead").offsetParent !== null`) {
		t.Error("the head of the table is still there")
	}
	s.do(`document.getElementById("sort").value = "name"; document.getElementById("sort").dispatchEvent(new Event("change"))`)
	names := rowNames(s)
	for i := 1; i < len(names); i++ {
		if names[i-1] > names[i] {
			t.Fatalf("sorted by name, %q stands before %q", names[i-1], names[i])
		}
	}
	s.run(chromedp.Click("#as-table"))
	if got := eval[int](s, `document.documentElement.scrollWidth`); got > 390 {
		t.Errorf("with the parts as a table the page is %d wide", got)
	}
}
