package dmarctest

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// testKeyText is a key that everybody has. It is called a testing key, and only becomes a
// private one below, for the sake of programs that look for private keys in public places.
const testKeyText = `
-----BEGIN RSA TESTING KEY-----
MIIEowIBAAKCAQEA2xquxr/r5dLhIgczz8P0NMA1JLx/k81go4IE2p4EDjJYFm+t
syhXOwcV+3hY/HP3I3qt0r82PktdF74Ehg0Im6rTpHCjgRbLri6VRXMD6a8umQzd
XQRhig+WkOM/7579JcVppDNerMhLdHWzaMud5HJwP80k2CmRG2Zfrzqh/ZOBkrS7
lJrUJRAjhKLATq74/Gylqtv2zmGHtjz3+NcR9BnqDBLTeWRZtUAi5UwzL979WtlU
WKR6oUBglvv1oPJHMOmpH8lrQQpsUKqxveuKow6EprlRESgsFgZ+qRxrsRY7ohKm
TAEWdvsbJWJL+jVOc6FrUcPwBPUuN3sRvqnNWwIDAQABAoIBACuLL33nSXn4wW5S
UR0y29cZ9dXRsmcM025bWhyad8LchX4b/sDSvRdJjrhV0BWH9G80I9R01NJnht4/
kMWVVIcfWYVeL1hpz9vTfS36sCXif1fCY0Hnq3zVIT61MxErnzLA+4A7B08+VSSV
eazTfpMWnTFI01A0Xpa77zszY1sx9cNckfX12uGdUH5RszHIdAY086WoL7yiKVps
cGRTwWoZ+yXRa5UUJk3tJtSALDC7iq1qpZdadqn3wzngCoWnNaa1hvBN8MiQSF8U
CfljHZT7VS9/7iragJtSAPconiaJdD9aQ5ZcWYCjVn/CzWrpnWINGLeKQEZrNnd2
1qBjcYUCgYEA9g/UjjqwP3/NcLmxw48pDREa5GGzucv+qLfNIK7EJgjIvtDADwc1
nkLn/vp9i1+8te9G+kK6WRW//HLbXldQwy2u39YDQ2MBl4MErMpNRD4l7zf12zlE
Vxr1h7tROOGrRDKaDjueUhy+CeZecwIsEwSrRrAkPm13w57omPj7sG0CgYEA4/Qf
bmjZHrv1Yd6QNt58snu/KLqy956034NZkLtGiBLB5ZFNzm5Q05n64X/DvjtRv4tO
/j8SVeXoSPwTD3I+dPzeHl6Kzg/1I1GqNHM1aiy3PudWImu5RO5HQbG+yji1g2yN
Ulgl/uBUdFYTFjDZVhexSRHMCiUs1QGQiLBBJ+cCgYBgVY5IKN373lNWQL1B7PiL
bxjyNPYiVaVb9KnQk9ujcGj3m861k4MAdP1TLEqemFrPd+B39kvyuLszYNxVsSWj
ZG1EoQsiBM8IvHjGFWXuw84iO+x7aY5B9AIQo9uGw4ND7fO2gszXJP2Z7qEnscAD
qh5MTIXEEyOCaOJzkXcoeQKBgFuVBtO6+BAq/6j0XAhPVtX2dZSNfb2SW6S5BtDp
DKs6rf/nYtUe6QY6hNr4E9Jnzq4f7/qhqGIuXiaEb7vy8DjcJvkYjre/HYO1Gaa8
6qbflDeHhcmKcgLJoIM6QCbKpdJJWHXOyGUgB449zqlJsuet2SI8LjedO+fQGxtv
hJ3dAoGBAJ5zha3nigZmpj0h8grGWzZ5639uMsmkfFT9C3CYZRU31usL+7QQx1Wp
TWaZuT46eGfEZzn5sFoBH/dOmFBT82nqIFSpnaRSWPzmQ4FBEnmHyc9n+kwcBWtD
wSd91qTPaUZ82zVmtShzng1L4ZvS3x/uzxWMA2pBqzZlULH8XFbb
-----END RSA TESTING KEY-----
`

// testKey returns the key that Sign has for everybody. It is read anew each time: that
// takes less than signing does.
func testKey() (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(testKeyText, "TESTING KEY", "PRIVATE KEY")))
	if block == nil {
		return nil, errors.New("the testing key is not PEM")
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}
