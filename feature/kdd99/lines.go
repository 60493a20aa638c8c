package kdd99

import "bytes"

// lineBytes is how much of a line is looked at.
const lineBytes = 256

// lines cuts a stream into lines. Of long ones it keeps the beginning.
type lines struct {
	n    uint16
	skip bool // the rest of a line of which the beginning is missing
	buf  [lineBytes]byte
}

// next takes bytes of the stream up to the end of a line. It returns that line, without CR and LF, valid until the next
// call, the bytes behind it, and whether there was a whole line.
func (l *lines) next(b []byte) (line, rest []byte, whole bool) {
	line, rest, whole = bytes.Cut(b, []byte{'\n'})
	if !whole {
		l.keep(b)
		return nil, nil, false
	}
	if l.skip {
		l.reset()
		return nil, rest, false
	}
	if l.n > 0 {
		l.keep(line)
		line = l.buf[:l.n]
		l.n = 0
	}
	line = line[:min(len(line), lineBytes)]
	return bytes.TrimSuffix(line, []byte("\r")), rest, true
}

// keep appends what there is room for.
func (l *lines) keep(b []byte) {
	if !l.skip {
		l.n += uint16(copy(l.buf[l.n:], b))
	}
}

// put appends one byte, if there is room.
func (l *lines) put(c byte) {
	if int(l.n) < len(l.buf) && !l.skip {
		l.buf[l.n] = c
		l.n++
	}
}

// back takes the last byte away.
func (l *lines) back() {
	if l.n > 0 {
		l.n--
	}
}

// text is what there is of the line that has not ended.
func (l *lines) text() []byte { return l.buf[:l.n] }

// drop gives up the line that has not ended.
func (l *lines) drop() { l.n, l.skip = 0, true }

// reset begins a line.
func (l *lines) reset() { l.n, l.skip = 0, false }
