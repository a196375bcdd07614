package dkim

// A Warning is a fault that a signature may have and still pass: a word for
// programs, which is never renamed.
type Warning string

const (
	WarningShortKey             Warning = "short-key"               // RSA under 2048 bits (RFC 8301, section 3.2)
	WarningTesting              Warning = "key-testing"             // the key has t=y
	WarningSeveralKeys          Warning = "several-keys"            // more than one record at the key's name (RFC 6376, section 3.6.2.2)
	WarningBodyUnsigned         Warning = "body-unsigned"           // l= leaves octets of the body out
	WarningSubjectNotSigned     Warning = "subject-not-signed"      // anyone on the way could write it
	WarningContentTypeNotSigned Warning = "content-type-not-signed" // anyone on the way could change what the body is taken for
	WarningFieldAdded           Warning = "field-added"             // see ErrFieldAdded
)
