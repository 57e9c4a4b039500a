package r53sim

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// namespace is that of every request and answer of this API version.
const namespace = "https://route53.amazonaws.com/doc/2013-04-01/"

// element is a piece of an answer. A leaf has text, a branch has children; a leaf without text is left out.
type element struct {
	name string
	text string
	kids []element
}

func leaf(name string, value any) element { return element{name: name, text: fmt.Sprint(value)} }

func branch(name string, kids ...element) element {
	return element{name: name, kids: append([]element{}, kids...)}
}

// list is <name><item>…</item>…</name>.
func list[T any](name, item string, values []T, inside func(T) []element) element {
	out := branch(name)
	for _, v := range values {
		out.kids = append(out.kids, branch(item, inside(v)...))
	}
	return out
}

// texts is a list of plain values.
func texts(name, item string, values []string) element {
	out := branch(name)
	for _, v := range values {
		out.kids = append(out.kids, leaf(item, v))
	}
	return out
}

func (e element) write(b *bytes.Buffer, attributes string) {
	if e.text == "" && e.kids == nil {
		return
	}
	b.WriteString("<" + e.name + attributes + ">")
	_ = xml.EscapeText(b, []byte(e.text)) // a bytes.Buffer never fails
	for _, kid := range e.kids {
		kid.write(b, "")
	}
	b.WriteString("</" + e.name + ">")
}

// document is a whole answer with this root.
func document(root element) []byte {
	b := bytes.NewBufferString(`<?xml version="1.0"?>` + "\n")
	root.write(b, fmt.Sprintf(" xmlns=%q", namespace))
	return b.Bytes()
}

// refusal is the whole document of a refused call.
func refusal(e *apiError, requestID string, legacy bool) []byte {
	if legacy && e.code == "InvalidChangeBatch" {
		return document(branch("InvalidChangeBatch", texts("Messages", "Message", e.list), leaf("RequestId", requestID)))
	}
	kind := "Sender"
	if e.status >= 500 {
		kind = "Receiver"
	}
	return document(branch("ErrorResponse",
		branch("Error", leaf("Type", kind), leaf("Code", e.code), leaf("Message", e.message)),
		leaf("RequestId", requestID)))
}
