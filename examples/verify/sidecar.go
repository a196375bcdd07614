package main

import "github.com/mailverdict/mailverdict/examples/internal/sidecar"

// maxSidecar is how large a file beside a message may be, in octets.
const maxSidecar = 16 << 20

// readSidecar reads the files beside a message, the zone and its faults only if zones
// is true. Nil means that there are none.
func (in input) readSidecar(zones bool) (*sidecar.Sidecar, error) {
	var session, zone sidecar.File
	var err error
	if session.Text, session.Name, err = in.beside(".json"); err != nil {
		return nil, err
	}
	if !zones {
		return sidecar.ReadSession(session)
	}
	if zone.Text, zone.Name, err = in.beside(".zone"); err != nil {
		return nil, err
	}
	return sidecar.Read(session, zone)
}
