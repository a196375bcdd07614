package signing

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"slices"
	"sync"
)

// Record returns the text of the TXT record that publishes a key: RFC 6376, section
// 3.6.1, and RFC 8463, section 4.
func Record(key crypto.PublicKey) (string, error) {
	if raw, ok := key.(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(raw), nil
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
}

// Ed25519 returns the Ed25519 key of a name, always the same.
func Ed25519(name string) crypto.Signer {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// RSA returns an RSA key whose modulus has exactly that many bits, small or large: the
// same one during a run of the program.
func RSA(bits int) crypto.Signer {
	keys.Lock()
	defer keys.Unlock()
	if keys.rsa[bits] == nil {
		if keys.rsa == nil {
			keys.rsa = make(map[int]*PlainRSA)
		}
		keys.rsa[bits] = newRSA(bits)
	}
	return keys.rsa[bits]
}

var keys struct {
	sync.Mutex
	rsa map[int]*PlainRSA
}

// A PlainRSA is an RSA key with modulus N and the exponents E, public, and D, private. It
// signs by plain arithmetic, and any numbers will do: crypto/rsa refuses small keys, and
// those of attackers.
type PlainRSA struct{ N, E, D *big.Int }

// newRSA makes a key: of many small primes if it is large, which is quick, and good enough
// for tests.
func newRSA(bits int) *PlainRSA {
	e, size := big.NewInt(65537), min(512, bits/2)
	for {
		n, phi := big.NewInt(1), big.NewInt(1)
		for bits-n.BitLen() > size+size/2 {
			multiply(n, phi, size)
		}
		multiply(n, phi, bits-n.BitLen())
		// The product of primes is a bit shorter than their sizes say, now and then.
		if d := new(big.Int).ModInverse(e, phi); d != nil && n.BitLen() == bits {
			return &PlainRSA{N: n, E: e, D: d}
		}
	}
}

// multiply multiplies n by a prime of so many bits, and phi by one less.
func multiply(n, phi *big.Int, bits int) {
	p, _ := rand.Prime(rand.Reader, bits) // rand.Reader never fails
	n.Mul(n, p)
	phi.Mul(phi, p.Sub(p, big.NewInt(1)))
}

// Public returns the *rsa.PublicKey.
func (k *PlainRSA) Public() crypto.PublicKey {
	return &rsa.PublicKey{N: k.N, E: int(k.E.Int64())}
}

// Sign is RSASSA-PKCS1-v1_5: RFC 8017, sections 8.2.1 and 9.2.
func (k *PlainRSA) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	size := (k.N.BitLen() + 7) / 8
	info := append(slices.Clone(digestInfo[opts.HashFunc()]), digest...)
	padded := append([]byte{0, 1}, slices.Repeat([]byte{0xff}, size-len(info)-3)...)
	padded = append(append(padded, 0), info...)
	return new(big.Int).Exp(new(big.Int).SetBytes(padded), k.D, k.N).FillBytes(make([]byte, size)), nil
}

// digestInfo is the DER encoding of a DigestInfo up to the digest: RFC 8017, section 9.2,
// note 1.
var digestInfo = map[crypto.Hash][]byte{
	crypto.SHA1:   []byte("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"),
	crypto.SHA256: []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
}
