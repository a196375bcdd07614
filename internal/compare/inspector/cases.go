package main

// A fault is one that a domain of testdata/faults.zone has.
type fault struct {
	domain string
	what   string   // for people
	id     string   // what dmarc/inspect calls it
	words  []string // one of these stands in what checkdmarc says, if it has found the fault; in lower case
	near   []string // or one of these, if it says what comes of the fault, and not what it is
}

// good is the domain with nothing wrong.
const good = "good.example"

var faults = []fault{
	{"c1.example", "no SPF record", "spf-missing", []string{"spf record does not exist", "spf record was not found", "does not have a spf", "an spf record does not exist"}, nil},
	{"c2.example", "two SPF records", "spf-multiple", []string{"multiple spf"}, nil},
	{"c3.example", "`v=spf1include:…`: no space behind the version", "spf-almost", []string{"v=spf1include", "space"}, nil},
	{"c4.example", "`ipv4:` in place of `ip4:`", "spf-typo", []string{"ipv4"}, nil},
	{"c5.example", "commas between SPF terms", "spf-typo", []string{"192.0.2.1,"}, nil},
	{"c6.example", "eleven look-ups", "spf-too-many-lookups", []string{"lookups"}, nil},
	{"c7.example", "three look-ups that find nothing", "spf-void-lookups", []string{"void"}, nil},
	{"c8.example", "an include that leads back", "spf-loop", []string{"loop"}, nil},
	{"c9.example", "an include of a name without SPF", "spf-include-without-record", []string{"mailer.example"}, nil},
	{"c10.example", "`+all`", "spf-pass-all", []string{"+all", "all hosts", "anyone", "any host"}, nil},
	{"c11.example", "`ip4:128.0.0.0/1`: half of the Internet", "spf-pass-all", []string{"128.0.0.0", "too large", "large"}, nil},
	{"c12.example", "`ptr`", "spf-ptr", []string{"ptr"}, nil},
	{"c13.example", "terms behind `-all`", "spf-after-all", []string{"after", "following"}, nil},
	{"c14.example", "`v=DMARC1 p=…`: no semicolon behind the version", "dmarc-almost", []string{"semicolon"}, []string{"unrelated txt"}},
	{"c15.example", "two DMARC records", "dmarc-multiple", []string{"multiple"}, nil},
	{"c16.example", "the DMARC record at the domain itself", "dmarc-misplaced", []string{"belongs at", "root of"}, []string{"a dmarc record does not exist"}},
	{"c17.example", "reports to an address that has not agreed", "dmarc-rua-unauthorized", []string{"does not indicate that it accepts", "_report._dmarc", "authoriz"}, nil},
	{"c18.example", "`sp=none` under `p=reject`", "dmarc-weak-subdomains", []string{"sp=none", "subdomain"}, nil},
	{"c19.example", "a DKIM key that was cut off", "dkim-malformed", []string{"dkim"}, nil},
	{"c20.example", "a DKIM selector whose CNAME leads to nothing", "dkim-dangling", []string{"dkim"}, nil},
}
