// Package testdata holds the messages that tests and examples share, each with its DNS and
// its expected verdict, so that programs work from anywhere.
package testdata

import "embed"

// Files has NAME.eml, NAME.zone and NAME.json for each message. Package dmarctest documents
// their format.
//
//go:embed *.eml *.zone *.json
var Files embed.FS
