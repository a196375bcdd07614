package main

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
)

// compare logs the verdict beside that of another filter, and counts whether they agree.
func (d *daemon) compare(msg *message, r *dmarc.Result) {
	theirs := otherVerdicts(msg.setup.Shadow, msg.others)
	ours := map[string]string{"dmarc": r.DMARC.Status.String(), "spf": "none", "dkim": "none"}
	if r.SPF != nil {
		ours["spf"] = r.SPF.Status.String()
	}
	for _, s := range r.DKIM {
		ours["dkim"] = better(ours["dkim"], s.Status.String())
	}
	var differences []string
	for _, method := range []string{"spf", "dkim", "dmarc"} {
		word, ok := theirs[method]
		if !ok {
			continue
		}
		agrees := word == ours[method]
		d.metrics.shadow.WithLabelValues(method, strconv.FormatBool(agrees)).Inc()
		if !agrees {
			differences = append(differences, method+" theirs="+word+" ours="+ours[method])
		}
	}
	would, verdict := decide(r, msg.terms())
	result := *r
	result.DMARC = verdict
	d.metrics.shadowActions.WithLabelValues(string(would)).Inc()
	d.metrics.messages.WithLabelValues(r.DMARC.Status.String(), string(actionShadow), string(msg.kind)).Inc()
	d.log.Info("message", append(msg.attributes(actionShadow), slog.String("would", string(would)), slog.Int("compared", len(theirs)),
		slog.String("differences", strings.Join(differences, "; ")), slog.Any("result", result))...)
}

// otherVerdicts returns the word that fields under an authserv-id have for each method: with several
// results, pass if one passes, else the first.
func otherVerdicts(id string, fields []string) map[string]string {
	words := map[string]string{}
	for _, text := range fields {
		f, err := authres.ParseLenient(text)
		if err != nil || !strings.EqualFold(f.ID, id) {
			continue
		}
		for _, r := range f.Results {
			switch m := strings.ToLower(r.Method); m {
			case "spf", "dkim", "dmarc":
				words[m] = better(words[m], strings.ToLower(r.Value))
			}
		}
	}
	return words
}

// better returns the word that stands for two results: pass, or else the first that says something.
func better(a, b string) string {
	if b == "pass" || a == "" || a == "none" {
		return b
	}
	return a
}
