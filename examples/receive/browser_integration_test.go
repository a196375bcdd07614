//go:build integration

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A browser is a Chromium with one tab.
type browser struct {
	ctx context.Context
	t   *testing.T
}

// newBrowser starts Debian's Chromium. Nothing but the server on loopback is asked.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("hide-scrollbars", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return newTab(t, ctx)
}

func newTab(t *testing.T, ctx context.Context) *browser {
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx, t: t}
	b.do(chromedp.EmulateViewport(1280, 900))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// open goes to a page.
func (b *browser) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// wait waits until a condition holds in the page, whatever page that is by then.
func (b *browser) wait(js string) {
	b.t.Helper()
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		var holds bool
		if holds, err = chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+js+")")); holds {
			return
		}
		b.do(chromedp.Sleep(20 * time.Millisecond))
	}
	b.t.Fatalf("%s does not come to hold: %v\n%s", js, err, b.eval("location.href + '\\n' + document.body.innerText"))
}

// eval returns the text that an expression has in the page.
func (b *browser) eval(js string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+js+")"))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return text
}

// prefer sets preferences of the user, such as prefers-color-scheme.
func (b *browser) prefer(features ...string) {
	b.t.Helper()
	var list []*emulation.MediaFeature
	for i := 0; i < len(features); i += 2 {
		list = append(list, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: list}); err != nil {
		b.t.Fatal(err)
	}
}

// shots takes pictures of the page, wide and narrow, light and dark, where SCREENSHOTS names a folder.
func (b *browser) shots(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		b.prefer("prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce")
		for _, width := range []int64{1280, 390} {
			b.do(chromedp.EmulateViewport(width, 900), chromedp.Sleep(150*time.Millisecond))
			if wide := b.eval("document.documentElement.scrollWidth > innerWidth"); wide != "false" {
				b.t.Errorf("%s is wider than %d pixels: %s", name, width, b.eval(
					`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "#" + e.id + "." + e.className).slice(0, 8).join(" ")`))
			}
			picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				b.t.Fatal(err)
			}
			path := filepath.Join(dir, strings.Join([]string{name, map[int64]string{1280: "wide", 390: "narrow"}[width], scheme}, "-")+".png")
			if err := os.WriteFile(path, picture, 0o666); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.prefer()
	b.do(chromedp.EmulateViewport(1280, 900))
}

func TestRealBrowserShowsAStory(t *testing.T) {
	r := start(t, nil)
	b := newBrowser(t)
	b.prefer("prefers-reduced-motion", "reduce")
	b.open(r.page)
	b.shots("home")
	b.open(r.page + "/paste")
	b.shots("paste")
	b.open(r.page + "/stories")
	b.shots("stories")
	for _, story := range []string{"shop-through-provider", "spoofed-boss-quarantine", "mailing-list", "spf-too-many-lookups", "no-dmarc-record"} {
		b.open(r.page + "/stories")
		b.do(chromedp.Click(chromedp.CSS(`button[value="` + story + `"]`)))
		b.wait(`document.querySelector("#answer .mv-verdict")`)
		b.shots("story-" + story)
	}
}
