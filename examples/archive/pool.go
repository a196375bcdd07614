package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"google.golang.org/grpc"
)

// A pool starts a process of this program when a job server asks for the worker of a job, and says
// when it is gone without having been stopped.
type pool struct {
	fnpb.UnimplementedBeamFnExternalWorkerPoolServer
	address string
	lost    chan struct{} // closed when a worker is gone
	lose    func()        // closes it
	server  *grpc.Server

	mu    sync.Mutex
	stops map[string]context.CancelFunc // of the workers that are to live
	ended sync.WaitGroup
}

// startPool starts a pool, which listens on loopback.
func startPool(ctx context.Context) (*pool, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &pool{address: listener.Addr().String(), lost: make(chan struct{}), server: grpc.NewServer(), stops: map[string]context.CancelFunc{}}
	p.lose = sync.OnceFunc(func() { close(p.lost) })
	fnpb.RegisterBeamFnExternalWorkerPoolServer(p.server, p)
	go p.server.Serve(listener)
	return p, nil
}

// close ends the pool and all of its workers.
func (p *pool) close() {
	p.server.Stop()
	p.mu.Lock()
	for id, stop := range p.stops {
		delete(p.stops, id)
		stop()
	}
	p.mu.Unlock()
	p.ended.Wait()
}

// workerLost reports whether the worker was lost, once it has ended or the limit has.
func (p *pool) workerLost(limit time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		p.ended.Wait()
		close(ended)
	}()
	select {
	case <-p.lost:
	case <-ended:
	case <-time.After(limit):
	}
	select {
	case <-p.lost:
		return true
	default:
		return false
	}
}

// StartWorker is called by the job server.
func (p *pool) StartWorker(_ context.Context, r *fnpb.StartWorkerRequest) (*fnpb.StartWorkerResponse, error) {
	self, err := os.Executable()
	if err != nil {
		return &fnpb.StartWorkerResponse{Error: err.Error()}, nil
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, self, "-worker", "-id="+r.GetWorkerId(),
		"-logging_endpoint="+r.GetLoggingEndpoint().GetUrl(), "-control_endpoint="+r.GetControlEndpoint().GetUrl())
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		stop()
		return &fnpb.StartWorkerResponse{Error: err.Error()}, nil
	}
	id := r.GetWorkerId()
	p.mu.Lock()
	p.stops[id] = stop
	p.mu.Unlock()
	p.ended.Go(func() {
		cmd.Wait() // how it ended is in the state
		stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		// A job server that sees its worker vanish asks to stop it, often before it is known here
		// that the process has ended. One that was stopped ends by the signal for that.
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if p.stops[id] != nil || status.Signal() != syscall.SIGTERM {
			delete(p.stops, id)
			p.lose()
		}
	})
	return &fnpb.StartWorkerResponse{}, nil
}

// StopWorker is called by the job server.
func (p *pool) StopWorker(_ context.Context, r *fnpb.StopWorkerRequest) (*fnpb.StopWorkerResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stop := p.stops[r.GetWorkerId()]; stop != nil {
		delete(p.stops, r.GetWorkerId())
		stop()
	}
	return &fnpb.StopWorkerResponse{}, nil
}
