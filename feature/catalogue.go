package feature

import (
	"fmt"
	"strings"
)

// Catalogue holds the schemas that this program knows.
type Catalogue struct{ schemas []*Schema }

// Schemas makes the catalogue: kdd99/1, cicflow/v4, cicflow/2018 and cicflow/common.
func Schemas() (*Catalogue, error) {
	c := &Catalogue{}
	for _, describe := range []func() Schema{cicflowV4, cicflow2018, cicflowCommon, kdd99} {
		s, err := New(describe())
		if err != nil {
			return nil, err
		}
		c.schemas = append(c.schemas, s)
	}
	return c, nil
}

// Find returns the schema of a name ("cicflow", then its first version) or an ID ("cicflow/2018").
func (c *Catalogue) Find(id string) (*Schema, error) {
	for _, s := range c.schemas {
		if s.ID() == id || s.Name == id {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w %q: known are %s", ErrUnknownSchema, id, strings.Join(c.IDs(), ", "))
}

// IDs lists the schemas.
func (c *Catalogue) IDs() []string {
	ids := make([]string, len(c.schemas))
	for i, s := range c.schemas {
		ids[i] = s.ID()
	}
	return ids
}
