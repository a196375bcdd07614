package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mailverdict/mailverdict/examples/archive/internal/fakes3"
	"github.com/mailverdict/mailverdict/examples/archive/internal/generated"
)

func TestABucketThatSESWritesIntoBecomesResultsInAnother(t *testing.T) {
	in, _ := generate(t, 50)
	client := fakes3.Start(t, "mail")
	put := func(key, text string, metadata map[string]string) { fakes3.Put(t, client, "mail", key, text, metadata) }
	for i, name := range mustGlob(t, in+"/*/*.eml") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		key := "in/2026/11/" + strings.TrimSuffix(filepath.Base(name), ".eml")
		put(key, string(text), nil)
		if i == 0 {
			put(key+".json", `{"notificationType": "Received", "mail": {"timestamp": "2026-11-01T12:00:00Z", "source": "bounce@sender00.example"}, "receipt": {"dmarcVerdict": {"status": "FAIL"}}}`, nil)
		}
	}
	put("in/AMAZON_SES_SETUP_NOTIFICATION", "Hello\r\n", nil)
	put("in/2026/11/secret", "\x01\x02\xff", map[string]string{"x-amz-key-v2": "k", "x-amz-cek-alg": "AES/GCM/NoPadding"})
	put("in/2026/11/", "", nil) // the marker that the console makes of a folder
	put("other/x.eml", "From: a@b.example\r\n\r\n", nil)

	f := archive(t, "-in", "s3://mail/in/", "-zone", filepath.Join(in, generated.Zone), "-out", "s3://mail/out", "-shards", "3")
	if f.code != exitOK || !strings.Contains(f.stdout, "50 messages, DNS 50 zone; without a verdict: 1 encrypted, 1 setup-notification") || !strings.Contains(f.stdout, "dmarc was FAIL and is pass: 1") {
		t.Errorf("%+v", f)
	}
	all := ""
	bucket := "mail"
	list, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		if !strings.HasPrefix(*o.Key, "out/verdicts-") {
			continue
		}
		object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(object.Body)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	if strings.Count(all, "\n") != 52 || !strings.Contains(all, `"kind":"encrypted","detail":"it was encrypted by its writer (AES/GCM/NoPadding)`) {
		t.Errorf("%d lines", strings.Count(all, "\n"))
	}
	if f := archive(t, "-in", "s3://mail/in/", "-zone", filepath.Join(in, generated.Zone), "-out", "s3://mail/out", "-shards", "3"); f.code != exitOK {
		t.Errorf("once more: %+v", f)
	}
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(names), err)
	}
	return names
}
