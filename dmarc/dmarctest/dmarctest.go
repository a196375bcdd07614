// Package dmarctest helps to test programs that verify mail: with messages whose verdicts
// are known, and with DNS, keys and a clock that are the test's own. It never uses the
// network, and works in parallel tests and within testing/synctest.
//
// # Messages in files
//
// A directory of fixtures is a test. Each NAME.eml, with NAME.zone for DNS and NAME.json for
// the envelope, the time and the expected verdict, becomes a subtest, which prints what
// happened beside what was expected:
//
//	func TestMessages(t *testing.T) {
//		dmarctest.Run(t, "testdata")
//	}
//
// A fixture that cannot be read fails its own subtest, with the file, the line and the key.
//
// The flag -update rewrites expectations as the verdicts are, and nothing else in the files:
// read the difference before you keep it. It takes one line in your tests:
//
//	var _ = flag.Bool("update", false, "rewrite what the fixtures expect")
//
// This package does not define the flag, since Go lets a program have one of that name, and many
// have it for golden files of their own; theirs then does for both. A package without the line
// does not know the flag. The environment variable DMARCTEST_UPDATE=1 needs no line:
//
//	go test ./inbound -update
//	DMARCTEST_UPDATE=1 go test ./...
//
// Lines of an .eml file may end in LF, as they do in a repository: if the first line does,
// the verifier reads every LF as CRLF.
//
// # Messages in code
//
// [Message] builds one, [Sign] signs it and publishes the key, and a [Fixture] is delivered
// and verified:
//
//	zone := resolver.Zone{"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}}}
//	message := dmarctest.Message{From: "orders@shop.example"}.Bytes(t)
//	message = dmarctest.Sign(t, zone, message, dmarctest.Signature{Domain: "shop.example"})
//
//	f := dmarctest.Fixture{Message: message, Zone: zone}
//	r := f.Verify(t)
//	dmarctest.WantVerdict(t, r, dmarc.StatusPass)
//	dmarctest.WantAligned(t, r, dmarc.MethodDKIM)
//
// A result is a plain value, and everything else that there is to be asserted of it is
// asserted as of any other: errors.Is(r.DMARC.Err, dmarc.ErrNotAligned).
//
// # DNS that fails
//
// [Plant] lets questions fail or wait, and [Slow] lets all of them wait. Within
// testing/synctest, waiting takes no time.
package dmarctest
