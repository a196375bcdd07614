package realdns

import "testing"

func TestOnlyTheTXTRecordsOfAnAskedNameAreSpoiled(t *testing.T) {
	const zone = "a.example.\t300\tIN\tTXT\t\"one\" \"two\"\n" +
		"a.example.\t300\tIN\tRRSIG\tTXT 13 2 300 \"x\"\n" +
		"a.example.\t300\tIN\tA\t192.0.2.1\n" +
		"b.a.example.\t300\tIN\tTXT\t\"one\"\n"
	const spoiled = "a.example.\t300\tIN\tTXT\t\"xne\" \"two\"\n" +
		"a.example.\t300\tIN\tRRSIG\tTXT 13 2 300 \"x\"\n" +
		"a.example.\t300\tIN\tA\t192.0.2.1\n" +
		"b.a.example.\t300\tIN\tTXT\t\"one\"\n"
	if got, ok := spoil(zone, "a.example"); got != spoiled || !ok {
		t.Errorf("%q, %v", got, ok)
	}
}

func TestWhatCannotBeSpoiledIsSaid(t *testing.T) {
	for _, zone := range []string{
		"",
		"a.example.\t300\tIN\tTXT\t\"\"\n",
		"a.example.\t300\tIN\tTXT\t\"\\000\"\n",
		"a.example.\t300\tIN\tTXT\n",
		"b.example.\t300\tIN\tTXT\t\"one\"\n",
	} {
		if got, ok := spoil(zone, "a.example"); got != zone || ok {
			t.Errorf("%q became %q, %v", zone, got, ok)
		}
	}
}
