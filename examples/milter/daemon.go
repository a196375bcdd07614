package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/d--j/go-milter"
	"github.com/mailverdict/mailverdict/examples/internal/counting"
)

// A daemon is the running program: listeners, and the configuration that new messages begin with.
type daemon struct {
	host     string
	log      *slog.Logger
	metrics  *metrics
	setup    atomic.Pointer[setup]
	messages atomic.Int64 // under way
	draining atomic.Bool

	counter *counting.Counter // nil if nothing is counted

	servers  []*milter.Server
	serving  sync.WaitGroup
	spaceLog sync.Once
}

func newDaemon(c *config, host string, log *slog.Logger) (*daemon, error) {
	d := &daemon{host: host, log: log, metrics: newMetrics()}
	s, err := newSetup(c, host, nil, d.metrics)
	if err != nil {
		return nil, err
	}
	d.setup.Store(s)
	return d, nil
}

// open opens the store and all sockets of the configuration, and serves them.
func (d *daemon) open() error {
	c := d.setup.Load().config
	if err := d.openStore(c); err != nil {
		return err
	}
	slots := make(chan struct{}, c.MaxConnections)
	for _, l := range c.listeners(d.host) {
		sockets, err := listen(c, l.Listen)
		if err != nil {
			return err
		}
		for _, socket := range sockets {
			d.log.Info("listening", slog.String("address", socket.Addr().String()), slog.String("authserv_id", l.AuthservID))
			d.serve(guard(socket, slots, d.metrics), l, c.IdleTimeout)
		}
	}
	return nil
}

// serve serves one socket until the daemon is drained.
func (d *daemon) serve(l net.Listener, opened listenerConfig, idle time.Duration) {
	server := milter.NewServer(
		milter.WithMilter(func() milter.Milter { return recovering{&handler{daemon: d, listener: opened}} }),
		milter.WithNegotiationCallback(d.negotiate),
		milter.WithReadTimeout(idle),
	)
	d.servers = append(d.servers, server)
	d.serving.Go(func() {
		if err := server.Serve(l); err != nil && !errors.Is(err, milter.ErrServerClosed) && !d.draining.Load() {
			d.log.Error("listener ended", slog.String("failure", err.Error()))
		}
	})
}

// errNegotiation says that the MTA cannot do what this program needs.
var errNegotiation = errors.New("the MTA does not let its milters add and remove header fields")

// negotiate agrees with the MTA on what each does. What only saves time may be missing.
func (d *daemon) negotiate(mtaVersion, ours uint32, mtaActions, _ milter.OptAction, mtaProtocol, _ milter.OptProtocol,
	_ milter.DataSize) (uint32, milter.OptAction, milter.OptProtocol, milter.DataSize, error) {
	if mtaActions&actions != actions {
		return 0, 0, 0, 0, errNegotiation
	}
	if mtaProtocol&milter.OptHeaderLeadingSpace == 0 {
		d.spaceLog.Do(func() {
			d.log.Warn("the MTA does not give the space after the colon of a field (milter protocol 6): signatures with c=simple may break")
		})
	}
	return min(mtaVersion, ours), actions, protocol & mtaProtocol, milter.DataSize64K, nil
}

// reload reads the configuration again, and puts it in place of the old one, for messages that begin
// from now on. If something is wrong with it, the old one stays. Listeners stay in either case.
func (d *daemon) reload(from source) {
	old := d.setup.Load()
	c, err := from.read()
	if err == nil {
		var s *setup
		if s, err = newSetup(c, d.host, old, d.metrics); err == nil {
			d.setup.Store(s)
		}
	}
	if err != nil {
		d.metrics.reloads.WithLabelValues("failed").Inc()
		d.log.Error("configuration not reloaded, the old one stays", slog.String("failure", err.Error()))
		return
	}
	d.metrics.reloads.WithLabelValues("ok").Inc()
	d.log.Info("configuration reloaded")
	if keys := needRestart(old.config, c); len(keys) > 0 {
		d.log.Warn("these keys have changed, and take a restart", slog.Any("keys", keys))
	}
}

// needRestart returns the keys that differ and are only read at the beginning.
func needRestart(old, c *config) (keys []string) {
	addresses := func(c *config) (list []string) {
		for _, l := range c.listeners("") {
			list = append(list, l.Listen)
		}
		return list
	}
	for _, k := range []struct {
		key      string
		old, now any
	}{
		{"listen", addresses(old), addresses(c)},
		{"socket_mode", old.SocketMode, c.SocketMode},
		{"socket_group", old.SocketGroup, c.SocketGroup},
		{"max_connections", old.MaxConnections, c.MaxConnections},
		{"idle_timeout", old.IdleTimeout, c.IdleTimeout},
		{"store", old.Store, c.Store},
		{"store_exclude", old.StoreExclude, c.StoreExclude},
		{"store_interval", old.StoreInterval, c.StoreInterval},
		{"metrics", old.Metrics, c.Metrics},
		{"log", old.Log, c.Log},
	} {
		if fmt.Sprint(k.old) != fmt.Sprint(k.now) {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// drain ends the program: no new connections, and a time for the messages that are under way. The
// MTA has the sender of what is left come again.
func (d *daemon) drain() {
	d.draining.Store(true)
	limit := d.setup.Load().DrainTimeout
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	d.log.Info("draining", slog.Int64("messages", d.messages.Load()), slog.String("limit", limit.String()))
	var closing sync.WaitGroup
	for _, s := range d.servers {
		closing.Go(func() {
			idle, stop := context.WithCancel(ctx)
			defer stop()
			go d.whenIdle(idle, stop)
			_ = s.Shutdown(idle)
		})
	}
	closing.Wait()
	d.serving.Wait()
	d.counter.Close()
	d.log.Info("ended", slog.Int64("messages_left", d.messages.Load()))
}

// whenIdle calls stop once no message has been under way for a moment: the answer to the last one has
// to reach the MTA.
func (d *daemon) whenIdle(ctx context.Context, stop func()) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for idle := 0; idle < 10; idle++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if d.messages.Load() != 0 {
				idle = 0
			}
		}
	}
	stop()
}

// observe counts the time of one stage of a message.
func (d *daemon) observe(stage string, since time.Time) {
	d.metrics.stage.WithLabelValues(stage).Observe(time.Since(since).Seconds())
}
