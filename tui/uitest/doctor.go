package uitest

import (
	"context"

	"github.com/ferry-ha/ferry/engine/api"
)

// Doctor is a Service that can examine. ExamineOf and MendOf say what comes of it; what it
// was asked to mend is among Asked.
type Doctor struct {
	*Service
	ExamineOf func(api.Examination) (*api.Diagnosis, error)
	MendOf    func(api.Mending) (*api.Mended, error)
}

// Examine implements api.Doctor.
func (d *Doctor) Examine(_ context.Context, e api.Examination) (*api.Diagnosis, error) {
	return d.ExamineOf(e)
}

// Mend implements api.Doctor.
func (d *Doctor) Mend(_ context.Context, m api.Mending) (*api.Mended, error) {
	if err := d.note(m); err != nil {
		return nil, err
	}
	return d.MendOf(m)
}

var _ api.Doctor = (*Doctor)(nil)
