package main

import (
	"math"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/failure"
)

// A document is what is printed of a report.
type document struct {
	File     string `json:"file"`
	Kind     string `json:"kind"`              // "aggregate" or "failure"
	Version  string `json:"version,omitempty"` // "rfc9990" or "rfc7489", of an aggregate report
	Org      string `json:"org"`
	ReportID string `json:"report_id,omitempty"`
	Domain   string `json:"domain"`
	Begin    int64  `json:"begin"` // Unix seconds
	End      int64  `json:"end"`

	Policy      *policy          `json:"policy,omitempty"`
	Rows        int              `json:"rows"`
	Messages    int64            `json:"messages"`
	Disposition map[string]int64 `json:"disposition,omitempty"`
	Problems    []any            `json:"problems"`

	Repeated bool `json:"repeated,omitempty"` // the same report was read before

	// The domain for which the mail of the report passed DMARC, where a store was given.
	Reporter string `json:"reporter,omitempty"`

	// Of a report that is not whole.
	Reason string `json:"reason,omitempty"`

	// Of a failure report.
	Source     string   `json:"source_ip,omitempty"`
	NotAligned []string `json:"not_aligned,omitempty"`

	report *aggregate.Report // nil for a failure report
}

// A policy is what a report says was published. What it does not say is empty.
type policy struct {
	P     string `json:"p"`
	SP    string `json:"sp"`
	NP    string `json:"np"`
	ADKIM string `json:"adkim"`
	ASPF  string `json:"aspf"`
}

func ofAggregate(file string, r *aggregate.Report) document {
	d := document{
		File: file, Kind: "aggregate", Version: "rfc7489", Org: r.Org, ReportID: r.ID, Domain: r.Policy.Domain,
		Policy: &policy{r.Policy.P, r.Policy.SP, r.Policy.NP, r.Policy.DKIMAlignment, r.Policy.SPFAlignment},
		Rows:   len(r.Rows), Messages: r.Messages(),
		Disposition: map[string]int64{"none": 0, "quarantine": 0, "reject": 0, "pass": 0},
		Problems:    []any{},
		report:      r,
	}
	if r.RFC9990 {
		d.Version = "rfc9990"
	}
	if !r.Begin.IsZero() {
		d.Begin = r.Begin.Unix()
	}
	if !r.End.IsZero() {
		d.End = r.End.Unix()
	}
	for i := range r.Rows {
		word := r.Rows[i].Disposition
		if _, known := d.Disposition[word]; !known {
			word = "none"
		}
		sum := d.Disposition[word] + r.Rows[i].Count
		if sum < 0 {
			sum = math.MaxInt64 // a reporter may write any number
		}
		d.Disposition[word] = sum
	}
	for _, p := range r.Problems {
		d.Problems = append(d.Problems, p)
	}
	if r.Err != nil {
		d.Reason = r.Err.Error()
	}
	return d
}

func ofFailure(file string, r *failure.Report) document {
	d := document{
		File: file, Kind: "failure", Org: r.From, Domain: r.AuthorDomain, Rows: 1, Messages: r.Incidents,
		NotAligned: r.NotAligned, Problems: []any{},
	}
	if d.Domain == "" && len(r.Domains) > 0 {
		d.Domain = r.Domains[0]
	}
	if r.Source.IsValid() {
		d.Source = r.Source.String()
	}
	if at := r.Arrival; !at.IsZero() {
		d.Begin, d.End = at.Unix(), at.Unix()
	}
	for _, p := range r.Problems {
		d.Problems = append(d.Problems, p)
	}
	return d
}
