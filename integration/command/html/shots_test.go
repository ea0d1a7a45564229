package html

import (
	"context"
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
	t.Run("df", func(t *testing.T) {
		s := open(t, usagePage(t, workshop()))
		s.shot("df.png", 1240)
		s.run(chromedp.Click("#as-table"))
		s.shot("df-table.png", 1240)
		s.run(chromedp.Click("#as-map"), chromedp.Evaluate[chromedp.Void](`document.querySelector("#map [role=button]").focus()`), chromedp.KeyEvent("\r"))
		s.shot("df-zoom.png", 1240)
		s.pdf("df.pdf")
	})
	t.Run("plan", func(t *testing.T) { open(t, planPage(t, workshop())).shot("plan.png", 1240) })
	t.Run("report", func(t *testing.T) { open(t, reportPage(t, workshop()), dark).shot("report-dark.png", 1420) })
	t.Run("narrow", func(t *testing.T) {
		s := open(t, usagePage(t, workshop()))
		s.run(chromedp.EmulateViewport(420, 900))
		s.shot("narrow.png", 1240)
	})
	t.Run("large", func(t *testing.T) { open(t, usagePage(t, warehouse(1000))).shot("large.png", 1240) })
}

// shot takes a picture of the top of the page.
func (s *session) shot(name string, height float64) {
	s.Helper()
	beyond := true
	width := eval[float64](s, "innerWidth")
	png := call(s, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: width, Height: height, Scale: 1},
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
