// Package dmarc says who is answerable for a message, and what the owner of its Author
// Domain asks to be done with it: RFC 9989. Verifier.Discovery has a
// Mode for RFC 7489.
//
// A [Verifier] does all of it. Its zero value is the recommended configuration:
//
//	var verifier dmarc.Verifier
//	result, err := verifier.Verify(ctx, dmarc.Envelope{
//		IP:       netip.MustParseAddr("192.0.2.1"),
//		HELO:     "mail.example.com",
//		MailFrom: "bounces@example.com",
//	}, message)
//	log.Print(result) // dmarc=pass (p=reject) from=example.com spf=pass (example.com, aligned) dkim=none
//
// # A message in pieces
//
// A server or a milter has the message in pieces. [Verifier.Begin] starts with SPF at MAIL
// FROM; keys and policy are asked for when the header has come, and all of it runs beside the
// message:
//
//	s := verifier.Begin(ctx, envelope)
//	defer s.Close() // gives the message up if Finish was not called
//	mailFrom, helo, err := s.SPF(ctx) // at RCPT, for whoever needs it so early
//	s.Write(chunk)                    // or s.WriteField(name, value), s.EndHeader()
//	result, err := s.Finish()
//
// # How a verdict comes about
//
// The data flows in this order:
//
//   - package [author] finds the Author Domain in the From field (RFC 9989, section 5.3.1);
//   - package [discovery] finds the policy and the Organizational Domains (section 4.10), of
//     records that package [record] reads (section 4.7);
//   - the domains for which SPF and signatures passed, or may have, are each an [Identifier];
//   - [Evaluate] holds them against the policy: a [Verdict] (sections 5.3.3 to 5.3.6). It needs
//     no DNS, no clock and no chance, and serves whoever has SPF and DKIM results from
//     elsewhere: [Verifier.Discover] finds the policy for it.
//
// A [Result] is a plain value that holds all of it. Package authres writes it as a header
// field, package explain in words, and [Result.SMTPReply] as what a server answers.
//
// # Failures
//
// Outcomes are data: a forged message, a broken record and a DNS failure are verdicts whose
// Err says why. What Verify and Finish return as an error is that the message was not read to
// its end.
//
// A failure of DNS never becomes a pass or a none. It is temperror where the missing answer
// could have changed the verdict, and does not matter where it could not: what only the sender
// controls and what could not be aligned never softens the policy of the Author Domain. A
// context that ends and a reader that fails are such failures too. If the body was not read,
// its signatures are temperror; if the header was not read, nobody knows the Author Domain.
// What is known by then decides.
package dmarc
