package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/dataset"
	"mlids/feature"
	"mlids/model"
	"mlids/model/registry"
)

// classifier is a model made ready for requests: schema, decoders and counters are found once.
type classifier struct {
	model     *model.Model
	judge     *model.Judge // of model, and of its companion when that is asked
	name      string
	schema    *feature.Schema
	columns   []int    // of schema that model reads, in the inputs' order
	classes   []string // of verdicts; classes[0] is the benign class
	quoted    []string // classes as JSON strings
	predicted []prometheus.Counter

	backend       Backend      // judges in place of model and judge; nil: they do
	companion     *model.Model // nil: none is asked
	companionName string

	split, records sync.Pool // of decoder
}

// decoder turns a body into vectors of the model's inputs.
type decoder interface {
	Decode(body []byte) (*dataset.Rows, error)
}

// classifiers keeps the classifiers of the models in use.
type classifiers struct{ byModel sync.Map } // *model.Model → *classifier

// choose finds the classifier that a request asks for: by name, or the one that answers for a schema.
func (s *Server) choose(q query, schema string) (*classifier, error) {
	if q.model == nil && s.backend != nil && schema == "cicflow" {
		if q.explain > 0 {
			return nil, problemf(http.StatusBadRequest, "query: %s answers, which explains nothing; name a model to explain by", s.backend.name)
		}
		return s.backend, nil
	}
	if q.model == nil {
		m, ok := s.deps.Models.Active(schema)
		if !ok {
			return nil, problemf(http.StatusServiceUnavailable, "no model for %s is loaded", schema)
		}
		return s.classifier(m)
	}
	m, ok := s.deps.Models.Lookup(*q.model)
	if !ok {
		return nil, problemf(http.StatusNotFound, "unknown model %q; there are %s", *q.model, strings.Join(s.modelNames(), ", "))
	}
	return s.classifier(m)
}

func (s *Server) modelNames() []string {
	listed := s.deps.Models.List()
	names := make([]string, len(listed))
	for i, e := range listed {
		names[i] = e.Name
	}
	return names
}

// classifier finds or makes the classifier of a model.
func (s *Server) classifier(m *model.Model) (*classifier, error) {
	if c, ok := s.compiled.byModel.Load(m); ok && s.current(c.(*classifier)) {
		return c.(*classifier), nil
	}
	c, err := s.newClassifier(m)
	if err != nil {
		return nil, problemf(http.StatusNotFound, "model %s cannot be asked: %w", m.Info().Name, err)
	}
	s.compiled.byModel.Store(m, c)
	s.forgetUnlisted()
	return c, nil
}

// current tells whether a classifier was made with the companion that its model has now.
func (s *Server) current(c *classifier) bool {
	return s.cfg.AnomalyFPR == 0 || s.companion(c.companionName) == c.companion
}

// companion finds a companion that is to be asked; nil for none.
func (s *Server) companion(name string) *model.Model {
	if s.cfg.AnomalyFPR == 0 {
		return nil
	}
	m, _ := s.deps.Models.Lookup(name)
	return m
}

// accompany joins a classifier and its companion. One that does not fit, as while both are exchanged one after the other, is
// left out.
func (s *Server) accompany(m, companion *model.Model) *model.Judge {
	alone := model.NewJudge(m)
	if companion == nil {
		return alone
	}
	both, err := alone.WithCompanion(companion, s.cfg.AnomalyFPR)
	if err != nil {
		s.log.Warn("model answers without its anomaly companion", "model", m.Info().Name, "err", err)
		return alone
	}
	return both
}

// forgetUnlisted drops the classifiers of models that were exchanged for others.
func (s *Server) forgetUnlisted() {
	listed := s.deps.Models.List()
	s.compiled.byModel.Range(func(key, _ any) bool {
		if !slices.ContainsFunc(listed, func(e registry.Entry) bool { return e.Model == key }) {
			s.compiled.byModel.Delete(key)
		}
		return true
	})
}

// read notes a column that the model reads.
func (c *classifier) read(column int) {
	if !slices.Contains(c.columns, column) {
		c.columns = append(c.columns, column)
	}
}

func (s *Server) newClassifier(m *model.Model) (*classifier, error) {
	info := m.Info()
	schema, inputs, err := s.resolve(info)
	if err != nil {
		return nil, err
	}
	c := &classifier{model: m, name: info.Name, schema: schema, companionName: model.CompanionName(info.Name)}
	for _, in := range inputs {
		c.read(in.Column)
		if in.Over > 0 {
			c.read(in.Over - 1)
		}
	}
	c.companion = s.companion(c.companionName)
	c.judge = s.accompany(m, c.companion)
	c.classes = c.judge.Classes()
	for _, class := range c.classes {
		text, err := json.Marshal(class)
		if err != nil {
			return nil, err
		}
		c.quoted = append(c.quoted, string(text))
		c.predicted = append(c.predicted, s.metrics.predicted.WithLabelValues(info.Name, class))
	}
	limits := dataset.Limits{Rows: s.cfg.MaxRows}
	split, err := dataset.NewSplitDecoder(schema, inputs, limits)
	if err != nil {
		return nil, err
	}
	records, err := dataset.NewRecordDecoder(schema, inputs, limits)
	if err != nil {
		return nil, err
	}
	c.split.Put(split)
	c.records.Put(records)
	// The arguments were accepted once, so the pools can rely on them.
	c.split.New = func() any { d, _ := dataset.NewSplitDecoder(schema, inputs, limits); return d }
	c.records.New = func() any { d, _ := dataset.NewRecordDecoder(schema, inputs, limits); return d }
	return c, nil
}

// resolve finds the schema that a model wants. A model from elsewhere, that names none, takes the first that has its inputs.
func (s *Server) resolve(info model.Info) (*feature.Schema, []feature.Input, error) {
	ids := []string{info.Schema}
	if info.Schema == "" {
		ids = s.catalogue.IDs()
	}
	var errs []error
	for _, id := range ids {
		schema, err := s.catalogue.Find(id)
		if err != nil {
			return nil, nil, err
		}
		inputs, err := schema.Resolve(info.Inputs)
		if err == nil {
			return schema, inputs, nil
		}
		errs = append(errs, err)
	}
	return nil, nil, fmt.Errorf("no schema has its inputs: %w", errors.Join(errs...))
}
