package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"sync"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"google.golang.org/grpc"
)

// A pool starts a process of this program for each worker that a job server asks for, and says when
// one is gone that was not stopped.
type pool struct {
	fnpb.UnimplementedBeamFnExternalWorkerPoolServer
	address string
	lost    chan string // ids of workers
	server  *grpc.Server

	mu      sync.Mutex
	stopped map[string]context.CancelFunc // ends a worker
	ended   sync.WaitGroup
}

// startPool starts a pool, which listens on loopback.
func startPool(ctx context.Context) (*pool, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &pool{address: listener.Addr().String(), lost: make(chan string, 1), server: grpc.NewServer(), stopped: map[string]context.CancelFunc{}}
	fnpb.RegisterBeamFnExternalWorkerPoolServer(p.server, p)
	go p.server.Serve(listener)
	return p, nil
}

// close ends the pool and all of its workers.
func (p *pool) close() {
	p.server.Stop()
	p.mu.Lock()
	for id, stop := range p.stopped {
		delete(p.stopped, id)
		stop()
	}
	p.mu.Unlock()
	p.ended.Wait()
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
	if err := cmd.Start(); err != nil {
		stop()
		return &fnpb.StartWorkerResponse{Error: err.Error()}, nil
	}
	id := r.GetWorkerId()
	p.mu.Lock()
	p.stopped[id] = stop
	p.mu.Unlock()
	p.ended.Go(func() {
		cmd.Wait() // how it ended makes no difference
		stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.stopped[id] != nil {
			delete(p.stopped, id)
			select {
			case p.lost <- id:
			default: // one is enough
			}
		}
	})
	return &fnpb.StartWorkerResponse{}, nil
}

// StopWorker is called by the job server.
func (p *pool) StopWorker(_ context.Context, r *fnpb.StopWorkerRequest) (*fnpb.StopWorkerResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stop := p.stopped[r.GetWorkerId()]; stop != nil {
		delete(p.stopped, r.GetWorkerId())
		stop()
	}
	return &fnpb.StopWorkerResponse{}, nil
}
