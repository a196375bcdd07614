package main

import (
	"errors"
	"net/http"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the counters of the program.
type metrics struct {
	registry *prometheus.Registry

	messages      *prometheus.CounterVec // verdict, action, client
	skipped       *prometheus.CounterVec // client
	stage         *prometheus.HistogramVec
	forged        prometheus.Counter
	failures      *prometheus.CounterVec // kind
	shadow        *prometheus.CounterVec // method, agrees
	shadowActions *prometheus.CounterVec // action
	dnsQuestions  prometheus.Counter
	dnsAsked      *prometheus.CounterVec // outcome
	connections   prometheus.Gauge
	underway      prometheus.Gauge
	reloads       *prometheus.CounterVec // outcome
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "mailverdict", Subsystem: "milter", Name: name, Help: help}, labels)
	}
	one := func(name, help string) prometheus.Counter { return counter(name, help).WithLabelValues() }
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "mailverdict", Subsystem: "milter", Name: name, Help: help})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		messages: counter("messages_total", "Messages that were checked, by verdict and by what was done.", "verdict", "action", "client"),
		skipped:  counter("skipped_total", "Messages that were not checked, by kind of client.", "client"),
		stage: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "mailverdict", Subsystem: "milter", Name: "stage_seconds",
			Help:    "Seconds from MAIL to the end of the header, to the end of the message, and from there to the answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 10),
		}, []string{"stage"}),
		forged:        one("forged_fields_total", "Fields that were removed since they claimed to be ours."),
		failures:      counter("failures_total", "Failures of the program or of the MTA's protocol, by kind.", "kind"),
		shadow:        counter("shadow_total", "Results compared with those of another filter.", "method", "agrees"),
		shadowActions: counter("shadow_actions_total", "Messages in shadow mode, by what would have been done.", "action"),
		dnsQuestions:  one("dns_questions_total", "DNS questions of messages. Without dns_asked_total it is those that memory answered."),
		dnsAsked:      counter("dns_asked_total", "DNS questions that memory did not answer, by outcome.", "outcome"),
		connections:   gauge("connections", "Connections of the MTA."),
		underway:      gauge("messages_under_way", "Messages that are under way."),
		reloads:       counter("reloads_total", "Readings of the configuration on SIGHUP, by outcome.", "outcome"),
	}
	m.registry.MustRegister(m.messages, m.skipped, m.stage, m.forged, m.failures, m.shadow, m.shadowActions, m.dnsQuestions, m.dnsAsked,
		m.connections, m.underway, m.reloads,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// What has not happened yet is 0, not absent: alerts compare it with what it was.
	for _, kind := range []string{"accept", "protocol", "panic", "message", "store"} {
		m.failures.WithLabelValues(kind)
	}
	for _, outcome := range []string{"ok", "failed"} {
		m.reloads.WithLabelValues(outcome)
	}
	return m
}

// handler serves /metrics and /healthz. Healthy reports whether the program takes messages.
func (m *metrics) handler(healthy func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !healthy() {
			http.Error(w, "draining", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	return mux
}

// dnsOutcome is the label for an outcome of a question.
func dnsOutcome(err error) string {
	switch {
	case err == nil:
		return "answer"
	case errors.Is(err, resolver.ErrNotFound):
		return "absent"
	case errors.Is(err, resolver.ErrTimeout):
		return "timeout"
	default:
		return "error"
	}
}
