//go:build integration

package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/mailverdict/mailverdict/examples/internal/browser"
)

// TestRealPages goes the way of a domain owner through the pages in Chromium: from the list of domains to
// the sender that is not set up, and to the step that is safe. Pages have no script: all is links and forms.
func TestRealPages(t *testing.T) {
	w := busy(t)
	server := w.pages(lastOfMonth)
	tab := browser.New(t)
	var title, address string
	browser.Run(t, tab,
		browser.View(1200, false),
		chromedp.Navigate(server.URL+"/"),
		browser.Screenshot("domains"),
		chromedp.Click(`//a[text()="example.com"]`),
		chromedp.WaitVisible(`svg.bars rect.pass`, chromedp.ByQuery),
		chromedp.Click(`a.tile.misaligned`, chromedp.ByQuery),
		chromedp.WaitVisible(`a.tile.misaligned[aria-current]`, chromedp.ByQuery),
		chromedp.Click(`//table//a[text()="SendGrid"]`),
		chromedp.WaitVisible(`//h2[text()="What to set up"]`),
		chromedp.Title(&title),
		browser.Screenshot("source"),
		chromedp.Click(`//ol[@class="trail"]//a[text()="example.com"]`),
		chromedp.WaitVisible(`//h2[text()="Senders"]`),
		chromedp.SendKeys(`#q`, "example.org", chromedp.ByQuery),
		chromedp.Submit(`form.filter`, chromedp.ByQuery),
		chromedp.WaitVisible(`//caption[starts-with(text(), "1 sender,")]`),
		chromedp.Location(&address),
		chromedp.Click(`//a[text()="Stricter policy"]`),
		chromedp.WaitVisible(`.stage.blocked`, chromedp.ByQuery),
		chromedp.Click(`//a[text()="It is not mine"]`),
		chromedp.WaitVisible(`//a[text()="Count them as they were"]`),
		browser.Screenshot("not-mine"),
		chromedp.Click(`//a[text()="Count them as they were"]`),
		chromedp.WaitVisible(`//a[text()="It is not mine"]`),
		chromedp.Click(`//input[@value="yes"]`),
		chromedp.Submit(`form.people`, chromedp.ByQuery),
		chromedp.WaitVisible(`.stage.against`, chromedp.ByQuery),
	)
	if title != "SendGrid · DMARC reports" {
		t.Errorf("title %q", title)
	}
	if u, err := url.Parse(address); err != nil || u.Query().Get("q") != "example.org" {
		t.Errorf("the filter is not in the address: %s", address)
	}
}

// TestRealPagesFitEveryWindow looks at each page as phones and desks show it, light and dark.
func TestRealPagesFitEveryWindow(t *testing.T) {
	w := busy(t)
	server := w.pages(lastOfMonth)
	tab := browser.New(t)
	for _, width := range []int64{390, 1200} {
		for _, dark := range []bool{false, true} {
			browser.Run(t, tab, browser.View(width, dark))
			for name, path := range map[string]string{
				"domains": "/", "senders": "/domain/example.com", "rollout": "/domain/example.com/rollout", "source": "/domain/example.com/source?name=SendGrid",
				"empty": "/domain/nobody.example", "year": "/domain/example.com?days=365", "wrong": "/nowhere",
			} {
				var faults []string
				browser.Run(t, tab, chromedp.Navigate(server.URL+path), browser.NoSidewaysScroll(t),
					chromedp.Evaluate(accessible, &faults), browser.Screenshot(fmt.Sprintf("%s-%d-%t", name, width, dark)))
				if len(faults) > 0 {
					t.Errorf("%s, %d pixels, dark %t: %s", name, width, dark, strings.Join(faults, "; "))
				}
			}
		}
	}
}

// accessible is a script that lists what those would miss who hear a page, or see little contrast: one h1,
// headings without gaps, names of controls and images, and a contrast of 4.5 (WCAG 2.2, 1.4.3).
const accessible = `(() => {
	const faults = [];
	if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
	let level = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
		const n = +h.tagName[1];
		if (n > level + 1) faults.push("after h" + level + " comes " + h.outerHTML.slice(0, 60));
		level = n;
	}
	for (const c of document.querySelectorAll("input:not([type=hidden]), select"))
		if (!c.labels.length) faults.push("no label: " + c.outerHTML);
	for (const a of document.querySelectorAll("a, button"))
		if (!a.textContent.trim()) faults.push("no name: " + a.outerHTML);
	for (const s of document.querySelectorAll("svg"))
		if (!s.hasAttribute("aria-hidden") && !s.getAttribute("aria-label")) faults.push("no name: svg");
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = ([r, g, b]) => { const f = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
	const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const seen = new Set();
	for (let node; node = walk.nextNode();) {
		const e = node.parentElement;
		if (!node.textContent.trim() || e.closest("svg, option, .skip") || !e.getClientRects().length) continue;
		const a = light(rgba(getComputedStyle(e).color)), b = light(behind(e));
		const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		const key = e.tagName + "." + e.className;
		if (contrast < 4.5 && !seen.has(key)) { seen.add(key); faults.push("contrast " + contrast.toFixed(2) + ": " + key + " " + node.textContent.trim().slice(0, 30)); }
	}
	return faults;
})()`

// TestRealPagesBehindALogin sends the header that a proxy would.
func TestRealPagesBehindALogin(t *testing.T) {
	w := busy(t)
	inbox, done, err := openInbox(t.Context(), w.store)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	login := &guard{header: "X-Remote-User"}
	if err := login.addProxy("127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	address := make(chan string, 1)
	ended := make(chan error, 1)
	p := &program{stderr: writer(func(text string) { address <- strings.TrimSpace(text[strings.Index(text, "http:"):]) })}
	s := &site{inbox: inbox, now: func() time.Time { return lastOfMonth }}
	go func() { ended <- p.listen(ctx, "127.0.0.1:0", login.wrap(s.handler())) }()
	tab, at := browser.New(t), <-address
	var refused, shown string
	browser.Run(t, tab,
		chromedp.Navigate(at), chromedp.Text("body", &refused, chromedp.ByQuery),
		browser.Header("X-Remote-User", "owner@example.com"),
		chromedp.Navigate(at), chromedp.Text("h1", &shown, chromedp.ByQuery),
	)
	if !strings.Contains(refused, "does not say who has logged in") || shown != "Domains" {
		t.Errorf("%q, %q", refused, shown)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A writer gives what is written to a function.
type writer func(string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}
