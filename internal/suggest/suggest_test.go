package suggest

import "testing"

func TestAWordIsSuggestedForOneThatIsLikeIt(t *testing.T) {
	known := []string{"authserv_id", "listen", "reject"}
	for word, want := range map[string]string{
		"rejct": "reject", "Reject": "reject", "authserv-id": "authserv_id", "AuthServID": "authserv_id", "listne": "listen",
		"accept": "", "": "", "zzzzzz": "",
	} {
		if got := Word(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
