// Package saved reads messages from files as people have them: with the line of a mailbox on
// top, as .emlx, packed with gzip, with a byte order mark. What is no message is named.
//
//	r, err := saved.Unwrap(bufio.NewReaderSize(file, saved.ReadAhead), &notes)
//	m := saved.NewMessage(r)
//	fields, body, err := saved.ReadHeader(m.Body)
package saved
