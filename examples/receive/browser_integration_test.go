//go:build integration

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

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

// axe looks for what keeps people from using the page. AXE_CORE names the script of axe-core.
func (b tab) axe(page string) {
	b.t.Helper()
	path := os.Getenv("AXE_CORE")
	if path == "" {
		b.t.Log("AXE_CORE does not name the script of axe-core: the page is not looked at")
		return
	}
	script, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	var found string
	b.do(
		chromedp.Evaluate(string(script), nil),
		chromedp.Evaluate(`axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160)).join(" | ")).join("\n"))`, &found,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
	)
	if found != "" {
		b.t.Errorf("%s: %s", page, found)
	}
}

// looks takes pictures of the page that is open, wide and narrow, light and dark, and has axe look at it
// in both widths and both schemes.
func (b tab) looks(name string) {
	b.t.Helper()
	for _, width := range []int64{1280, 390} {
		for _, dark := range []bool{false, true} {
			page := fmt.Sprintf("%s-%d-%s", name, width, map[bool]string{false: "light", true: "dark"}[dark])
			b.do(browser.View(width, dark), chromedp.Sleep(400*time.Millisecond), // for what moves to stand
				browser.NoSidewaysScroll(b.t), browser.Screenshot(page))
			if dark == (width == 1280) {
				b.axe(page)
			}
		}
	}
	b.do(browser.View(1280, false))
	b.calm()
}

const verdict = `document.querySelector("#answer .mv-verdict")`

func TestRealBrowserPages(t *testing.T) {
	r := start(t, nil)
	for name, path := range map[string]string{"home": "", "paste": "/paste", "stories": "/stories", "gone": "/s/nobody"} {
		t.Run(name, func(t *testing.T) {
			b := newTab(t)
			b.calm()
			b.open(r.page + path)
			b.looks(name)
		})
	}
}

func TestRealBrowserByStory(t *testing.T) {
	r := start(t, nil)
	for _, story := range []string{"shop-through-provider", "spoofed-boss-quarantine", "mailing-list", "spf-too-many-lookups", "no-dmarc-record", "two-from-fields"} {
		t.Run(story, func(t *testing.T) {
			b := newTab(t)
			b.calm()
			b.open(r.page + "/stories")
			b.click(`button[value="` + story + `"]`)
			b.wait(verdict)
			b.looks("story-" + story)
		})
	}
}

// hostile is a message whose texts would do harm in a page.
const hostile = "From: \"<img src=x onerror=document.title='owned'>\" <me@laptop.example>\r\nTo: you@learn.example\r\n" +
	"Subject: <script>document.title='owned'</script>\r\nX-<b>: \x1b[31m</li></ol><script>alert(1)</script>\r\n\r\nHi\r\n"

func TestRealBrowserByMail(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.calm()
	b.open(r.page)
	b.click("button.main")
	b.wait(`document.getElementById("mail")`)
	b.looks("waiting")
	address := eval[string](b, `document.getElementById("mail").value`)
	b.click(`.address .copy`)
	b.wait(`document.querySelector(".address .copy").textContent === "Copied"`)
	if err := r.send(t, "me@laptop.example", address, hostile); err != nil {
		t.Fatal(err)
	}
	b.wait(verdict)
	if title := eval[string](b, `document.getElementById("title").textContent`); title != "<script>document.title='owned'</script>" {
		t.Errorf("the subject is shown as %q", title)
	}
	if title := eval[string](b, `document.title`); strings.Contains(title, "owned") {
		t.Errorf("the title is %q", title)
	}
	if got := eval[string](b, verdict+".textContent"); got != "PASS: this message is from laptop.example." {
		t.Errorf("the verdict is %q", got)
	}
	if got := eval[int](b, `document.querySelectorAll("#stage script, #stage img").length`); got != 0 {
		t.Errorf("%d elements of the sender's are in the page", got)
	}
	if got := eval[string](b, `document.querySelector("#kept a[aria-current] span").textContent`); !strings.HasPrefix(got, "1. <script>") {
		t.Errorf("the list of messages has %q", got)
	}
	b.looks("hostile")
}

func TestRealBrowserByPaste(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.calm()
	b.open(r.page + "/paste")
	b.do(chromedp.SetValue("#source", "Return-Path: <me@laptop.example>\n"+strings.ReplaceAll(mine, "\r\n", "\n"), chromedp.ByQuery),
		chromedp.Click("summary", chromedp.ByQuery), chromedp.SendKeys("#ip", "127.0.0.1", chromedp.ByQuery))
	b.click("form.paste button.main")
	b.wait(verdict)
	if got := eval[string](b, verdict+".textContent"); got != "PASS: this message is from laptop.example." {
		t.Errorf("the verdict is %q", got)
	}
	b.looks("pasted")
	// And a file, in the same session.
	path, err := filepath.Abs("../../testdata/forwarded.eml")
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Click(`nav a[href$="/paste"]`, chromedp.ByQuery), chromedp.WaitVisible("#file", chromedp.ByQuery),
		chromedp.SetUploadFiles("#file", []string{path}, chromedp.ByQuery))
	b.click("form.paste button.main")
	b.wait(`location.pathname.endsWith("/2") && ` + verdict)
	// And one that is dropped on the form.
	b.click(`nav a[href$="/paste"]`)
	b.wait(`document.querySelector("form[data-drop]")`)
	b.do(chromedp.Evaluate(`{
		const data = new DataTransfer();
		data.items.add(new File(["From: dropped@laptop.example\r\nSubject: Dropped\r\n\r\nHi\r\n"], "dropped.eml"));
		document.querySelector("form[data-drop]").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
	}`, nil))
	b.wait(`location.pathname.endsWith("/3") && ` + verdict)
	if got := eval[int](b, `document.querySelectorAll("#kept a").length`); got != 3 {
		t.Errorf("%d messages are kept", got)
	}
}

func TestRealBrowserPlaysAgain(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.open(r.page + "/stories")
	b.click(`button[value="mailing-list"]`)
	b.wait(verdict)
	all := eval[string](b, `document.getElementById("stage").innerText`)
	b.click(`[data-do="replay"]`)
	b.wait(`!` + verdict + ` && document.querySelectorAll("#lines li").length > 1`)
	b.click(`[data-do="pause"]`)
	b.wait(`document.querySelector('[data-do="pause"]').textContent === "Go on"`)
	b.do(browser.Screenshot("paused"))
	at := eval[string](b, `document.getElementById("where").textContent`)
	b.do(chromedp.Sleep(time.Second))
	if now := eval[string](b, `document.getElementById("where").textContent`); now != at {
		t.Errorf("it was %q, and goes on to %q though it is paused", at, now)
	}
	b.click(`[data-do="next"]`)
	b.wait(`document.getElementById("where").textContent !== ` + strconv.Quote(at))
	b.click(`[data-do="end"]`)
	b.wait(verdict)
	if now := eval[string](b, `document.getElementById("stage").innerText`); now != all {
		t.Errorf("played again it is another page:\n%s\n---\n%s", now, all)
	}
	b.click(`[data-do="back"]`)
	b.wait(`!` + verdict)
}

func TestRealBrowserWhatIf(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.calm()
	b.open(r.page + "/stories")
	b.click(`button[value="strict-alignment"]`)
	b.wait(verdict)
	answer := func() string { return eval[string](b, `document.getElementById("whatif-answer").innerText`) }
	if !strings.Contains(answer(), "FAIL") {
		t.Fatal(answer())
	}
	b.do(chromedp.Click(`input[name="aspf"][value="r"]`, chromedp.ByQuery))
	b.wait(`document.getElementById("whatif-answer").innerText.includes("aspf=r")`)
	b.do(chromedp.Click(`input[name="adkim"][value="r"]`, chromedp.ByQuery))
	b.wait(`document.getElementById("whatif-answer").innerText.includes("PASS")`)
}

func TestRealBrowserReloadsInMidStream(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.calm()
	s := r.session(t)
	b.open(r.page + s.Page)
	c := r.dial(t)
	defer c.Close()
	if err := errors.Join(c.Mail("me@laptop.example", nil), c.Rcpt(s.Address, nil)); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(mine, "\r\n\r\n")
	if _, err := w.Write([]byte(head + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	// go-smtp's client writes through a buffer: fill it, so that the server sees the header.
	if _, err := w.Write([]byte(strings.Repeat("line\r\n", 2000))); err != nil {
		t.Fatal(err)
	}
	b.wait(`document.getElementById("title")?.textContent === "Hello"`)
	b.do(chromedp.Reload())
	b.wait(`document.getElementById("title")?.textContent === "Hello"`)
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b.wait(verdict)
	live := eval[string](b, `document.getElementById("stage").innerText`)
	b.do(chromedp.Reload())
	b.wait(verdict)
	if again := eval[string](b, `document.getElementById("stage").innerText`); again != live {
		t.Errorf("what came live and what the page has differ:\n%s\n---\n%s", live, again)
	}
}

func TestRealBrowserVisitorGoesAway(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	s := r.session(t)
	b.open(r.page + s.Page)
	watching := func(want int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if n := r.streams.count(); n == want {
				return
			} else if time.Now().After(end) {
				t.Fatalf("%d streams are open, want %d", n, want)
			}
		}
	}
	watching(1)
	hide := func(hidden bool) {
		b.do(chromedp.Evaluate(fmt.Sprintf(`Object.defineProperty(document, "hidden", {value: %t, configurable: true}); document.dispatchEvent(new Event("visibilitychange"))`, hidden), nil))
	}
	hide(true) // another tab is on top
	watching(0)
	hide(false)
	watching(1)
	b.open("about:blank")
	watching(0)
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Fatal(err)
	}
	b.open(r.page + s.Page)
	b.wait(verdict)
	b.click(`footer button`)
	b.wait(`location.pathname === "/"`)
	if status, _ := r.get(t, s.Page); status != 404 {
		t.Errorf("after the deletion the page has status %d", status)
	}
}

func TestRealBrowserWithoutScript(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open(r.page + "/stories")
	b.click(`button[value="shop-through-provider"]`)
	b.wait(verdict) // the page asks for itself again
	b.click(`input[name="p"][value="none"] + span`)
	b.click(`.whatif button.plain`)
	b.wait(`document.getElementById("whatif-answer").textContent.includes("p=none")`)
	b.do(browser.Screenshot("no-script"))
	b.click(`.take form button`)
	b.wait(`location.pathname.startsWith("/r/")`)
	path := eval[string](b, "location.pathname")
	b.do(browser.Screenshot("shared"))
	b.click(`.take form button`)
	b.wait(`location.pathname === "/"`)
	if status, _ := r.get(t, path); status != 404 {
		t.Errorf("after the deletion the link has status %d", status)
	}
}

// Where too many streams are open, the page is asked for again.
func TestRealBrowserWithoutAStream(t *testing.T) {
	r := start(t, func(s *server) { s.limits.streams = 0 })
	b := newTab(t)
	s := r.session(t)
	b.open(r.page + s.Page)
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Fatal(err)
	}
	b.wait(verdict)
}

// One of 50 visitors is a browser.
func TestRealBrowserAmongFiftyVisitors(t *testing.T) {
	r := start(t, func(s *server) {
		s.limits.visitorsByClient, s.limits.streamsByClient, s.limits.connectionsByClient, s.limits.webByClient = 50, 50, 50, 200
	})
	b := newTab(t)
	b.calm()
	s := r.session(t)
	b.open(r.page + s.Page)
	var all sync.WaitGroup
	for n := range 49 {
		all.Go(func() { r.visit(t, n) })
	}
	if err := r.send(t, "me@laptop.example", s.Address, strings.Replace(mine, "Hello", "For the browser", 1)); err != nil {
		t.Error(err)
	}
	b.wait(verdict)
	all.Wait()
	if page := eval[string](b, "document.body.innerText"); !strings.Contains(page, "For the browser") || strings.Contains(page, "For number") {
		t.Errorf("the page of one among 50:\n%s", page)
	}
}

func TestRealBrowserByKeyboard(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.calm()
	b.open(r.page)
	focused := func() string {
		b.do(chromedp.KeyEvent(kb.Tab))
		return eval[string](b, "document.activeElement.textContent.trim()")
	}
	var seen []string
	for range 8 {
		seen = append(seen, focused())
	}
	want := []string{"To the content", "mailverdict", "Send a mail", "Paste a message", "Play a story", "Inspect a domain", "Get an address", "paste a message"}
	if !slices.Equal(seen, want) {
		t.Errorf("the keyboard comes to %q, want %q", seen, want)
	}
	b.open(r.page + "/stories")
	for eval[string](b, "document.activeElement.name || `none`") != "story" { // the first of the stories
		focused()
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.wait(verdict)
}
