package dmarc_test

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"sync"
	"testing"
)

// An attackKey signs a hash as one of the keys of the corpus would, those that no library
// agrees to sign with included.
type attackKey struct {
	public []byte // what p= holds
	sign   func(hash []byte, prefix string) []byte
}

// attackKeys makes the keys of the corpus, the same ones each time.
var attackKeys = sync.OnceValue(func() map[string]attackKey {
	seed := sha256.Sum256([]byte("ed_victim"))
	ed := ed25519.NewKeyFromSeed(seed[:])
	return map[string]attackKey{
		"k_victim":   rsaAttackKey(prime("k_victim p", 1024, 3414), prime("k_victim q", 1024, 478)),
		"k_attacker": rsaAttackKey(prime("k_attacker p", 1024, 240), prime("k_attacker q", 1024, 156)),
		"k_512":      rsaAttackKey(prime("k_512 p", 256, 100), prime("k_512 q", 256, 100)),
		// Whoever verifies with the exponent 1 finds the padded hash itself.
		"k_e1": unfactored("k_e1", 2048, 1, paddedHash),
		// It is to be refused for its size, before anybody computes with it.
		"k_16384": unfactored("k_16384", 16384, 65537, func(hash []byte, _ string, size int) []byte {
			return number("signature", 8*size).Bytes()
		}),
		"ed_victim": {
			public: ed.Public().(ed25519.PublicKey),
			sign:   func(hash []byte, _ string) []byte { return ed25519.Sign(ed, hash) },
		},
	}
})

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
	one := big.NewInt(1)
	n, e := new(big.Int).Mul(p, q), big.NewInt(65537)
	order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(e, order)
	return attackKey{
		public: spki(n, 65537),
		sign: func(hash []byte, prefix string) []byte {
			size := n.BitLen() / 8
			padded := new(big.Int).SetBytes(paddedHash(hash, prefix, size))
			return padded.Exp(padded, d, n).FillBytes(make([]byte, size))
		},
	}
}

// unfactored is a key whose modulus nobody can factor, and whose signatures are something
// else than powers.
func unfactored(label string, bits, e int, sign func(hash []byte, prefix string, size int) []byte) attackKey {
	return attackKey{
		public: spki(number(label, bits), e),
		sign:   func(hash []byte, prefix string) []byte { return sign(hash, prefix, bits/8) },
	}
}

// The DigestInfo before a hash: RFC 8017, section 9.2, note 1.
const (
	prefixSHA256 = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
	prefixSHA1   = "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"
)

// paddedHash is EMSA-PKCS1-v1_5: RFC 8017, section 9.2.
func paddedHash(hash []byte, prefix string, size int) []byte {
	padded := make([]byte, size)
	tail := append([]byte("\x00"+prefix), hash...)
	copy(padded[size-len(tail):], tail)
	for i := 1; i < size-len(tail); i++ {
		padded[i] = 0xff
	}
	padded[1] = 1
	return padded
}

// spki is a SubjectPublicKeyInfo.
func spki(n *big.Int, e int) []byte {
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: e})
	if err != nil {
		return nil // which TestAttackKeys finds
	}
	return der
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
		hash := sha256.Sum256(nil)
		signature := new(big.Int).SetBytes(attackKeys()[name].sign(hash[:], prefixSHA256))
		signature.Exp(signature, big.NewInt(int64(key.E)), key.N)
		if got := signature.FillBytes(make([]byte, bits/8)); string(got) != string(paddedHash(hash[:], prefixSHA256, bits/8)) {
			t.Errorf("%s does not sign", name)
		}
	}
}
