package html

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/prune"
)

// hostileNames try to run as scripts, to end the block that they stand in, and
// to turn the text around them.
var hostileNames = []string{
	`</script><script>window.owned = 1</script>`, `<img src=x onerror="window.owned = 1">`,
	`<svg/onload=window.owned=1>`, "evil\u202egnp.exe", "a\u2028b", "esc\x1b]0;title\x07", `__proto__`, `constructor`,
	`'"><a href="https://example.com/">x</a>`, `{{data}}`, strings.Repeat("长", 20000), "שלום:1",
}

// TestHostileNames shows names that are markup, everywhere a name can be: the
// browser must show text, run nothing, ask for nothing and complain of nothing.
func TestHostileNames(t *testing.T) {
	s := workshop()
	for i, name := range hostileNames {
		s.image(hostileNames[i%4], name, 5, debian, layer{name, float64(200 + i)})
	}
	page := planPage(t, s)
	page.Title = hostileNames[0]
	doc := page.Document
	for _, name := range hostileNames {
		doc.Errors, doc.Notes = append(doc.Errors, prune.Cause{Reason: name}), append(doc.Notes, prune.Cause{Reason: name})
		doc.Held = append(doc.Held, prune.Held{Namespace: name, Digest: page.Usage.Objects[0].Digest, Bytes: 1 << 40, Keeper: prune.Keeper{Holder: name, HeldBy: prune.Object{Kind: "image", Namespace: name, Name: name}}})
	}
	checkHostile(t, page)
	checkHostile(t, htmlreport.Page{Usage: page.Usage, Generated: now})
}

func checkHostile(t *testing.T, page htmlreport.Page) {
	t.Helper()
	s := open(t, page)
	s.run(chromedp.SendKeys("#search", "<a href"))
	if got := rowNames(s); len(got) != 1 || got[0] != hostileNames[8] {
		t.Errorf("the table shows %q", got)
	}
	s.run(chromedp.Click("#rows tbody button")) // details
	s.do(`document.getElementById("search").value = ""; document.getElementById("search").dispatchEvent(new Event("input"))`)
	s.run(chromedp.Click("#as-table"))
	for eval[bool](s, `document.querySelector("#parts tbody button") !== null`) {
		s.do(`document.querySelector("#parts tbody button").click()`)
	}
	if eval[bool](s, `"owned" in window`) {
		t.Error("a name ran as a script")
	}
	if n := eval[int](s, `document.querySelectorAll("main script, main img, main a, main iframe").length`); n != 0 {
		t.Errorf("names became %d elements", n)
	}
	text := eval[string](s, `document.body.innerText`)
	if strings.ContainsAny(text, "\u202e\u2028\x1b\x07") {
		t.Error("the page shows characters that turn or hide text")
	}
	if !strings.Contains(text, `evil\u202egnp.exe`) {
		t.Error("a direction character is not written out")
	}
}
