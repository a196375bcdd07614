package dkim

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/signing"
	"github.com/mailverdict/mailverdict/resolver"
)

// data returns the p= of a key record.
func data(record string) string {
	_, p, _ := strings.Cut(record, "p=")
	return p
}

func TestKeyRecord(t *testing.T) {
	key := data(recordOf(ed()))
	tests := []struct {
		name     string
		records  []string
		extra    string
		status   Status
		err      error
		warnings string
	}{
		{"v= is optional", []string{"k=ed25519; p=" + key}, "", StatusPass, nil, "[]"},
		{"v= has to be first", []string{"k=ed25519; v=DKIM1; p=" + key}, "", StatusPermError, ErrKeyMalformed, "[]"},
		{"v= has to stand before unknown tags too", []string{"foo=1; v=DKIM1; k=ed25519; p=" + key}, "", StatusPermError, ErrKeyMalformed, "[]"},
		{"v= is compared as a string", []string{"v=DKIM1.0; k=ed25519; p=" + key}, "", StatusPermError, ErrKeyMalformed, "[]"},
		{"v= has case", []string{"v=dkim1; k=ed25519; p=" + key}, "", StatusPermError, ErrKeyMalformed, "[]"},
		{"unknown tags are ignored", []string{"v=DKIM1; g=*; k=ed25519; p=" + key}, "", StatusPass, nil, "[]"},
		{"a tag that stands twice spoils the record", []string{"v=DKIM1; k=ed25519; n=a; n=b; p=" + key}, "", StatusPermError, ErrKeyMalformed, "[]"},
		{"k= has no case", []string{"v=DKIM1; k=Ed25519; p=" + key}, "", StatusPass, nil, "[]"},
		{"k= defaults to rsa", []string{"v=DKIM1; p=" + data(recordOf(rsa2048()))}, "", StatusPermError, ErrKeyType, "[]"},
		{"k= that nobody knows is no key for the signature", []string{"v=DKIM1; k=dsa; p=" + key}, "", StatusPermError, ErrKeyType, "[]"},
		{"p= is required", []string{"v=DKIM1; k=ed25519"}, "", StatusPermError, ErrKeyMalformed, "[]"},
		{"p= that is empty means revoked", []string{"v=DKIM1; k=ed25519; p="}, "", StatusPermError, ErrKeyRevoked, "[]"},
		{"p= of white space means revoked", []string{"v=DKIM1; k=ed25519; p= \t"}, "", StatusPermError, ErrKeyRevoked, "[]"},
		{"p= may have white space in it", []string{"v=DKIM1; k=ed25519; p=" + key[:9] + " \t " + key[9:]}, "", StatusPass, nil, "[]"},
		{"p= may go without padding", []string{"v=DKIM1; k=ed25519; p=" + strings.TrimRight(key, "=")}, "", StatusPass, nil, "[]"},
		{"p= has to be base64", []string{"v=DKIM1; k=ed25519; p=*" + key}, "", StatusPermError, ErrKeyMalformed, "[]"},
		{"h= that lists the hash allows it", []string{"v=DKIM1; h=sha1 : SHA256; k=ed25519; p=" + key}, "", StatusPass, nil, "[]"},
		{"h= without the hash does not", []string{"v=DKIM1; h=sha1; k=ed25519; p=" + key}, "", StatusPermError, ErrKeyHash, "[]"},
		{"h= of unknown hashes allows none", []string{"v=DKIM1; h=md5:x; k=ed25519; p=" + key}, "", StatusPermError, ErrKeyHash, "[]"},
		{"h= that is empty allows none", []string{"v=DKIM1; h=; k=ed25519; p=" + key}, "", StatusPermError, ErrKeyHash, "[]"},
		{"s= may name email", []string{"v=DKIM1; s=tlsrpt:email; k=ed25519; p=" + key}, "", StatusPass, nil, "[]"},
		{"s= may name every service", []string{"v=DKIM1; s=*; k=ed25519; p=" + key}, "", StatusPass, nil, "[]"},
		{"s= of another service is not for email", []string{"v=DKIM1; s=tlsrpt; k=ed25519; p=" + key}, "", StatusPermError, ErrKeyService, "[]"},
		{"t=y passes, with a warning", []string{"v=DKIM1; t=y; k=ed25519; p=" + key}, "", StatusPass, nil, "[key-testing]"},
		{"t=s demands that i= is d=", []string{"v=DKIM1; t=y:s; k=ed25519; p=" + key}, "i=@a.example.com; ", StatusPermError, ErrKeyStrict, "[key-testing]"},
		{"t=s is content with i= that is d=", []string{"v=DKIM1; t=s; k=ed25519; p=" + key}, "i=x@EXAMPLE.com; ", StatusPass, nil, "[]"},
		{"t=s is content without i=", []string{"v=DKIM1; t=s; k=ed25519; p=" + key}, "", StatusPass, nil, "[]"},
		{"flags that nobody knows are ignored", []string{"v=DKIM1; t=x:z; k=ed25519; p=" + key}, "", StatusPass, nil, "[]"},
		{"text that is no key stands beside the key", []string{"v=spf1 -all", recordOf(ed()), "hello"}, "", StatusPass, nil, "[]"},
		{"text that is no key stands alone", []string{"v=spf1 -all"}, "", StatusPermError, ErrKeyMalformed, "[]"},
		{"of two keys both are tried", []string{recordOf(rsa1024()), "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(slices.Repeat([]byte{9}, 32)), recordOf(ed())},
			"", StatusPass, nil, "[several-keys]"},
		{"a key that was revoked beside one that is good", []string{"v=DKIM1; p=", recordOf(ed())}, "", StatusPass, nil, "[several-keys]"},
		{"a record of more than 8 KiB is not looked at", []string{"n=" + strings.Repeat("x", 8<<10) + "; " + data(recordOf(ed()))}, "", StatusPermError, ErrLimit, "[]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			message := sig{extra: test.extra}.sign(testMessage)
			for range 2 {
				v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: test.records}}}
				got := verifyOne(t, &v, message)
				if got.Status != test.status || !errors.Is(got.Err, test.err) || fmt.Sprint(got.Warnings) != test.warnings {
					t.Errorf("%v (%v) %v, want %v (%v) %v", got.Status, got.Err, got.Warnings, test.status, test.err, test.warnings)
				}
				roundTrip(t, got)
				// DNS gives records in any order, and the verdict is the same.
				slices.Reverse(test.records)
			}
		})
	}
}

func TestNoKeyAtAll(t *testing.T) {
	for name, test := range map[string]struct {
		records resolver.Records
		status  Status
		err     error
	}{
		"there is no such name":      {resolver.Records{Fault: resolver.Fault{Err: resolver.ErrNXDomain}}, StatusPermError, ErrKeyMissing},
		"there is no TXT record":     {resolver.Records{A: []string{"192.0.2.1"}}, StatusPermError, ErrKeyMissing},
		"the server fails":           {resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}, StatusTempError, ErrDNS},
		"the server refuses":         {resolver.Records{Fault: resolver.Fault{Err: resolver.ErrRefused}}, StatusTempError, ErrDNS},
		"the server does not answer": {resolver.Records{Fault: resolver.Fault{Err: resolver.ErrTimeout}}, StatusTempError, ErrDNS},
		"the error is wrapped":       {resolver.Records{Fault: resolver.Fault{Err: fmt.Errorf("x: %w", resolver.ErrNoData)}}, StatusPermError, ErrKeyMissing},
		"nobody knows the error":     {resolver.Records{Fault: resolver.Fault{Err: errors.New("broken")}}, StatusTempError, ErrDNS},
	} {
		t.Run(name, func(t *testing.T) {
			v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": test.records}}
			got := verifyOne(t, &v, sig{}.sign(testMessage))
			if got.Status != test.status || !errors.Is(got.Err, test.err) || got.Key != nil {
				t.Errorf("%v (%v), want %v (%v)", got.Status, got.Err, test.status, test.err)
			}
			roundTrip(t, got)
		})
	}
}

func TestADNSFailureLeavesOpenOnlyWhatNothingElseDecides(t *testing.T) {
	v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {Fault: resolver.Fault{Err: resolver.ErrServFail}}}}
	for name, test := range map[string]struct {
		message string
		status  Status
		err     error
	}{
		"a signature that may be good":  {sig{}.sign(testMessage), StatusTempError, ErrDNS},
		"a body that was changed":       {sig{}.sign(testMessage) + "x", StatusFail, ErrBodyHashMismatch},
		"a signature that has expired":  {sig{extra: "x=1; "}.sign(testMessage), StatusPermError, ErrExpired},
		"a body that is not all signed": {sig{extra: "l=5;"}.sign(testMessage), StatusPolicy, ErrBodyUnsigned},
	} {
		if got := verifyOne(t, &v, test.message); got.Status != test.status || !errors.Is(got.Err, test.err) {
			t.Errorf("%s: %v (%v), want %v (%v)", name, got.Status, got.Err, test.status, test.err)
		}
	}
}

func TestSizesOfRSAKeys(t *testing.T) {
	// Signatures by these are good.
	for bits, test := range map[int]struct {
		status Status
		err    error
	}{
		1023: {StatusPolicy, ErrKeyTooSmall},
		1024: {StatusPass, nil},
		8192: {StatusPass, nil},
	} {
		key := signing.RSA(bits)
		v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{recordOf(key)}}}}
		got := verifyOne(t, &v, sig{key: key}.sign(testMessage))
		if got.Status != test.status || !errors.Is(got.Err, test.err) || got.KeyBits != bits || got.Key.Bits != bits {
			t.Errorf("%d bits: %v (%v) %d, want %v", bits, got.Status, got.Err, got.KeyBits, test.status)
		}
		if short := slices.Contains(got.Warnings, WarningShortKey); short != (bits < 2048) {
			t.Errorf("%d bits: warnings %v", bits, got.Warnings)
		}
	}
	// Nobody needs to sign with these: they are refused before the arithmetic.
	for bits, policy := range map[int]Policy{8193: {}, 16384: {}, 2048: {MaxRSABits: 2047}, 2047: {MinRSABits: 2048}} {
		n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
		v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{rsaRecord(t, n, 65537)}}}, Options: Options{Policy: policy}}
		got := verifyOne(t, &v, sig{key: rsa1024()}.sign(testMessage))
		if got.Status != StatusPolicy || !errors.Is(got.Err, ErrKeyTooLarge) && !errors.Is(got.Err, ErrKeyTooSmall) {
			t.Errorf("%d bits: %v (%v), want policy", bits, got.Status, got.Err)
		}
	}
	// Under 1024 bits no policy helps: RFC 8301, section 3.2.
	key := signing.RSA(1023)
	v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{recordOf(key)}}}, Options: Options{Policy: Policy{MinRSABits: 512}}}
	if got := verifyOne(t, &v, sig{key: key}.sign(testMessage)); got.Status != StatusPolicy {
		t.Errorf("1023 bits with a minimum of 512: %v", got.Status)
	}
}

func TestRSAKeysInBothEncodings(t *testing.T) {
	pkcs1 := "v=DKIM1; p=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(rsa2048().Public().(*rsa.PublicKey)))
	for _, record := range []string{pkcs1, recordOf(rsa2048())} {
		v := Verifier{Resolver: resolver.Zone{"rsa._domainkey.example.com": {TXT: []string{record}}}}
		if got := verifyOne(t, &v, sig{key: rsa2048(), s: "rsa"}.sign(testMessage)); got.Status != StatusPass || got.KeyBits != 2048 {
			t.Errorf("%v (%v), %d bits", got.Status, got.Err, got.KeyBits)
		}
	}
}

func TestRSAKeysThatAnyoneCanSignForNeverPass(t *testing.T) {
	good := rsa2048().Public().(*rsa.PublicKey)
	for name, test := range map[string]struct {
		n   *big.Int
		e   int64
		err error
	}{
		"exponent 1":            {good.N, 1, ErrKeyUnsafe},
		"exponent 0":            {good.N, 0, ErrKeyMalformed},
		"exponent 2":            {good.N, 2, ErrKeyUnsafe},
		"an even exponent":      {good.N, 65536, ErrKeyUnsafe},
		"a huge exponent":       {good.N, 1<<31 + 1, ErrKeyUnsafe},
		"a negative exponent":   {good.N, -3, ErrKeyMalformed},
		"an even modulus":       {new(big.Int).Lsh(big.NewInt(1), 2047), 65537, ErrKeyUnsafe},
		"a modulus of zero":     {big.NewInt(0), 65537, ErrKeyMalformed},
		"a modulus below zero":  {new(big.Int).Neg(good.N), 65537, ErrKeyMalformed},
		"a modulus that is one": {big.NewInt(1), 65537, ErrKeyTooSmall},
	} {
		records := []string{pkixRecord(t, test.n, test.e)}
		if test.e < 1<<31 { // larger ones have no such encoding
			records = append(records, rsaRecord(t, test.n, test.e))
		}
		for _, record := range records {
			v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{record}}}}
			// With the exponent 1, this is what an attacker writes: the padded hash.
			got := verifyOne(t, &v, sig{key: forger{rsa2048()}}.sign(testMessage))
			if got.Status == StatusPass || !errors.Is(got.Err, test.err) || got.HeaderVerified {
				t.Errorf("%s: %v (%v), want %v", name, got.Status, got.Err, test.err)
			}
		}
	}
}

// rsaRecord returns a key record with an RSA key of any numbers.
func rsaRecord(t *testing.T, n *big.Int, e int64) string {
	t.Helper()
	der, err := asn1.Marshal(struct {
		N *big.Int
		E int64
	}{n, e})
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; p=" + base64.StdEncoding.EncodeToString(der)
}

// pkixRecord is rsaRecord with a SubjectPublicKeyInfo.
func pkixRecord(t *testing.T, n *big.Int, e int64) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: int(e)})
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; p=" + base64.StdEncoding.EncodeToString(der)
}

// A forger signs with the exponent 1, which takes no private key: the signature is the
// padded hash itself.
type forger struct{ crypto.Signer }

func (f forger) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	info := append([]byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), digest...)
	padded := append([]byte{0, 1}, slices.Repeat([]byte{0xff}, 2048/8-len(info)-3)...)
	return append(append(padded, 0), info...), nil
}

// ed25519PKIX returns an Ed25519 key as a SubjectPublicKeyInfo.
func ed25519PKIX(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(ed().Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestEd25519KeysOfAnotherFormAreMalformed(t *testing.T) {
	for name, octets := range map[string][]byte{
		"31 octets":            make([]byte, 31),
		"33 octets":            make([]byte, 33),
		"a structure of ASN.1": ed25519PKIX(t), // RFC 8463, section 4.2, has the octets alone
	} {
		record := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(octets)
		v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{record}}}}
		if got := verifyOne(t, &v, sig{}.sign(testMessage)); got.Status != StatusPermError || !errors.Is(got.Err, ErrKeyMalformed) {
			t.Errorf("%s: %v (%v)", name, got.Status, got.Err)
		}
	}
}

func TestTheKeyIsInTheResult(t *testing.T) {
	record := "v=DKIM1; h=sha256; k=ed25519; n=hello; s=email; t=y:s; p=" + data(recordOf(ed()))
	v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{record}, Authentic: resolver.AuthenticYes}}}
	for range 2 { // the second time the key comes from memory
		k := verifyOne(t, &v, sig{}.sign(testMessage)).Key
		if k == nil || k.Name != "s1._domainkey.example.com" || k.Record != record || k.Type != "ed25519" || k.Bits != 256 ||
			fmt.Sprint(k.Hashes, k.Services) != "[sha256] [email]" || !k.Testing || !k.Strict || k.Notes != "hello" || k.Authentic != resolver.AuthenticYes {
			t.Fatalf("%+v", k)
		}
		k.Hashes[0], k.Services[0] = "x", "x" // what a caller changes is the caller's
	}
}
