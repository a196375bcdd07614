package realdns

// nsdConfig takes the port and the folder of the zones, which come after it.
const nsdConfig = `server:
	ip-address: 127.0.0.1@%s
	username: ""
	chroot: ""
	zonesdir: %q
	database: ""
	pidfile: "%[2]s/nsd.pid"
	zonelistfile: "%[2]s/zone.list"
	xfrdfile: "%[2]s/xfrd.state"
	xfrdir: %[2]q
remote-control:
	control-enable: no
`

// unboundConfig takes the port and the folder. Trust anchors come after it, and then the
// zones.
//
// Unbound answers for some names by itself, which nsd is to answer for here: those of the
// addresses that documentation uses and of private ones, and those of RFC 6761 and its
// like.
const unboundConfig = `remote-control:
	control-enable: no
server:
	interface: 127.0.0.1@%s
	access-control: 127.0.0.0/8 allow
	do-not-query-localhost: no
	username: ""
	chroot: ""
	directory: %q
	pidfile: ""
	use-syslog: no
	module-config: "validator iterator"
	ede: yes
	unblock-lan-zones: yes
	local-zone: "localhost." nodefault
	local-zone: "test." nodefault
	local-zone: "invalid." nodefault
	local-zone: "onion." nodefault
	local-zone: "home.arpa." nodefault
`
