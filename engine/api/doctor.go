package api

import (
	"context"
	"errors"
	"time"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Doctor is what a Service may offer beside the rest: it looks whether the estate stands on firm ground, and mends what is
// safe to mend. The engine and Client implement it.
type Doctor interface {
	// Examine asks the nodes that it is about once, and AWS, changes nothing, and says what it found.
	Examine(ctx context.Context, e Examination) (*Diagnosis, error)
	// Mend carries one finding's fix out, if that is still exactly what was shown, and looks again.
	Mend(ctx context.Context, m Mending) (*Mended, error)
}

// Examination says what to look at; the zero value is everything.
type Examination struct {
	// Checks are ids or beginnings of them ("node", "aws.zone"); none = all. Except are left out.
	Checks []string `json:"checks,omitempty"`
	Except []string `json:"except,omitempty"`
	// Nodes: only findings that concern one of them. Of the other servers, those of the same clusters are asked for
	// what servers are compared by, if they are taken for alive; one that does not answer soon is not waited for.
	Nodes []string `json:"nodes,omitempty"`
	// Estate is looked at instead of the definition in force. It is not put in force and nothing of it is stored, but
	// its servers are logged in to: that needs an administrator.
	Estate *hierarchy.Estate `json:"estate,omitempty"`
}

// Diagnosis is what came of an examination.
type Diagnosis struct {
	At time.Time `json:"at"`
	// Took is how long it was, Trips how many times the node that was asked most often was asked.
	Took  time.Duration `json:"took"`
	Trips int           `json:"trips"`
	// Asked is how many times each server was asked; who is not in it was not asked at all.
	Asked map[string]int `json:"asked,omitempty"`
	// Findings are in order of what matters, with those that passed.
	Findings []doctor.Finding `json:"findings"`
}

// Mending names a finding and what the person saw: the fix's command, word for word.
type Mending struct {
	Finding string `json:"finding"` // Finding.ID
	Command string `json:"command"`
	// Nodes are the finding's: these are asked again. Without them every server is.
	Nodes []string `json:"nodes,omitempty"`
}

// Mended is what came of it.
type Mended struct {
	// After are the findings of the same check now.
	After []doctor.Finding `json:"after"`
	// Gone: the finding is not there any more.
	Gone bool `json:"gone"`
	// Output is the tail of what the command printed.
	Output string `json:"output,omitempty"`
}

func doctorCalls() []call {
	examine := post("examine", Operator, false, slow, func(ctx context.Context, s Service, in *Examination, c Caller) (any, string, error) {
		if err := c.mayExamine(*in); err != nil {
			return nil, "", err
		}
		d, err := AsDoctor(s)
		if err != nil {
			return nil, "", err
		}
		answer, err := d.Examine(ctx, *in)
		return answer, "", err
	})
	examine.limit = maxLarge // it may hold a definition
	return []call{
		examine,
		post("mend", Administrator, true, slow, func(ctx context.Context, s Service, in *Mending, _ Caller) (any, string, error) {
			d, err := AsDoctor(s)
			if err != nil {
				return nil, "", err
			}
			answer, err := d.Mend(ctx, *in)
			return answer, in.Finding + ": " + in.Command, err
		}),
	}
}

// mayExamine refuses who may not: a definition from elsewhere says where to log in, and with which key.
func (c Caller) mayExamine(e Examination) error {
	need, call := Operator, "examine"
	if e.Estate != nil {
		need, call = Administrator, "examine a definition that is not in force"
	}
	if err := c.may(need, call); err != nil {
		return err
	}
	return nil
}

// AsDoctor is the service as a Doctor; of one that is none, the error that NoDoctor knows.
func AsDoctor(s Service) (Doctor, error) {
	if d, ok := s.(Doctor); ok {
		return d, nil
	}
	return nil, &Error{Kind: KindUnavailable, Message: "this engine cannot examine an estate", Hint: "is it older than the command?", Code: noDoctor}
}

// noDoctor is the code of the error of a service that is no Doctor.
const noDoctor = "no-doctor"

// NoDoctor tells of an examination's error that the engine cannot examine at all, on
// whichever side of a socket that was found.
func NoDoctor(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == noDoctor
}

// Examine implements Doctor.
func (c *Client) Examine(ctx context.Context, e Examination) (*Diagnosis, error) {
	out := new(Diagnosis)
	return answer(out, c.post(ctx, slow, "examine", e, out))
}

// Mend implements Doctor.
func (c *Client) Mend(ctx context.Context, m Mending) (*Mended, error) {
	out := new(Mended)
	return answer(out, c.post(ctx, slow, "mend", m, out))
}

var _ Doctor = (*Client)(nil)
