package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"

	"github.com/mailverdict/mailverdict/internal/cause"
)

// A publicKey checks signatures of a SHA-256 hash.
type publicKey interface {
	verify(hash, signature []byte) bool
}

type rsaKey struct{ key *rsa.PublicKey }

func (k rsaKey) verify(hash, signature []byte) bool {
	return rsa.VerifyPKCS1v15(k.key, crypto.SHA256, hash, signature) == nil
}

// An ed25519Key signs the hash, not the message: RFC 8463, section 3.
type ed25519Key ed25519.PublicKey

func (k ed25519Key) verify(hash, signature []byte) bool {
	return len(signature) == ed25519.SignatureSize && ed25519.Verify(ed25519.PublicKey(k), hash, signature)
}

// parsePublicKey reads what p= holds for a type of key, and its size in bits.
func parsePublicKey(kind string, data []byte) (publicKey, int, error) {
	switch kind {
	case "rsa":
		return parseRSA(data)
	case "ed25519":
		return parseEd25519(data)
	}
	return nil, 0, cause.Wrap(ErrType, "unknown type", nil)
}

// parseRSA reads an RSA key. RFC 6376, section 3.6.1, asks for an RSAPublicKey (RFC
// 8017, appendix A.1.1); the example in its appendix C and nearly all keys are a
// SubjectPublicKeyInfo (RFC 5280, section 4.1) instead.
func parseRSA(data []byte) (publicKey, int, error) {
	key, err := x509.ParsePKCS1PublicKey(data)
	if err != nil {
		parsed, err := x509.ParsePKIXPublicKey(data)
		if err != nil {
			return nil, 0, cause.Wrap(ErrMalformed, "p= is not an RSA key", nil)
		}
		var isRSA bool
		if key, isRSA = parsed.(*rsa.PublicKey); !isRSA {
			return nil, 0, cause.Wrap(ErrMalformed, "k= is rsa, but p= holds a key of another type", nil)
		}
	}
	// With an exponent of one a signature is the padded hash itself, and an even
	// one has no private key. RFC 8017, section 3.1.
	if key.E < 3 || key.E > 1<<31-1 || key.E%2 == 0 {
		return nil, 0, cause.Wrap(ErrUnsafe, "RSA exponent", nil)
	}
	if key.N.Sign() <= 0 || key.N.Bit(0) == 0 {
		return nil, 0, cause.Wrap(ErrUnsafe, "RSA modulus", nil)
	}
	return rsaKey{key}, key.N.BitLen(), nil
}

// parseEd25519 reads an Ed25519 key: the 32 octets as they are. RFC 8463, section
// 4.2.
func parseEd25519(data []byte) (publicKey, int, error) {
	if len(data) != ed25519.PublicKeySize {
		return nil, 0, cause.Wrap(ErrMalformed, "an Ed25519 key has 32 octets", nil)
	}
	if isSmallOrder([32]byte(data)) {
		return nil, 0, cause.Wrap(ErrUnsafe, "Ed25519 point of small order", nil)
	}
	return ed25519Key(data), 8 * ed25519.PublicKeySize, nil
}

// isSmallOrder reports whether an encoded point has order 1, 2, 4 or 8. The standard
// library verifies signatures that anyone can make for such a key. They are the
// points with these y, either sign of x, and the first two also with the prime
// 2^255-19 added. RFC 8032, section 5.1.
func isSmallOrder(point [32]byte) bool {
	point[31] &= 0x7f // the sign of x
	switch point {
	case [32]byte{0: 0}, // order 4
		[32]byte{0: 1}, // order 1
		[32]byte{
			0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
			0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
		}, // order 8
		[32]byte{
			0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
			0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
		}: // order 8
		return true
	}
	for _, octet := range point[1:31] {
		if octet != 0xff {
			return false
		}
	}
	// p-1, order 2; p and p+1, which are 0 and 1 again.
	return point[31] == 0x7f && point[0] >= 0xec && point[0] <= 0xee
}
