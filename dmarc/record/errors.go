package record

import "github.com/mailverdict/mailverdict/internal/cause"

var causes cause.Table

// Why no policy can be had from a record.
var (
	ErrNoPolicy = causes.New("no-policy", "the DMARC record states no valid policy and asks for no reports")

	// ErrRecordLimit is an ErrNoPolicy too.
	ErrRecordLimit = causes.NewUnder(ErrNoPolicy, "record-limit", "the DMARC record has more than 8 KiB, so that it is not read")
)

// Why no report can be sent to a URI.
var (
	ErrURISyntax  = causes.New("uri-syntax", "not a URI")
	ErrURIBang    = causes.New("uri-bang", `"!" in a URI has to be written as %21`)
	ErrURIScheme  = causes.New("uri-scheme", "reports are sent by mailto only")
	ErrURIAddress = causes.New("uri-address", "mailto without exactly one plain address")
	ErrURILimit   = causes.New("uri-limit", "ten URIs stand before it, and no more are used")
)
