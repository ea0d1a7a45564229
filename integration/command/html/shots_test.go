package html

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// dark makes the browser one of a user who prefers dark colours.
func dark(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	return chromedp.Void{}, err
}

// TestShots writes the pictures of docs/img, and more to look at. It tests
// nothing by itself and does nothing unless asked.
func TestShots(t *testing.T) {
	if *shots == "" {
		return
	}
	for _, n := range []int{144, 5000} {
		for _, width := range []int64{390, 1280, 1920} {
			for _, colours := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%d-%d-%s", n, width, colours), func(t *testing.T) { shotsOf(t, n, width, colours) })
			}
		}
	}
	t.Run("report", func(t *testing.T) { open(t, reportPage(t, workshop()), dark).shot("report-dark.png", 1420) })
	for name, as := range map[string][]action{"": nil, "-dark": {dark}} {
		t.Run("docs"+name, func(t *testing.T) {
			open(t, usagePage(t, town(144)), as...).shot("html-df"+name+".png", 1130)
			open(t, servePage(t, town(144)), as...).shot("html-serve"+name+".png", 1250)
			s := open(t, planPage(t, town(144)), append(as, chromedp.EmulateViewport(390, 900))...)
			s.shotAt("html-phone"+name+".png", eval[float64](s, `document.getElementById("decisions").getBoundingClientRect().top + scrollY`), 900)
		})
	}
	t.Run("paper", func(t *testing.T) { open(t, usagePage(t, town(144))).pdf("df.pdf") })
}

// shotsOf takes pictures of a usage, of the map one level down, and of the decisions.
func shotsOf(t *testing.T, n int, width int64, colours string) {
	as := []action{chromedp.EmulateViewport(width, 1000)}
	if colours == "dark" {
		as = append(as, dark)
	}
	s := open(t, usagePage(t, town(n)), as...)
	name := func(what string) string { return fmt.Sprintf("%s-%d-%d-%s.png", what, n, width, colours) }
	s.shot(name("df"), 1500)
	s.do(`document.querySelector("#map [role=button]").focus()`)
	s.run(chromedp.KeyEvent("\r"))
	s.shot(name("zoom"), 1500)
	s = open(t, chosenPage(t, town(n), "default"), as...)
	s.shot(name("plan"), 1300)
	s.do(`document.getElementById("decisions").scrollIntoView()`)
	s.shotAt(name("rows"), eval[float64](s, `document.getElementById("decisions").getBoundingClientRect().top + scrollY`), 900)
}

// shot takes a picture of the top of the page.
func (s *session) shot(name string, height float64) { s.Helper(); s.shotAt(name, 0, height) }

func (s *session) shotAt(name string, top, height float64) {
	s.Helper()
	beyond := true
	width := eval[float64](s, "innerWidth")
	png := call(s, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Y: top, Width: width, Height: height, Scale: 1},
	}).Data
	s.write(name, png)
}

func (s *session) pdf(name string) {
	s.Helper()
	pdf, err := chromedp.Run(s.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		s.Fatal(err)
	}
	s.write(name, pdf)
}

func (s *session) write(name string, b []byte) {
	s.Helper()
	if err := os.WriteFile(filepath.Join(*shots, name), b, 0o644); err != nil {
		s.Fatal(err)
	}
}
