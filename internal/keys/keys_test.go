package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/signing"
)

// record returns the record that publishes a key.
func record(t testing.TB, key crypto.Signer) string {
	t.Helper()
	text, err := signing.Record(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The standard library takes a signature of R = [S]B for good under a key of small
// order, where the hash of the signature happens to be a multiple of the order.
func TestEd25519KeysOfSmallOrderNeverPass(t *testing.T) {
	// y of the points of order 1, 2, 4 and 8, and the first three plus the prime.
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	order8, _ := new(big.Int).SetString("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826", 16)
	var keys [][]byte
	for _, y := range []*big.Int{
		big.NewInt(0), big.NewInt(1), new(big.Int).Sub(prime, big.NewInt(1)),
		prime, new(big.Int).Add(prime, big.NewInt(1)), order8, new(big.Int).Sub(prime, order8),
	} {
		key := y.FillBytes(make([]byte, 32))
		slices.Reverse(key)
		negative := slices.Clone(key)
		negative[31] |= 0x80
		keys = append(keys, key, negative)
	}
	forged := 0
	for _, key := range keys {
		// The neutral element as R, and zero as S: good for h = 0 (mod order).
		signature := make([]byte, 64)
		signature[0] = 1
		for i := range 200 {
			hash := sha512.Sum512_256([]byte{byte(i)})
			if ed25519.Verify(key, hash[:], signature) {
				forged++
				break
			}
		}
		record := "k=ed25519; p=" + base64.StdEncoding.EncodeToString(key)
		if _, err := Parse(record); !errors.Is(err, ErrUnsafe) {
			t.Errorf("%x: %v", key, err)
		}
	}
	if forged == 0 {
		t.Error("no signature was forged: the test has lost its point")
	}
	if _, err := Parse(record(t, signing.Ed25519("good"))); err != nil {
		t.Errorf("a good key is refused: %v", err)
	}
}

func TestAKeyIsParsedOnce(t *testing.T) {
	var c Cache
	text := record(t, signing.RSA(1024))
	first, err := c.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Parse(strings.Clone(text)); err != nil || again != first {
		t.Errorf("%p, %v, and %p at first", again, err, first)
	}
	broken, err := c.Parse("p=")
	if again, second := c.Parse("p="); again != broken || second != err || !errors.Is(err, ErrRevoked) {
		t.Errorf("%v and %v", err, second)
	}
}

func FuzzKey(f *testing.F) {
	for _, s := range []string{record(f, signing.Ed25519("fuzz")), record(f, signing.RSA(1024)), "v=DKIM1; p=", "p=AAAA", "k=ed25519;p=AA==", "v=DKIM1;p=;p=", "s=:;h=;t=y:y:s"} {
		f.Add(s)
	}
	hash := make([]byte, 32)
	f.Fuzz(func(t *testing.T, record string) {
		key, err := Parse(record)
		if (key.public == nil) != (err != nil) {
			t.Fatalf("key %v with error %v", key.public, err)
		}
		if err != nil {
			return
		}
		if key.Bits < 1 || key.Bits > 8*len(record) {
			t.Fatalf("%d bits in %d octets", key.Bits, len(record))
		}
		if key.public.verify(hash, hash) || key.public.verify(hash, nil) {
			t.Fatal("nonsense verifies")
		}
	})
}
