package typed

import "testing"

func TestTheDomainIsFoundInWhatPeopleType(t *testing.T) {
	for text, want := range map[string]Domain{
		"shop.example":                        {"shop.example", "", false},
		" shop.example.\n":                    {"shop.example", "", false},
		"Shop.Example":                        {"Shop.Example", "", false},
		"www.shop.example":                    {"www.shop.example", "", false},
		"bücher.example":                      {"bücher.example", "", false},
		"anna@shop.example":                   {"shop.example", "", true},
		"@shop.example":                       {"shop.example", "", true},
		"<anna@shop.example>":                 {"shop.example", "", true},
		"Anna <anna@shop.example>":            {"shop.example", "", true},
		"mailto:anna@shop.example?subject=x":  {"shop.example", "", true},
		"http://shop.example/":                {"shop.example", "", true},
		"https://www.shop.example:8443/a?b#c": {"shop.example", "", true},
		"HTTPS://anna:secret@shop.example./x": {"shop.example", "", true},
		"https://www.example":                 {"www.example", "", true},
		"shop.example/cart":                   {"shop.example", "", true},
		"shop.example:443":                    {"shop.example", "", true},
		"*.shop.example":                      {"shop.example", "", true},
		"_dmarc.shop.example":                 {"shop.example", "", true},
		"_DMARC.shop.example.":                {"shop.example", "", true},
		"s2026._domainkey.shop.example":       {"shop.example", "s2026", true},
		"a.b._DomainKey.shop.example":         {"shop.example", "a.b", true},
		"_smtp._tls.shop.example":             {"shop.example", "", true},
		"":                                    {},
		"-":                                   {},
		"/":                                   {},
		"http://":                             {},
		"a@":                                  {},
		"a..b":                                {"a..b", "", false},
		"😀.example":                           {"😀.example", "", false},
		"😀":                                   {"😀", "", false},
		"a b":                                 {"a b", "", false},
		"[::1]":                               {"[::1]", "", false},
		"::1":                                 {"::1", "", false},
		"_dmarc.":                             {"_dmarc", "", false},
		"._domainkey.":                        {"._domainkey", "", false},
	} {
		if got := Read(text); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}
