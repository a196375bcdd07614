package dkim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/internal/suite"
)

// row is one message of a manifest: see the README of the conformance data.
type row struct {
	ID     string
	File   string
	EOL    string
	Zone   map[string]map[string]any
	Now    int64
	Expect []expectation
}

type expectation struct {
	D, S   string
	Result string
	Accept []string
	Reason string
}

// reasons say which error of ours is a reason of the manifests.
var reasons = map[string][]error{
	"version-missing":              {dkim.ErrVersion},
	"version-unsupported":          {dkim.ErrVersion},
	"tag-syntax":                   {dkim.ErrTagMalformed, dkim.ErrSyntax},
	"duplicate-tag":                {dkim.ErrDuplicateTag},
	"algorithm-unsupported":        {dkim.ErrAlgorithm},
	"algorithm-rsa-sha1":           {dkim.ErrSHA1},
	"canonicalization-unsupported": {dkim.ErrCanonicalization},
	"query-unsupported":            {dkim.ErrQuery},
	"identity-not-in-domain":       {dkim.ErrIdentity},
	"from-not-signed":              {dkim.ErrFromNotSigned},
	"expired":                      {dkim.ErrExpired},
	"expiry-not-after-timestamp":   {dkim.ErrExpiryBeforeTime},
	"length-exceeds-body":          {dkim.ErrBodyLength},
	"key-not-found":                {dkim.ErrKeyMissing},
	"key-syntax":                   {dkim.ErrKeyMalformed},
	"key-version":                  {dkim.ErrKeyMalformed},
	"key-revoked":                  {dkim.ErrKeyRevoked},
	"key-type-unsupported":         {dkim.ErrKeyType},
	"key-type-mismatch":            {dkim.ErrKeyType},
	"key-hash-not-allowed":         {dkim.ErrKeyHash},
	"key-service-not-email":        {dkim.ErrKeyService},
	"key-strict-identity":          {dkim.ErrKeyStrict},
	"key-too-short":                {dkim.ErrKeyTooSmall},
	"dns-temporary":                {dkim.ErrDNS},
	"body-hash-mismatch":           {dkim.ErrBodyHashMismatch},
	"signature-mismatch":           {dkim.ErrSignatureMismatch},
}

func TestConformanceMailDKIM(t *testing.T) { runManifest(t, "mail-dkim") }
func TestConformanceChasquid(t *testing.T) { runManifest(t, "chasquid") }
func TestConformanceRFC(t *testing.T)      { runManifest(t, "rfc") }

func runManifest(t *testing.T, folder string) {
	dir := filepath.Join(suite.Dir(t), "dkim", folder)
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	s := suite.New(t, "dkim/"+folder)
	for _, row := range rows {
		s.Run(row.ID, func(t *testing.T) { runRow(t, dir, row) })
	}
}

func runRow(t *testing.T, dir string, row row) {
	message, err := os.ReadFile(filepath.Join(dir, row.File))
	if err != nil {
		t.Fatal(err)
	}
	if row.EOL == "lf" {
		message = bytes.ReplaceAll(message, []byte("\n"), []byte("\r\n"))
	}
	v := dkim.Verifier{Resolver: suite.Zone(t, row.Zone), Options: dkim.Options{Now: func() time.Time { return time.Unix(row.Now, 0) }}}
	results, err := v.Verify(context.Background(), bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(row.Expect) {
		t.Fatalf("%d results, want %d", len(results), len(row.Expect))
	}
	for i, want := range row.Expect {
		got := results[i]
		// Ours is the recommended result, or one that the row accepts where our
		// policy decides: those are listed here with the row that they are for.
		if accepted := want.Result; got.Status.String() != accepted && !slices.Contains(ours[row.ID], got.Status.String()) {
			t.Errorf("signature %d: %v (%v), want %s", i+1, got.Status, got.Err, accepted)
		}
		if want.Accept != nil && !slices.Contains(want.Accept, got.Status.String()) {
			t.Errorf("signature %d: %v (%v) is none of %v", i+1, got.Status, got.Err, want.Accept)
		}
		if (got.Domain != want.D || got.Selector != want.S) && !strings.Contains(want.Reason, "syntax") {
			t.Errorf("signature %d: d=%q s=%q, want %q, %q", i+1, got.Domain, got.Selector, want.D, want.S)
		}
		checkReason(t, got, want)
	}
}

func checkReason(t *testing.T, got *dkim.Result, want expectation) {
	if want.Reason == "" {
		return
	}
	if errs := reasons[want.Reason]; !slices.ContainsFunc(errs, func(err error) bool { return errors.Is(got.Err, err) }) {
		t.Errorf("cause %v, want %s", got.Err, want.Reason)
	}
}

// ours are the rows for which the default policy gives another of the results that
// the row accepts.
var ours = map[string][]string{
	// l= leaves octets of the body unsigned: RFC 6376, section 8.2.
	"chasquid-09-limited_body": {"policy"},
	// A second From stands in the header and one is signed: RFC 6376, section 8.15.
	"rfc6376-a2-from-added": {"policy"},
}
