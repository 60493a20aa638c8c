package detect

import (
	"errors"
	"fmt"
	"time"

	"mlids"
	"mlids/feature"
	"mlids/model"
)

// batch is how many finished flows wait to be judged together. It bounds the delay of a verdict in flows; Tick bounds it
// in time.
const batch = 256

// mostExplained is how many attacks of a batch are explained: it takes a thousand times as long as a verdict, and a flood must not
// make the sensor fall behind.
const mostExplained = 16

// Config says what watches the packets.
type Config struct {
	Models   []*model.Judge // classifiers, alone or with companions
	MaxFlows int            // open flows per schema at most; 0 for flow.DefaultMaxFlows

	// Linger is how long a closed connection waits for late packets before it is judged. 0 waits as CICFlowMeter does, up to
	// 120 s from its start, which gives exactly the flows of the training data; a live source does better with 2 s.
	Linger time.Duration

	// Interim is how often Tick judges flows that go on: a connection without an answer, a download, a flood in one flow.
	// Their findings have EndNone as reason; the final ones come as ever. 0 judges flows at their end only.
	Interim time.Duration
	Records bool // findings have their row as JSON
	Explain int  // attacks have so many of the columns that spoke most for the verdict; of a batch of 256 flows the first 16
}

// Bounds of interim judgement: a flow must be this old, so that a greeting has had its answer, and so many are judged at a
// time.
const (
	interimAge  = 250 * time.Millisecond
	interimMost = 20_000
)

// Sensor judges the flows of the packets that it is given. It belongs to one goroutine.
type Sensor struct {
	schemas []*schemaSensor
	records bool
	explain int
	emit    func(*Finding) error
	interim time.Duration
	looked  int64 // when flows that go on were last judged, ns since the epoch
	err     error // the first error of emit or of a model; nothing is judged after it
}

// schemaSensor is an extractor and the models that want its schema.
type schemaSensor struct {
	extractor extractor
	judges    []*judge
}

// judge gathers the vectors of one model.
type judge struct {
	by       *model.Judge
	inputs   []feature.Input
	vectors  []float32
	findings []Finding
	records  []byte // of findings
	ends     []int  // of each finding's record in records
	scores   []float32
}

// New makes a sensor that hands each finding to emit; the finding is valid during the call. Models whose schema cannot be
// computed from packets are ErrSchema.
func New(cfg Config, emit func(*Finding) error) (*Sensor, error) {
	if len(cfg.Models) == 0 {
		return nil, errors.New("detect: no models")
	}
	catalogue, err := feature.Schemas()
	if err != nil {
		return nil, err
	}
	s := &Sensor{emit: emit, interim: cfg.Interim, records: cfg.Records, explain: cfg.Explain}
	byID := map[string]*schemaSensor{}
	for _, by := range cfg.Models {
		info := by.Model().Info()
		schema, err := catalogue.Find(info.Schema)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", info.Name, err)
		}
		inputs, err := schema.Resolve(info.Inputs)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", info.Name, err)
		}
		watch := byID[schema.ID()]
		if watch == nil {
			watch = &schemaSensor{}
			if watch.extractor, err = newExtractor(schema, cfg, func(r *row) { s.take(watch, r) }); err != nil {
				return nil, fmt.Errorf("model %s: %w", info.Name, err)
			}
			byID[schema.ID()] = watch
			s.schemas = append(s.schemas, watch)
		}
		watch.judges = append(watch.judges, &judge{by: by, inputs: inputs})
	}
	return s, nil
}

// Add takes the next packet. It returns the first error of emit or of a model.
func (s *Sensor) Add(p *mlids.Packet) error {
	for _, watch := range s.schemas {
		watch.extractor.Add(p)
	}
	return s.err
}

// Tick tells the sensor that time has come to now (ns since the epoch) and judges what has waited: a live source calls it
// about once a second, also while no packets come.
func (s *Sensor) Tick(now int64) error {
	for _, watch := range s.schemas {
		watch.extractor.Advance(now)
	}
	if s.interim > 0 && now-s.looked >= int64(s.interim) {
		s.look(now)
	}
	return s.judge()
}

// look takes rows of the flows that go on and have news.
func (s *Sensor) look(now int64) {
	for _, watch := range s.schemas {
		if x, ok := watch.extractor.(interim); ok {
			x.Interim(now-int64(interimAge), s.looked-int64(interimAge), interimMost)
		}
	}
	s.looked = now
}

// Flush ends all flows and judges them: the source has no more packets.
func (s *Sensor) Flush() error {
	for _, watch := range s.schemas {
		watch.extractor.Flush()
	}
	return s.judge()
}

// take adds a finished flow to the batches of its schema's models.
func (s *Sensor) take(watch *schemaSensor, r *row) {
	for _, j := range watch.judges {
		j.vectors = r.vector(j.vectors, j.inputs)
		j.findings = append(j.findings, Finding{
			Key: r.key, First: r.first, Last: r.last, Reason: r.reason, Counters: r.counters, Ingress: r.ingress, Answer: r.answer,
		})
		if s.records {
			j.records = r.record(j.records)
			j.ends = append(j.ends, len(j.records))
		}
		if len(j.findings) >= batch {
			s.flush(j)
		}
	}
}

// judge empties all batches.
func (s *Sensor) judge() error {
	for _, watch := range s.schemas {
		for _, j := range watch.judges {
			s.flush(j)
		}
	}
	return s.err
}

// flush judges one model's batch and hands out the findings.
func (s *Sensor) flush(j *judge) {
	n := len(j.findings) * j.by.Width()
	if cap(j.scores) < n {
		j.scores = make([]float32, n)
	}
	scores := j.scores[:n]
	if s.err == nil && n > 0 {
		s.err = j.by.Scores(scores, j.vectors)
	}
	explained := 0
	for i := range j.findings {
		if s.err != nil {
			break
		}
		f := &j.findings[i]
		f.Verdict = j.by.Verdict(scores, i)
		if s.records {
			f.Record = j.record(i)
		}
		if f.Verdict.Attack && s.explain > 0 && explained < mostExplained {
			f.Top = j.by.Top(j.vectors[i*len(j.inputs):][:len(j.inputs)], f.Verdict, s.explain)
			explained++
		}
		s.err = s.emit(f)
	}
	j.vectors, j.findings, j.records, j.ends = j.vectors[:0], j.findings[:0], j.records[:0], j.ends[:0]
}

// record is the JSON of a finding's row.
func (j *judge) record(i int) []byte {
	from := 0
	if i > 0 {
		from = j.ends[i-1]
	}
	return j.records[from:j.ends[i]:j.ends[i]]
}
