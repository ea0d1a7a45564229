package html

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestEverythingHasAName asks of each control what a screen reader would call
// it, and of each table whether its headers say what they head.
func TestEverythingHasAName(t *testing.T) {
	s := open(t, planPage(t, workshop()))
	s.run(chromedp.Click("#as-table"))
	for _, view := range []string{"as-table", "as-map"} {
		s.do(`document.getElementById("` + view + `").click()`)
		nameless := eval[[]string](s, `Array.from(document.querySelectorAll("button, [role=button], select, input"))
			.filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && e.labels[0].textContent.trim())))
			.map((e) => e.outerHTML.slice(0, 200))`)
		if len(nameless) > 0 {
			t.Errorf("%s: controls without a name: %q", view, nameless)
		}
		unscoped := eval[int](s, `document.querySelectorAll("th:not([scope])").length + document.querySelectorAll("table:not(:has(caption))").length`)
		if unscoped > 0 {
			t.Errorf("%s: %d table headers without a scope, or tables without a caption", view, unscoped)
		}
	}
	if n := eval[int](s, `document.querySelectorAll("#map [tabindex='0']").length`); n != 1 {
		t.Errorf("Tab stops %d times in the map", n)
	}
}

// TestPrintedPage looks at the page as paper has it: light, with rows that the
// screen shows on other pages.
func TestPrintedPage(t *testing.T) {
	s := open(t, usagePage(t, warehouse(1200)), dark)
	rows := func() int { return eval[int](s, `document.querySelectorAll("#rows tbody tr").length`) }
	if n := rows(); n != 100 {
		t.Errorf("the screen shows %d rows", n)
	}
	s.do(`window.dispatchEvent(new Event("beforeprint"))`)
	if n := rows(); n != 1000 {
		t.Errorf("paper shows %d rows", n)
	}
	if got := eval[string](s, `document.documentElement.dataset.theme`); got != "light" {
		t.Errorf("paper is %s", got)
	}
	if got := eval[string](s, `document.getElementById("printed").textContent`); got != "The first 1,000 of 1,200 rows are printed." {
		t.Errorf("paper says %q", got)
	}
	s.do(`window.dispatchEvent(new Event("afterprint"))`)
	if n := rows(); n != 100 {
		t.Errorf("after printing the screen shows %d rows", n)
	}
}
