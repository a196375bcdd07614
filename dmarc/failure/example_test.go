package failure_test

import (
	"fmt"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc/failure"
)

func ExampleRead() {
	mail := strings.NewReader(`From: dmarc@receiver.example
Subject: FW: Invoice
Content-Type: multipart/report; report-type=feedback-report; boundary=B

--B
Content-Type: message/feedback-report

Feedback-Type: auth-failure
Version: 1
User-Agent: Receiver/1.0
Auth-Failure: dmarc
Identity-Alignment: dkim, spf
Source-IP: 192.0.2.2
Reported-Domain: example.com

--B
Content-Type: text/rfc822-headers

From: Boss <boss@example.com>
Subject: Invoice

--B--
`)
	report, err := failure.Read(mail)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report)
	// Output: 192.0.2.2, example.com: dmarc, not aligned: dkim, spf
}
