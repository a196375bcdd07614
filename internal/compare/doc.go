// Package compare holds this module beside the libraries that people use today: the
// dkim and dmarc packages of github.com/emersion/go-msgauth, blitiri.com.ar/go/spf,
// and both glued together by hand. It is a module of its own, so that nobody who
// imports mailverdict downloads them. It has tests and benchmarks only.
//
// The differential tests give thousands of generated messages and zones to both
// sides. Where the two disagree, a list says why, case by case; a disagreement that
// is not on the list fails the test, and so does an entry that nothing came upon.
//
// The benchmarks give the same octets and the same zones, from memory, to three
// contestants, which are the last part of their names: by=ours, by=PEER, and
// by=floor, which is the cryptography alone: SHA-256 over the same octets and the
// verifications of the same signatures by keys that are parsed already. In the rows
// of ours, two figures relate the contestants, each measured in turns with the
// others: ours/peer and ours/floor, both of time, so that less is better. Peak-B is
// how much of the heap was in use at once beyond what was before. All of it:
//
//	GOWORK=off go test -run '^$' -bench . -count 6 > bench.txt && benchstat -col /by bench.txt
//
// README's section Speed is the output of one test, in which all take turns of less than a
// millisecond and the fast turns of each count. It builds and asks the programs in
// peers too: mail-auth where there is cargo (some ten minutes at the first time; set
// CARGO_TARGET_DIR to keep what was built), libspf2 and libopendkim where there is a C
// compiler and Debian's libspf2-dev and libopendkim-dev. What is not there is left out.
//
//	GOWORK=off go test -v -timeout 1h -run TestSpeed -rounds 6
//
// Zones are asked by both sides through the same code, so that DNS costs them the
// same. The floor of a message with several signatures verifies one after the other,
// as ours does; go-msgauth has a goroutine for each.
//
// How long the parties wait for DNS is told by a test, since only tests can have a
// clock of their own: GOWORK=off go test -v -run RoundTrips.
//
// Messages are read through an io.Reader that has no other method, as from a
// connection. Mail is as it mostly is: text in short lines, and beyond 32 KiB
// attachments in base64. Ours parses a key once and remembers it, which go-msgauth
// does not; both are measured as they come.
package compare
