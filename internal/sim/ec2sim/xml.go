package ec2sim

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
)

// element is a piece of an answer. A leaf has text, a branch has children; an element that is neither is written empty.
type element struct {
	name string
	text string
	kids []element
}

// leaf is <name>value</name>. Strings that are empty are left out of the answer, as EC2 does.
func leaf(name string, value any) element {
	switch v := value.(type) {
	case string:
		return element{name: name, text: v}
	case bool:
		return element{name: name, text: strconv.FormatBool(v)}
	}
	return element{name: name, text: fmt.Sprint(value)}
}

// branch is <name>…</name> around its children.
func branch(name string, kids ...element) element {
	return element{name: name, kids: append([]element{}, kids...)}
}

// set is EC2's list: <name><item>…</item>…</name>.
func set[T any](name string, list []T, item func(T) []element) element {
	out := branch(name)
	for _, v := range list {
		out.kids = append(out.kids, branch("item", item(v)...))
	}
	return out
}

func (e element) isEmptyLeaf() bool { return e.text == "" && e.kids == nil }

func (e element) write(b *bytes.Buffer) {
	if e.isEmptyLeaf() {
		return
	}
	b.WriteString("<" + e.name + ">")
	_ = xml.EscapeText(b, []byte(e.text)) // a bytes.Buffer never fails
	for _, kid := range e.kids {
		kid.write(b)
	}
	b.WriteString("</" + e.name + ">")
}

const ec2Namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

// answer is the whole document of a successful EC2 call.
func answer(action, requestID string, body []element) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, "<%sResponse xmlns=%q>", action, ec2Namespace)
	leaf("requestId", requestID).write(&b)
	for _, e := range body {
		e.write(&b)
	}
	fmt.Fprintf(&b, "</%sResponse>", action)
	return b.Bytes()
}

// refusal is the whole document of a refused EC2 call.
func refusal(e *apiError, requestID string) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	branch("Response",
		branch("Errors", branch("Error", leaf("Code", e.code), leaf("Message", e.message))),
		leaf("RequestID", requestID),
	).write(&b)
	return b.Bytes()
}
