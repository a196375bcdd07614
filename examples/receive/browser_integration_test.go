//go:build integration

package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/mailverdict/mailverdict/examples/internal/browser"
)

// A tab is a page in Chromium.
type tab struct {
	context.Context
	t testing.TB
}

func newTab(t testing.TB) tab { return tab{browser.New(t), t} }

func (b tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	browser.Run(b.t, b, actions...)
}

// open goes to a page.
func (b tab) open(url string) { b.t.Helper(); b.do(chromedp.Navigate(url)) }

// click clicks what a selector finds.
func (b tab) click(selector string) { b.t.Helper(); b.do(chromedp.Click(selector, chromedp.ByQuery)) }

// eval returns the value of an expression in the page.
func eval[T any](b tab, js string) (value T) {
	b.t.Helper()
	b.do(chromedp.Evaluate(js, &value))
	return value
}

// wait waits until a condition holds in the page, whatever page that is by then.
func (b tab) wait(js string) {
	b.t.Helper()
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		var holds bool
		if err = chromedp.Run(b, chromedp.Evaluate("Boolean("+js+")", &holds)); holds {
			return
		}
		b.do(chromedp.Sleep(20 * time.Millisecond))
	}
	b.t.Fatalf("%s does not come to hold: %v\n%s", js, err, eval[string](b, "location.href + '\\n' + document.body.innerText"))
}

// calm asks for no motion: what comes is shown at once.
func (b tab) calm() {
	b.t.Helper()
	b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}))
}

// shots looks at the page wide and narrow, light and dark.
func (b tab) shots(name string) {
	b.t.Helper()
	for _, width := range []int64{1280, 390} {
		for _, dark := range []bool{false, true} {
			b.do(browser.View(width, dark), chromedp.Sleep(600*time.Millisecond), // for what moves to stand
				browser.NoSidewaysScroll(b.t), browser.Screenshot(fmt.Sprintf("%s-%d-%t", name, width, dark)))
		}
	}
	b.do(browser.View(1280, false))
	b.calm()
}

func TestRealBrowserShowsAStory(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.calm()
	b.open(r.page)
	b.shots("home")
	b.open(r.page + "/paste")
	b.shots("paste")
	b.open(r.page + "/stories")
	b.shots("stories")
	for _, story := range []string{"shop-through-provider", "spoofed-boss-quarantine", "mailing-list", "spf-too-many-lookups", "no-dmarc-record"} {
		b.open(r.page + "/stories")
		b.click(`button[value="` + story + `"]`)
		b.wait(`document.querySelector("#answer .mv-verdict")`)
		b.shots("story-" + story)
	}
}
