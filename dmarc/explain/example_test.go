package explain_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/resolver"
)

// verify checks a message that a shop sends through a provider, without having set up
// anything for it.
func verify() *dmarc.Result {
	verifier := dmarc.Verifier{Resolver: resolver.Zone{
		"_dmarc.shop.example":   {TXT: []string{"v=DMARC1; p=none"}},
		"mail.provider.example": {TXT: []string{"v=spf1 ip4:192.0.2.25 -all"}},
	}}
	result, err := verifier.Verify(context.Background(), dmarc.Envelope{
		IP:       netip.MustParseAddr("192.0.2.25"),
		HELO:     "out.provider.example",
		MailFrom: "bounces@mail.provider.example",
	}, strings.NewReader("From: Shop <orders@shop.example>\r\n\r\nThank you.\r\n"))
	if err != nil {
		fmt.Println(err)
	}
	return result
}

func ExampleSteps() {
	for _, step := range explain.Steps(verify()) {
		fmt.Printf("%s: %s\n", step.Kind, or(step.Outcome, "-"))
	}
	// Output:
	// session: -
	// author: found
	// spf: pass
	// spf-alignment: not aligned
	// dkim: none
	// discovery: found
	// policy: none
	// verdict: fail
}

func ExampleText() {
	explain.Text(os.Stdout, explain.Steps(verify()), explain.TextOptions{Brief: true})
	// Output:
	// Author Domain           found        The question is who may speak for
	//                                      shop.example.
	// SPF                     pass         mail.provider.example lets this server send
	//                                      its mail.
	// SPF alignment           not aligned  It passed for mail.provider.example, which
	//                                      says nothing about shop.example.
	// DKIM                    none         There is no DKIM signature: nothing shows
	//                                      who wrote the message, or whether it was
	//                                      changed.
	// DMARC record            found        It is the record of shop.example itself
	//                                      that applies.
	// DMARC policy            none         For shop.example the record says p=none: do
	//                                      nothing about what fails.
	// Verdict                 fail
	//
	//   Nothing proves that this message is from shop.example. All that is proven is
	//   that mail.provider.example sent it. shop.example asks to do nothing about it
	//   (p=none). With p=reject this message would have been rejected.
	//   To fix this: have mail.provider.example sign with d=shop.example, or use a
	//   custom MAIL FROM domain below shop.example (such as bounce.shop.example), with
	//   an SPF record that allows 192.0.2.25. If shop.example does not send through
	//   mail.provider.example, this is a forgery, and there is nothing to fix.
}

func ExampleHTML() {
	steps := explain.Steps(verify())
	explain.HTML(os.Stdout, steps[len(steps)-4:len(steps)-3])
	// Output:
	// <section class="mv-step mv-dkim">
	// <h3 class="mv-title">DKIM <span class="mv-outcome mv-open">none</span></h3>
	// <p class="mv-input">Is the message signed?</p>
	// <p class="mv-so">There is no DKIM signature: nothing shows who wrote the message, or whether it was changed.</p>
	// </section>
}

func ExampleSummary() {
	fmt.Println(explain.Summary(verify()))
	// Output: Nothing proves that this message is from shop.example. All that is proven is that mail.provider.example sent it. shop.example asks to do nothing about it (p=none). With p=reject this message would have been rejected.
}

func ExampleFix() {
	fmt.Println(explain.Fix(verify()))
	// Output: have mail.provider.example sign with d=shop.example, or use a custom MAIL FROM domain below shop.example (such as bounce.shop.example), with an SPF record that allows 192.0.2.25. If shop.example does not send through mail.provider.example, this is a forgery, and there is nothing to fix.
}
