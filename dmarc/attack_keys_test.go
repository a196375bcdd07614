package dmarc_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"sync"
	"testing"

	"github.com/mailverdict/mailverdict/internal/signing"
)

// An attackKey is a key of the corpus, those included that no library agrees to sign with.
type attackKey struct {
	crypto.Signer
	public []byte // what p= holds
}

// attackKeys makes the keys of the corpus, the same ones each time.
var attackKeys = sync.OnceValue(func() map[string]attackKey {
	ed := signing.Ed25519("ed_victim")
	return map[string]attackKey{
		"k_victim":   rsaAttackKey(prime("k_victim p", 1024, 3414), prime("k_victim q", 1024, 478)),
		"k_attacker": rsaAttackKey(prime("k_attacker p", 1024, 240), prime("k_attacker q", 1024, 156)),
		"k_512":      rsaAttackKey(prime("k_512 p", 256, 100), prime("k_512 q", 256, 100)),
		// Whoever verifies with the exponent 1 finds the padded hash itself, which is what
		// signing with it gives. Nobody can factor the modulus.
		"k_e1": newAttackKey(&signing.PlainRSA{N: number("k_e1", 2048), E: big.NewInt(1), D: big.NewInt(1)}),
		// It is to be refused for its size, before anybody computes with it: its
		// signature is any number.
		"k_16384":   newAttackKey(unsigning{&signing.PlainRSA{N: number("k_16384", 16384), E: big.NewInt(65537)}}),
		"ed_victim": {ed, ed.Public().(ed25519.PublicKey)},
	}
})

// newAttackKey returns an RSA key of the corpus.
func newAttackKey(key crypto.Signer) attackKey {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return attackKey{} // which TestAttackKeys finds
	}
	return attackKey{key, public}
}

// An unsigning key gives a number in place of signatures.
type unsigning struct{ crypto.Signer }

func (unsigning) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return number("signature", 16384).Bytes(), nil
}

// number returns an odd number of so many bits that follows from the label, with the
// highest two bits set.
func number(label string, bits int) *big.Int {
	var octets []byte
	for i := 0; len(octets) < bits/8; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", label, i))
		octets = append(octets, sum[:]...)
	}
	n := new(big.Int).SetBytes(octets[:bits/8])
	n.SetBit(n, bits-1, 1)
	n.SetBit(n, bits-2, 1)
	return n.SetBit(n, 0, 1)
}

// prime returns the first prime from the number of the label on. The offset was searched
// for once, so that tests need not.
func prime(label string, bits int, offset int64) *big.Int {
	n := number(label, bits)
	return n.Add(n, big.NewInt(offset))
}

func rsaAttackKey(p, q *big.Int) attackKey {
	one, e := big.NewInt(1), big.NewInt(65537)
	order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	return newAttackKey(&signing.PlainRSA{N: new(big.Int).Mul(p, q), E: e, D: new(big.Int).ModInverse(e, order)})
}

func (k attackKey) text() string { return base64.StdEncoding.EncodeToString(k.public) }

func TestAttackKeysAreWhatTheirNamesSay(t *testing.T) {
	for name, bits := range map[string]int{"k_victim": 2048, "k_attacker": 2048, "k_512": 512, "k_e1": 2048, "k_16384": 16384} {
		parsed, err := x509.ParsePKIXPublicKey(attackKeys()[name].public)
		key, ok := parsed.(*rsa.PublicKey)
		if err != nil || !ok || key.N.BitLen() != bits {
			t.Errorf("%s: %v (%v), want an RSA key of %d bits", name, parsed, err, bits)
			continue
		}
		if name == "k_16384" {
			continue
		}
		if name == "k_512" || name == "k_e1" {
			continue // crypto/rsa refuses it
		}
		hash := sha256.Sum256(nil)
		signature, err := attackKeys()[name].Sign(nil, hash[:], crypto.SHA256)
		if err != nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, hash[:], signature) != nil {
			t.Errorf("%s does not sign", name)
		}
	}
}
