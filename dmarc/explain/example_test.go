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

func ExampleExplain() {
	e := explain.Explain(verify())
	fmt.Println(e.Answer.Verdict)
	for _, fix := range e.Answer.Fixes {
		fmt.Println("-", fix.Text)
		for _, c := range fix.Changes {
			fmt.Println(" ", c.Action, c.Type, "at host", c.Host, "of", c.Zone+":", c.Value)
		}
	}
	for _, step := range e.Steps {
		fmt.Printf("%s: %s\n", step.Kind, or(step.Outcome, "-"))
	}
	// Output:
	// FAIL: nothing proves that this message is from shop.example.
	// - Ask mail.provider.example, which sent this, to sign your mail in the name of shop.example (DKIM). It says which records to publish.
	// - Let bounces go to an address below shop.example, such as bounce.shop.example, and allow the server there (SPF).
	//   add TXT at host bounce of shop.example: v=spf1 ip4:192.0.2.25 ~all
	// session: -
	// author: found
	// spf: pass
	// spf-alignment: not aligned
	// dkim: none
	// discovery: found
	// policy: none
	// verdict: fail
}

func ExampleExplanation_Text() {
	explain.Explain(verify()).Text(os.Stdout, explain.TextOptions{Brief: true})
	// Output:
	// FAIL: nothing proves that this message is from shop.example.
	//   This message claims to be from shop.example. mail.provider.example sent it,
	//   and nothing proves that shop.example asked for that. shop.example asks to do
	//   nothing about such mail (p=none). Receivers then go by their own rules.
	//
	// What to do (one of these is enough, the first is best)
	//   If shop.example does not send through mail.provider.example, this is a
	//   forgery, and there is nothing to fix.
	//   1. Ask mail.provider.example, which sent this, to sign your mail in the name
	//      of shop.example (DKIM). It says which records to publish.
	//   2. Let bounces go to an address below shop.example, such as
	//      bounce.shop.example, and allow the server there (SPF).
	//      add      TXT bounce.shop.example
	//      host     bounce
	//      value    v=spf1 ip4:192.0.2.25 ~all
	//      The program or company that sends the mail has to use that address.
}

func ExampleExplanation_HTML() {
	e := explain.Explain(verify())
	e.Reasons, e.Steps = nil, e.Steps[len(e.Steps)-4:len(e.Steps)-3]
	e.HTML(os.Stdout)
	// Output:
	// <section class="mv-answer mv-bad">
	// <h2 class="mv-verdict">FAIL: nothing proves that this message is from shop.example.</h2>
	// <p class="mv-sentence">This message claims to be from shop.example.</p>
	// <p class="mv-sentence">mail.provider.example sent it, and nothing proves that shop.example asked for that.</p>
	// <p class="mv-asked">shop.example asks to do nothing about such mail (p=none). Receivers then go by their own rules.</p>
	// <h3 class="mv-title">What to do (one of these is enough, the first is best)</h3>
	// <p class="mv-unless">If shop.example does not send through mail.provider.example, this is a forgery, and there is nothing to fix.</p>
	// <ol class="mv-fixes">
	// <li class="mv-fix">Ask mail.provider.example, which sent this, to sign your mail in the name of shop.example (DKIM). It says which records to publish.
	// </li>
	// <li class="mv-fix">Let bounces go to an address below shop.example, such as bounce.shop.example, and allow the server there (SPF).
	// <dl class="mv-change mv-add">
	// <dt>add</dt><dd>TXT bounce.shop.example</dd>
	// <dt>host</dt><dd><code>bounce</code></dd>
	// <dt>value</dt><dd><code class="mv-value">v=spf1 ip4:192.0.2.25 ~all</code></dd>
	// </dl>
	// <p class="mv-note">The program or company that sends the mail has to use that address.</p>
	// </li>
	// </ol>
	// </section>
	// <section class="mv-step mv-dkim">
	// <h3 class="mv-title">DKIM <span class="mv-outcome mv-open">none</span></h3>
	// <p class="mv-input">Is the message signed?</p>
	// <p class="mv-so">There is no DKIM signature: nothing shows who wrote the message, or whether it was changed.</p>
	// </section>
}
