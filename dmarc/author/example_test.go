package author_test

import (
	"fmt"

	"github.com/mailverdict/mailverdict/dmarc/author"
)

func ExampleParse() {
	for _, from := range []string{
		`"Smith, Joe" <joe@shop.example>`,
		`Smith, Joe <joe@shop.example>`,
		`joe@shop.example <mallory@attacker.example>`,
	} {
		a := author.Parse(from)
		fmt.Println(a, a.Problems)
	}
	// Output:
	// shop.example []
	// shop.example [from-unquoted-comma: a comma in a name that is not quoted, or a name without an address beside it]
	// the From field cannot be read without doubt: an unquoted address of another domain before the address []
}
