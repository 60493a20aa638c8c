package api

import (
	"cmp"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/api/door"
	"mlids/internal/audit"
	"mlids/model"
	"mlids/model/registry"
)

// ErrConfig is returned by New for a configuration or dependencies that no server can run with.
var ErrConfig = errors.New("unusable configuration")

// Config says how to serve. Zero fields take the default given.
type Config struct {
	Listen   string       // address to listen on: 127.0.0.1:5000; port 0 takes a free one
	Listener net.Listener // used in place of Listen, and closed by Run
	Version  string       // of the program, for /version

	AdminListen   string       // address of the admin door; "" for none
	AdminListener net.Listener // used in place of AdminListen, and closed by Run
	Insecure      bool         // listen beyond the loopback although the guard is open
	TLS           *tls.Config  // of both doors; nil: plain HTTP
	Hosts         []string     // names, besides localhost and addresses, by which open doors on the loopback may be called

	MaxConnections int // of the front door at a time; for a newcomer, an idle one is closed: 1024

	MaxBody    int64 // bytes of a request's body, before and after decompression: 64 MiB
	MaxRows    int   // rows of a request: 100,000
	MaxMemory  int64 // bytes of bodies held at a time, over all requests: 8 × MaxBody
	MaxHeader  int   // bytes of a request's line and headers: 64 KiB
	Concurrent int   // predictions computed at a time; others wait: twice the processors

	Publish Publish // which predictions go to Deps.Publish: attacks

	// AnomalyFPR asks the anomaly companions of the models that have one, at their threshold for this false-positive rate
	// (model.Judge). 0: none is asked.
	AnomalyFPR float64

	// Hosted names the model that answers /invocations when a request names none; "": the active one for cicflow.
	Hosted string

	// Fallback names the model that answers in place of Deps.Backend when that one fails; "": none does.
	Fallback string

	HeaderTimeout   time.Duration // to read a request's headers: 10 s
	ReadTimeout     time.Duration // to read a request: 60 s
	WriteTimeout    time.Duration // from the end of the headers to the end of the answer: 120 s
	IdleTimeout     time.Duration // between requests of a connection: 120 s
	ShutdownTimeout time.Duration // for the requests in flight when Run ends: 30 s
}

func (c Config) withDefaults() Config {
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:5000")
	c.Publish = cmp.Or(c.Publish, PublishAttacks)
	c.Version = cmp.Or(c.Version, "(devel)")
	c.MaxBody = cmp.Or(max(c.MaxBody, 0), 64<<20)
	c.MaxRows = cmp.Or(max(c.MaxRows, 0), 100_000)
	c.MaxMemory = max(cmp.Or(max(c.MaxMemory, 0), 8*c.MaxBody), smallBody)
	c.MaxHeader = cmp.Or(max(c.MaxHeader, 0), 64<<10)
	c.MaxConnections = cmp.Or(max(c.MaxConnections, 0), 1024)
	c.Concurrent = cmp.Or(max(c.Concurrent, 0), 2*runtime.GOMAXPROCS(0))
	c.HeaderTimeout = cmp.Or(max(c.HeaderTimeout, 0), 10*time.Second)
	c.ReadTimeout = cmp.Or(max(c.ReadTimeout, 0), 60*time.Second)
	c.WriteTimeout = cmp.Or(max(c.WriteTimeout, 0), 120*time.Second)
	c.IdleTimeout = cmp.Or(max(c.IdleTimeout, 0), 120*time.Second)
	c.ShutdownTimeout = cmp.Or(max(c.ShutdownTimeout, 0), 30*time.Second)
	return c
}

// Models is the set of models that can be asked; *registry.Registry is one. It may change while the server runs.
type Models interface {
	// Lookup finds a model by its name.
	Lookup(name string) (*model.Model, bool)
	// Active finds the model that answers for a schema, named without version, when a request names none.
	Active(schema string) (*model.Model, bool)
	// List returns all models by name.
	List() []registry.Entry
}

// Observer is told what requests came to.
type Observer interface {
	// Predicted tells of one request: how many rows were decided for each of a model's classes, and the sum of the
	// probabilities of the classes decided for. It must not wait, and not keep rows and confidence.
	Predicted(model string, classes []string, rows []int, confidence []float64)
}

// Deps is what a server is given. All fields but Observe, Guard, Keys, Audit, Publish and Backend must be set.
type Deps struct {
	Log      *slog.Logger
	Register prometheus.Registerer // where the server's metrics are registered
	Gather   prometheus.Gatherer   // what /metrics shows
	Models   Models
	Observe  Observer
	Blocks   Blocks        // what is blocked; nil: nothing, and nothing can be
	Guard    *door.Guard   // says who may call; nil: everyone. Its Run is the owner's
	Keys     *door.KeyFile // changed by the admin door; nil: it cannot
	Audit    *audit.Log    // told of changes and of callers sent away
	Publish  Publisher     // a request is answered when its predictions are stored there
	Backend  Backend       // classifies flows in place of the active model; nil: none does
}

func (d *Deps) check() error {
	if d.Log == nil || d.Register == nil || d.Gather == nil || d.Models == nil {
		return errors.Join(ErrConfig, errors.New("want a logger, a metrics registerer and gatherer, and models"))
	}
	return nil
}
