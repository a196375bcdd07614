//go:build integration

// Package browser runs Chromium for tests that look at pages as people do.
package browser

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// New starts Chromium with one tab, which ends with the test. An error in the tab's console, such as a
// thing that the Content-Security-Policy refuses, fails the test. Chromium asks nobody but the pages.
func New(t testing.TB) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // there is none for root
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-quic", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, expire := context.WithTimeout(tab, 3*time.Minute)
	t.Cleanup(expire)
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
				t.Errorf("console: %s %s", e.Entry.Text, e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			t.Errorf("exception: %s", e.ExceptionDetails.Error())
		}
	})
	if err := chromedp.Run(ctx, log.Enable(), network.Enable()); err != nil {
		t.Fatalf("Chromium does not start (Debian: chromium): %v", err)
	}
	return ctx
}

// Run runs actions in the tab.
func Run(t testing.TB, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// View sets the width of the window in CSS pixels, and whether its colours are dark.
func View(width int64, dark bool) chromedp.Action {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return chromedp.Tasks{
		chromedp.EmulateViewport(width, 800),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
	}
}

// Header sends a header with each request from now on.
func Header(name, value string) chromedp.Action {
	return network.SetExtraHTTPHeaders(network.Headers{name: value})
}

// Screenshot writes the whole page as NAME.png into the directory that the environment variable
// SCREENSHOTS names. Without it, it does nothing.
func Screenshot(name string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		dir := os.Getenv("SCREENSHOTS")
		if dir == "" {
			return nil
		}
		var image []byte
		if err := chromedp.FullScreenshot(&image, 100).Do(ctx); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644)
	})
}

// NoSidewaysScroll fails if the page is wider than the window.
func NoSidewaysScroll(t testing.TB) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var over int
		err := chromedp.Evaluate(`document.documentElement.scrollWidth - document.documentElement.clientWidth`, &over).Do(ctx)
		if over > 0 {
			t.Errorf("the page is %d pixels wider than the window", over)
		}
		return err
	})
}
