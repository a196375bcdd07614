// Package dmarc says who is answerable for a message, and what the owner of its Author
// Domain asks to be done with it: RFC 9989, with RFC 7489 one field away.
//
// A [Verifier] does all of it. Its zero value is the recommended configuration:
//
//	var verifier dmarc.Verifier
//	result, err := verifier.Verify(ctx, dmarc.Envelope{
//		IP:       netip.MustParseAddr("192.0.2.1"),
//		HELO:     "mail.example.com",
//		MailFrom: "bounces@example.com",
//	}, message)
//
// [Verifier.Begin] is the same for a program that gets the message in pieces, such as a
// milter or an SMTP server: SPF is then asked for at MAIL FROM, keys and policy as soon as
// the header has come, and all of it runs beside the body.
//
// The data flows through the package in this order:
//
//   - package [author] finds the Author Domain in the From field (RFC 9989, section 5.3.1);
//   - package [discovery] finds the policy and the Organizational Domains (section 4.10), of
//     records that package [record] reads (section 4.7);
//   - [Evaluate] joins them with the results of SPF and DKIM into a [Verdict] (sections
//     5.3.3 to 5.3.6), without DNS, clock or chance.
//
// Outcomes are data: a forged message, a broken record and a DNS failure are verdicts whose
// Err says why. What Verify returns as an error is a reader that broke or a context that
// ended.
//
// A failure of DNS never becomes a pass or a none. It is temperror where the missing answer
// could have changed the verdict, and does not matter where it could not.
package dmarc
