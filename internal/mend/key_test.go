package mend

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/keys"
)

// rsaData returns p= of an RSA key.
func rsaData(t testing.TB, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestKeysAreMended(t *testing.T) {
	p := rsaData(t, 2048)
	ed := base64.StdEncoding.EncodeToString(append([]byte{9}, make([]byte, 31)...))
	der, _ := base64.StdEncoding.DecodeString(p)
	armored := strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "\n", "")
	good := "v=DKIM1; k=rsa; p=" + p
	for text, want := range map[string]string{
		`v=DKIM1\; k=rsa\; p=` + p:                                    good,
		`"v=DKIM1; k=rsa; p=` + p + `"`:                               good,
		`v=DKIM1; k=rsa; p=` + p[:200] + `" "` + p[200:]:              "v=DKIM1; k=rsa; p=" + p[:200] + " " + p[200:],
		`v=DKIM1; k=rsa; p=` + p[:200] + `""` + p[200:]:               good,
		`k=rsa\; p=` + p:                                              "k=rsa; p=" + p,
		"v=DKIM1 k=rsa p=" + p:                                        good,
		"v=DKIM1;; k=rsa; p=" + p:                                     good,
		";v=DKIM1; k=rsa; p=" + p:                                     good,
		"v=DKIM; k=RSA-SHA256; p=" + p:                                good,
		"k=rsa; v=DKIM1; p=" + p:                                      good,
		"v=DKIM1; k=rsa; h=rsa-sha256; p=" + p:                        "v=DKIM1; k=rsa; h=sha256; p=" + p,
		"v=DKIM1; k=rsa; p=" + armored:                                good,
		good + good:                                                   good,
		good + "; " + good:                                            good,
		"v=DKIM1; k=rsa; p=" + p + p:                                  good,
		"v=DKIM1; k=ed25519; p=" + ed + "v=DKIM1; k=ed25519; p=" + ed: "v=DKIM1; k=ed25519; p=" + ed,
		good[:255]:                     "",
		"v=DKIM1; k=rsa; p=" + p[:255]: "",
		"v=DKIM1; k=rsa":               "",
		"v=DKIM1; k=rsa; p=ab!cd":      "",
		"v=DKIM1; k=dsa; p=" + p:       "",
	} {
		r, meant := Key(text)
		if !meant {
			t.Errorf("%q was not meant to be a key", text)
			continue
		}
		if r.Mended != want || len(r.Faults) == 0 {
			t.Errorf("%q became %q, want %q; faults %+v", text, r.Mended, want, r.Faults)
		}
		checkFaults(t, r)
	}
}

func TestAKeyThatIsCutSaysHowMuchIsMissing(t *testing.T) {
	r, _ := Key(("v=DKIM1; k=rsa; p=" + rsaData(t, 2048))[:255])
	if len(r.Faults) != 1 || r.Faults[0].Kind != KindCut || r.Faults[0].Begin != 255 ||
		!strings.Contains(r.Faults[0].Text, " of 294 bytes") || !strings.Contains(r.Faults[0].Text, "255 characters") {
		t.Errorf("%+v", r.Faults)
	}
}

func TestKeysThatAreRightStayAsTheyAre(t *testing.T) {
	p := rsaData(t, 2048)
	for _, text := range []string{
		"v=DKIM1; k=rsa; p=" + p, "p=" + p, "k=rsa; t=s; p=" + p[:100] + " " + p[100:] + ";", "v=DKIM1; p=", "v=DKIM1; n=a note; s=*; p=" + p,
		"v=DKIM1; h=sha1:sha256; p=" + p, "v=DKIM1; p=" + rsaData(t, 1024),
	} {
		r, meant := Key(text)
		if !meant || len(r.Faults) > 0 || r.Mended != "" {
			t.Errorf("%q: %v, %+v", text, meant, r)
		}
	}
}

func TestWhatWasNotMeantToBeAKeyIsLeftAlone(t *testing.T) {
	for _, text := range []string{"", "v=spf1 -all", "v=DMARC1; rua=mailto:a@x.example", "hello"} {
		if r, meant := Key(text); meant {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func FuzzKey(f *testing.F) {
	p := rsaData(f, 1024)
	for _, text := range []string{`"v=DKIM1\; k=RSA; p=` + p + `"`, "v=DKIM1 p=" + p + p, "-----BEGIN PUBLIC KEY-----p=" + p} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, meant := Key(text)
		if !meant {
			return
		}
		checkFaults(t, r)
		if r.Mended != "" {
			if _, err := keys.Parse(r.Mended); err != nil && !strings.Contains(err.Error(), "revoked") {
				t.Fatalf("%q became %q: %v", text, r.Mended, err)
			}
		}
	})
}
