package flow

// Open shows open flows that began at or before begun and had a packet later than after (both ns since the epoch), the one
// used last first, to within a second; no more than most. each may not call the table, and change nothing.
func (t *Table[S]) Open(begun, after int64, most int, each func(*Flow[S])) {
	oldest := tickOf(after)>>useBits - 1
	for r := t.newest; r != 0 && most > 0; {
		f := t.flows.at(r)
		if f.used < oldest {
			return
		}
		if f.First <= begun && f.Last > after {
			each(f)
			most--
		}
		r = f.older
	}
}
