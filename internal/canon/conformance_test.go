package canon

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailverdict/mailverdict/internal/suite"
)

func TestConformanceCanonicalization(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(suite.Dir(t), "dkim", "canonicalization.json"))
	if err != nil {
		t.Fatal(err)
	}
	var data struct {
		Headers []struct{ ID, Input, Relaxed, Simple string }
		Bodies  []struct {
			ID, Input, Simple, Relaxed string
			BH                         map[string]string
		}
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	s := suite.New(t, "dkim/canonicalization")
	for _, row := range data.Headers {
		s.Run("header "+row.ID, func(t *testing.T) {
			for form, want := range map[Form]string{Simple: row.Simple, Relaxed: row.Relaxed} {
				if got := canonicalField(form, row.Input); got != want {
					t.Errorf("form %d: %q, want %q", form, got, want)
				}
			}
		})
	}
	words := map[Form]string{Simple: "simple", Relaxed: "relaxed"}
	for _, row := range data.Bodies {
		s.Run("body "+row.ID, func(t *testing.T) {
			for form, want := range map[Form]string{Simple: row.Simple, Relaxed: row.Relaxed} {
				got := canonicalBody(form, []byte(row.Input))
				hash := sha256.Sum256([]byte(got))
				if got != want || base64.StdEncoding.EncodeToString(hash[:]) != row.BH[words[form]+"/sha256"] {
					t.Errorf("form %d: %q, want %q", form, got, want)
				}
			}
		})
	}
}
