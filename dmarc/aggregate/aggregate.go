// Package aggregate reads, counts and writes DMARC aggregate reports: RFC 9990, and RFC 7489,
// which most still write.
//
// # Reading
//
// A [Reader] reads what comes to the address in a domain's rua tag: a mail, or the XML, gzip or
// zip that was saved from one.
//
//	reports, err := new(aggregate.Reader).Read(file)
//	for _, r := range reports {
//		fmt.Println(r.Policy.Domain, r.Org, r.Messages())
//		for _, row := range r.Rows {
//			fmt.Println(row.Source, row.Count, row.DKIM, row.SPF)
//		}
//	}
//
// Both standards are read into one [Report]. What senders get wrong is put up with where its
// meaning is clear, and listed in Report.Problems: documents that are not quite XML, wrong
// encodings, missing elements, unknown words. Reports come from strangers: [Limits] bound what
// one may cost, and a reader that is given a Row function holds no report in memory.
//
// The same report may come twice, and is to be counted once: [Report.Key]. A report says what its
// sender wants it to say. Whoever acts on reports should take those only whose mail passes DMARC
// for the domain of the reporter (RFC 9990, section 8.2).
package aggregate
