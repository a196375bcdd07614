//go:build integration

package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestRealBrowserInspectsADomain(t *testing.T) {
	r := start(t, nil)
	b := newTab(t)
	b.calm()
	b.open(r.page)
	b.do(chromedp.Click(`nav a[href="/domain"]`, chromedp.ByQuery))
	b.wait(`document.getElementById("domain")`)
	b.looks("domain-form")

	b.do(chromedp.SetValue("#domain", "https://village-choir.example/mail", chromedp.ByQuery), chromedp.Submit("form.domain", chromedp.ByQuery))
	b.wait(`document.querySelector(".mv-inspect")`)
	if got := eval[string](b, `document.querySelector(".mv-inspect .mv-verdict").textContent`); !strings.HasPrefix(got, "village-choir.example: 1 error") {
		t.Errorf("the heading is %q", got)
	}
	if got := eval[string](b, `document.querySelector(".mv-finding .mv-id").textContent`); got != "dmarc-missing" {
		t.Errorf("the first finding is %q", got)
	}
	b.looks("domain-errors")
	b.click(".mv-change .copy")
	b.wait(`document.querySelector(".mv-change .copy").textContent === "Copied"`)

	for name, domain := range map[string]string{"domain-good": "tulips.example", "domain-lookups": "big-corp.example", "domain-missing": "<script>document.title='owned'</script>"} {
		b.open(r.page + "/domain")
		b.do(chromedp.SetValue("#domain", domain, chromedp.ByQuery), chromedp.Submit("form.domain", chromedp.ByQuery))
		b.wait(`document.querySelector(".mv-inspect")`)
		if name == "domain-lookups" {
			b.click(".mv-lookups summary")
			b.wait(`document.querySelectorAll(".mv-tree .mv-tree li").length > 5`)
		}
		b.looks(name)
	}
	if title := eval[string](b, `document.title`); strings.Contains(title, "owned") {
		t.Errorf("a script of the form ran: %q", title)
	}
}
