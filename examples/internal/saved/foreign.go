package saved

import (
	"bytes"
	"errors"
	"fmt"
)

// A foreignKind is a kind of file that people take for a message.
type foreignKind struct {
	start   string // what the file begins with
	name    string
	instead string // what to do
}

const saveAgain = "save the message itself as .eml (mail programs call that \"Download message\", \"Show original\" or \"View source\")"

var foreignKinds = []foreignKind{
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Outlook .msg", "open it and save it as .eml, in the new Outlook or in Outlook on the web"},
	{"!BDN", "an Outlook .pst", "open it in Outlook and save the message as .eml"},
	{"\x78\x9f\x3e\x22", "a winmail.dat attachment of Outlook", "take the message that it came with"},
	{"%PDF-", "a PDF", "a print has no header: " + saveAgain},
	{"{\\rtf", "an RTF document", saveAgain},
	{"PK\x03\x04", "a ZIP archive", "unpack it, and give the files in it"},
	{"Rar!\x1a\x07", "a RAR archive", "unpack it, and give the files in it"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, and give the files in it"},
	{"\xfd7zXZ\x00", "an xz file", "unpack it first"},
	{"BZh", "a bzip2 file", "unpack it first"},
	{"\x28\xb5\x2f\xfd", "a zstd file", "unpack it first"},
	{"\x89PNG\r\n\x1a\n", "an image (PNG)", "a picture of a message has no header: " + saveAgain},
	{"\xff\xd8\xff", "an image (JPEG)", "a picture of a message has no header: " + saveAgain},
	{"GIF8", "an image (GIF)", "a picture of a message has no header: " + saveAgain},
	{"II*\x00", "an image (TIFF)", "a picture of a message has no header: " + saveAgain},
	{"MM\x00*", "an image (TIFF)", "a picture of a message has no header: " + saveAgain},
	{"\xff\xfe", "UTF-16 text", utf16Instead},
	{"\xfe\xff", "UTF-16 text", utf16Instead},
}

const utf16Instead = "Notepad and PowerShell write that: " + saveAgain + ", or the text as UTF-8"

// errForeign returns what is wrong with a file that begins so and is no message, or nil.
func errForeign(start []byte) error {
	name, instead := "", ""
	for _, k := range foreignKinds {
		if bytes.HasPrefix(start, []byte(k.start)) {
			name, instead = k.name, k.instead
		}
	}
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(start, []byte(byteOrderMark)), " \t\r\n"))
	switch {
	case name != "":
	case isUTF16(start):
		name, instead = "UTF-16 text", utf16Instead
	case bytes.HasPrefix(start, []byte("RIFF")) && len(start) >= 12 && string(start[8:12]) == "WEBP":
		name, instead = "an image (WebP)", "a picture of a message has no header: "+saveAgain
	case len(start) >= 12 && string(start[4:8]) == "ftyp":
		name, instead = "an image or a film (HEIC, MP4)", "a picture of a message has no header: "+saveAgain
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")), bytes.HasPrefix(text, []byte("<head")):
		name, instead = "an HTML page", "a page that shows a message has no header: "+saveAgain
	case bytes.HasPrefix(text, []byte("<?xml")):
		name, instead = "XML, such as a DMARC report", "give the message that the report is about, if you have it"
	default:
		return nil
	}
	return fmt.Errorf("%s, and not a message: %s", name, instead)
}

// isUTF16 reports whether text is UTF-16 without a mark: letters with a NUL on the same side
// of each.
func isUTF16(start []byte) bool {
	const letters = 8
	if len(start) < 2*letters {
		return false
	}
	odd, even := 0, 0
	for i, c := range start[:2*letters] {
		switch {
		case c != 0:
		case i%2 == 1:
			odd++
		default:
			even++
		}
	}
	return odd == letters && even == 0 || even == letters && odd == 0
}

// errEmpty is what is wrong with a file without an octet.
var errEmpty = errors.New("an empty file")
