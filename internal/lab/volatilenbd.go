package lab

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// The part of the NBD protocol that nbd-client 3.24 uses with one export and one connection: the fixed newstyle handshake,
// and reads, writes and flushes with simple replies (NetworkBlockDevice/nbd, doc/proto.md).

const (
	nbdMagic       = 0x4e42444d41474943 // "NBDMAGIC"
	nbdOptionMagic = 0x49484156454f5054 // "IHAVEOPT"
	nbdReplyMagic  = 0x3e889045565a9    // of options
	nbdRequest     = 0x25609513
	nbdReply       = 0x67446698

	nbdFixedNewstyle, nbdNoZeroes = 1, 2

	nbdOptExportName, nbdOptAbort, nbdOptGo   = 1, 2, 7
	nbdRepAck, nbdRepInfo, nbdRepUnsupported  = 1, 3, 1<<31 + 1
	nbdInfoExport                             = 0
	nbdRead, nbdWrite, nbdDisconnect, nbdSync = 0, 1, 2, 3
	nbdForceUnit                              = 1 // a write's flag

	nbdHasFlags, nbdSendFlush, nbdSendFUA = 1, 4, 8
	nbdFlags                              = nbdHasFlags | nbdSendFlush | nbdSendFUA

	nbdInvalid  = 22       // the protocol's EINVAL
	nbdLongest  = 32 << 20 // of a request
	nbdLongName = 4 << 10  // of an option
)

func (d *VolatileDisk) serve(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return // the lab is closed
		}
		go func() {
			defer c.Close()
			// How a connection ends says nothing: the guest lost its power, or let go.
			_ = d.talk(bufio.NewReader(c), c)
		}()
	}
}

func put(w io.Writer, fields ...any) error {
	var b []byte
	var err error
	for _, f := range fields {
		if b, err = binary.Append(b, binary.BigEndian, f); err != nil {
			return err
		}
	}
	_, err = w.Write(b)
	return err
}

func get(r io.Reader, fields ...any) error {
	for _, f := range fields {
		if err := binary.Read(r, binary.BigEndian, f); err != nil {
			return err
		}
	}
	return nil
}

// talk is one connection from its beginning to its end.
func (d *VolatileDisk) talk(r io.Reader, w io.Writer) error {
	if err := put(w, uint64(nbdMagic), uint64(nbdOptionMagic), uint16(nbdFixedNewstyle|nbdNoZeroes)); err != nil {
		return err
	}
	var client uint32
	if err := get(r, &client); err != nil {
		return err
	}
	for {
		ready, err := d.option(r, w, client&nbdNoZeroes != 0)
		if err != nil {
			return err
		}
		if ready {
			break
		}
	}
	for {
		if err := d.request(r, w); err != nil {
			return err
		}
	}
}

// option answers one option of the handshake; ready ends it. The name of the export is not looked at: there is one.
func (d *VolatileDisk) option(r io.Reader, w io.Writer, short bool) (ready bool, err error) {
	var magic uint64
	var option, length uint32
	if err := get(r, &magic, &option, &length); err != nil {
		return false, err
	}
	if magic != nbdOptionMagic || length > nbdLongName {
		return false, errors.New("not an option")
	}
	if _, err := io.CopyN(io.Discard, r, int64(length)); err != nil {
		return false, err
	}
	size := uint64(len(d.stable))
	switch option {
	case nbdOptExportName:
		if err := put(w, size, uint16(nbdFlags)); err != nil || short {
			return true, err
		}
		return true, put(w, make([]byte, 124))
	case nbdOptGo:
		return true, put(w,
			uint64(nbdReplyMagic), option, uint32(nbdRepInfo), uint32(12), uint16(nbdInfoExport), size, uint16(nbdFlags),
			uint64(nbdReplyMagic), option, uint32(nbdRepAck), uint32(0))
	case nbdOptAbort:
		return false, io.EOF
	}
	return false, put(w, uint64(nbdReplyMagic), option, uint32(nbdRepUnsupported), uint32(0))
}

// request carries one request out. They are answered in their order.
func (d *VolatileDisk) request(r io.Reader, w io.Writer) error {
	var magic, length uint32
	var flags, kind uint16
	var handle, off uint64
	if err := get(r, &magic, &flags, &kind, &handle, &off, &length); err != nil {
		return err
	}
	if magic != nbdRequest || length > nbdLongest {
		return errors.New("not a request")
	}
	var data []byte
	if kind == nbdRead || kind == nbdWrite {
		data = make([]byte, length)
	}
	if kind == nbdWrite {
		if _, err := io.ReadFull(r, data); err != nil {
			return err
		}
	}
	bad := data != nil && !d.inside(off, length)
	switch {
	case bad:
	case kind == nbdRead:
		d.read(data, int64(off))
	case kind == nbdWrite:
		d.write(data, int64(off), flags&nbdForceUnit != 0)
	case kind == nbdSync:
		d.flush()
	case kind == nbdDisconnect:
		return io.EOF
	default:
		bad = true
	}
	code := uint32(0)
	if bad {
		code = nbdInvalid
	}
	if err := put(w, uint32(nbdReply), code, handle); err != nil || kind != nbdRead || bad {
		return err
	}
	_, err := w.Write(data)
	return err
}
