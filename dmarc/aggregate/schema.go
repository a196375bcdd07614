package aggregate

// An element is what a reader knows of one element of a report: what may stand in it, or what to
// do with its text. Elements that are not here are skipped, with all that is in them.
type element struct {
	children map[string]*element
	text     func(p *parser, text string) // for an element that holds text
	open     func(p *parser)
	close    func(p *parser)
	rfc9990  bool // RFC 7489 does not have it

	// bit is not zero for an element that has to be there, by both RFCs; its parent has all
	// of them in required.
	bit, required uint16
}

// rootElement is feedback, the root element: RFC 9990, appendix A, and RFC 7489, appendix C.
var rootElement = parent(map[string]*element{
	"version":          text(func(p *parser, s string) { p.report.Version = s }),
	"report_metadata":  must(metadataElement),
	"policy_published": must(policyElement),
	"extension":        {rfc9990: true},
	"record":           must(recordElement),
}).around(nil, (*parser).endReport)

var recordElement = parent(map[string]*element{
	"row":          must(rowElement),
	"identifiers":  must(identifiersElement),
	"auth_results": must(parent(authElements)),
}).around((*parser).beginRow, (*parser).endRow)

var metadataElement = parent(map[string]*element{
	"org_name":           must(text(func(p *parser, s string) { p.report.Org = s })),
	"email":              must(text(func(p *parser, s string) { p.report.Email = s })),
	"extra_contact_info": text(func(p *parser, s string) { p.report.Contact = s }),
	"report_id":          must(text(func(p *parser, s string) { p.report.ID = s })),
	"generator":          rfc9990(func(p *parser, s string) { p.report.Generator = s }),
	"error": text(func(p *parser, s string) {
		if s != "" && p.room(len(p.report.Errors)) {
			p.report.Errors = append(p.report.Errors, s)
		}
	}),
	"date_range": must(parent(map[string]*element{
		"begin": must(text(func(p *parser, s string) { p.report.Begin = p.time(s) })),
		"end":   must(text(func(p *parser, s string) { p.report.End = p.time(s) })),
	})),
})

var policyElement = parent(map[string]*element{
	"domain":           must(text(func(p *parser, s string) { p.report.Policy.Domain = p.domain(s) })),
	"p":                must(text(func(p *parser, s string) { p.report.Policy.P = p.word(s, policies) })),
	"sp":               text(func(p *parser, s string) { p.report.Policy.SP = p.word(s, policies) }),
	"np":               rfc9990(func(p *parser, s string) { p.report.Policy.NP = p.word(s, policies) }),
	"adkim":            text(func(p *parser, s string) { p.report.Policy.DKIMAlignment = p.word(s, modes) }),
	"aspf":             text(func(p *parser, s string) { p.report.Policy.SPFAlignment = p.word(s, modes) }),
	"fo":               text(func(p *parser, s string) { p.report.Policy.FailureOptions = lower(s) }),
	"pct":              text(func(p *parser, s string) { p.report.Policy.Percent = s }),
	"testing":          rfc9990(func(p *parser, s string) { p.report.Policy.Testing = p.word(s, flags) }),
	"discovery_method": rfc9990(func(p *parser, s string) { p.report.Policy.Discovery = p.word(s, methods) }),
})

var rowElement = parent(map[string]*element{
	"source_ip": must(text(func(p *parser, s string) { p.row.Source = p.address(s) })),
	"count":     must(text(func(p *parser, s string) { p.row.Count = p.count(s) })),
	"policy_evaluated": must(parent(map[string]*element{
		"disposition": must(text(func(p *parser, s string) { p.row.Disposition = p.word(s, dispositions) })),
		"dkim":        must(text(func(p *parser, s string) { p.row.DKIM = p.word(s, outcomes) })),
		"spf":         must(text(func(p *parser, s string) { p.row.SPF = p.word(s, outcomes) })),
		"reason": parent(map[string]*element{
			"type":    must(text(func(p *parser, s string) { p.reason.Type = p.word(s, reasons) })),
			"comment": text(func(p *parser, s string) { p.reason.Comment = s }),
		}).around(func(p *parser) { p.reason = Reason{} }, (*parser).endReason),
	})),
})

var identifiersElement = parent(map[string]*element{
	"header_from":   must(text(func(p *parser, s string) { p.row.HeaderFrom = p.domain(s) })),
	"envelope_from": text(func(p *parser, s string) { p.row.EnvelopeFrom = p.domain(s) }),
	"envelope_to":   text(func(p *parser, s string) { p.row.EnvelopeTo = p.domain(s) }),
})

var authElements = map[string]*element{
	"dkim": parent(map[string]*element{
		"domain":       must(text(func(p *parser, s string) { p.auth.Domain = p.domain(s) })),
		"selector":     text(func(p *parser, s string) { p.auth.Selector = s }),
		"result":       must(text(func(p *parser, s string) { p.auth.Result = p.word(s, results) })),
		"human_result": text(func(p *parser, s string) { p.auth.Comment = s }),
	}).around(func(p *parser) { p.auth = Auth{} }, func(p *parser) { p.endAuth(&p.row.AuthDKIM) }),
	"spf": parent(map[string]*element{
		"domain":       must(text(func(p *parser, s string) { p.auth.Domain = p.domain(s) })),
		"scope":        text(func(p *parser, s string) { p.auth.Scope = p.word(s, scopes) }),
		"result":       must(text(func(p *parser, s string) { p.auth.Result = p.word(s, results) })),
		"human_result": text(func(p *parser, s string) { p.auth.Comment = s }),
	}).around(func(p *parser) { p.auth = Auth{} }, func(p *parser) { p.endAuth(&p.row.AuthSPF) }),
}

func text(f func(p *parser, s string)) *element    { return &element{text: f} }
func rfc9990(f func(p *parser, s string)) *element { return &element{text: f, rfc9990: true} }

// must marks an element that has to be there.
func must(e *element) *element {
	e.bit = 1
	return e
}

// parent returns an element that holds others.
func parent(children map[string]*element) *element {
	e := &element{children: children}
	bit := uint16(1)
	for _, child := range children {
		if child.bit != 0 {
			child.bit = bit
			e.required |= bit
			bit <<= 1
		}
	}
	return e
}

// around returns e with what is to be done at its tags.
func (e *element) around(open, close func(p *parser)) *element {
	e.open, e.close = open, close
	return e
}

// The words that the schemas of RFC 9990 and RFC 7489 allow. What senders write for one of them
// stands on the right.
var (
	policies     = words{"none": "", "quarantine": "", "reject": ""}
	modes        = words{"r": "", "s": "", "relaxed": "r", "strict": "s"}
	flags        = words{"y": "", "n": ""}
	methods      = words{"treewalk": "", "psl": ""}
	dispositions = words{"none": "", "pass": "", "quarantine": "", "reject": ""}
	outcomes     = words{"pass": "", "fail": ""}
	scopes       = words{"mfrom": "", "helo": "", "mailfrom": "mfrom"}
	results      = words{"none": "", "pass": "", "fail": "", "softfail": "", "policy": "", "neutral": "", "temperror": "", "permerror": "", "hardfail": "fail", "unknown": "permerror", "error": "temperror"}
	reasons      = words{"forwarded": "", "sampled_out": "", "trusted_forwarder": "", "mailing_list": "", "local_policy": "", "other": "", "policy_test_mode": ""}
)
