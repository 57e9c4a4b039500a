package hierarchy

import (
	"encoding/json"
	"testing"
)

func TestDigestNamesWhatADefinitionSays(t *testing.T) {
	b, err := json.Marshal(figure1())
	if err != nil {
		t.Fatal(err)
	}
	travelled := &Estate{}
	if err := json.Unmarshal(b, travelled); err != nil {
		t.Fatal(err)
	}
	travelled.Paths, travelled.Servers[0].Tuning = []CommPath{}, map[string]string{}
	if Digest(travelled) != Digest(figure1()) {
		t.Error("a definition that travelled has another digest")
	}
	for _, c := range badDefinitions {
		e := figure1()
		if c.change(e); len(Diff(figure1(), e)) > 0 && Digest(e) == Digest(figure1()) {
			t.Errorf("%s: changed, but the digest is the same", c.what)
		}
	}
}
