package authres

import "testing"

func TestEachErrorSaysWhatIsWrongAndWhere(t *testing.T) {
	const grammar = "the field does not follow the grammar of RFC 8601: "
	for field, want := range map[string]string{
		"Subject: x":                                                     "not an Authentication-Results field",
		"Authentication-Results: mx x; none":                             grammar + "a version number is missing at octet 27",
		"Authentication-Results: mx (a (b); spf=pass":                    grammar + "a comment without its end at octet 43",
		"Authentication-Results: mx; spf=pass smtp.mailfrom=\"a":         grammar + "a quoted string without its end at octet 53",
		"Authentication-Results: mx; spf=pass smtp.mailfrom=":            grammar + "a value is missing at octet 51",
		"Authentication-Results: mx; spf=pass smtp.mailfrom=a b":         grammar + `"." is missing at octet 54`,
		"Authentication-Results: mx; dkim/=pass":                         grammar + "a version number is missing at octet 33",
		"Authentication-Results: mx; spf=pass (\x01)":                    grammar + "a control character or broken UTF-8 at octet 38",
		"Authentication-Results: mx; spf=pass (\\":                       grammar + "a character is missing at octet 39",
		"Authentication-Results: mx; spf=pass\r\nsmtp.mailfrom=a":        grammar + "a line end that is no fold at octet 36",
		"Authentication-Results: mx; spf":                                grammar + `"=" is missing at octet 31`,
		"Authentication-Results: mx; spf-=pass":                          grammar + "a method is missing at octet 32",
		"Authentication-Results: mx; spf=pass smtp.mailfrom=a; ":         grammar + "a method is missing at octet 54",
		"Authentication-Results: mx":                                     grammar + "results are missing at octet 26",
		"Authentication-Results: mx; spf=pass smtp.helo=2001:db8::1":     grammar + "a property is missing at octet 51",
		"Authentication-Results: mx; spf=pass reason=a smtp.helo=b.c =d": grammar + "a property is missing at octet 60",
	} {
		_, err := Parse(field)
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", field, err, want)
		}
	}
}

func TestALenientReadingLeavesOutAResultWithAnEmptyValue(t *testing.T) {
	f, err := ParseLenient("Authentication-Results: mx; action=none; dkim=pass header.b= (x); spf=pass")
	if err != nil || shown(f) != "mx: action=none; spf=pass; unread{dkim=pass header.b= (x)}" {
		t.Errorf("%v, %s", err, shown(f))
	}
}

func TestAnIDThatIsNoDomainIsClaimedWithAndWithoutADot(t *testing.T) {
	for _, field := range []string{`Authentication-Results: "my host"; none`, `Authentication-Results: "My Host."; none`} {
		if !Claims("my host.", field) || !Claims("my host", field) {
			t.Errorf("%s is not claimed", field)
		}
	}
}
