package spf_test

import (
	"encoding/json"
	"net/netip"
	"testing"
)

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

func hostAddrs(s ...string) (addrs []netip.Addr) {
	for _, a := range s {
		addrs = append(addrs, mustAddr(a))
	}
	return addrs
}
