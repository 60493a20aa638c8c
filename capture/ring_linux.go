package capture

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring walks over the blocks that kernel and reader hand each other.
type ring struct {
	mem    []byte
	blocks int
	cooked bool

	block   int  // the block being read, or awaited
	held    bool // it is the reader's
	packets int  // left in it
	at      int  // the next one's header, from the start of mem
}

// Offsets in a block's header (struct tpacket_block_desc) and a packet's (struct tpacket3_hdr, then struct sockaddr_ll).
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16

	packetNext   = 0
	packetSec    = 4
	packetNsec   = 8
	packetSnap   = 12
	packetLen    = 16
	packetStatus = 20
	packetMAC    = 24
	packetNet    = 26
	packetTCI    = 32
	packetTPID   = 36
	packetAddr   = 48 // of the struct sockaddr_ll
	packetProto  = packetAddr + 2
	packetIndex  = packetAddr + 4
	packetHatype = packetAddr + 8
	packetKind   = packetAddr + 10
)

func host16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }
func host32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }

// status is the word by which a block changes hands. Reading it atomically keeps the block's contents behind it.
func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[r.block*ringBlock+blockStatus])) //nolint:gosec // the kernel writes it, and blocks are aligned to pages
}

// advance gives the block that was read back to the kernel and takes the next one, if that is full or its time is over.
func (r *ring) advance() bool {
	if r.held {
		atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
		r.held = false
		r.block = (r.block + 1) % r.blocks
	}
	if atomic.LoadUint32(r.status())&unix.TP_STATUS_USER == 0 {
		return false
	}
	head := r.mem[r.block*ringBlock:]
	r.held = true
	r.packets = int(host32(head[blockPackets:]))
	r.at = r.block*ringBlock + int(host32(head[blockFirst:]))
	return true
}

// next fills f with the next frame of the block, false when it has no more. The frame stays until advance.
func (r *ring) next(f *Frame) bool {
	for r.packets > 0 {
		h := r.mem[r.at:]
		r.packets--
		r.at += int(host32(h[packetNext:]))
		if host16(h[packetHatype:]) == unix.ARPHRD_LOOPBACK && h[packetKind] == unix.PACKET_OUTGOING {
			continue // it comes again as incoming
		}
		f.Time = int64(host32(h[packetSec:]))*second + int64(host32(h[packetNsec:]))
		f.WireLen = host32(h[packetLen:])
		f.Unready = host32(h[packetStatus:])&unix.TP_STATUS_CSUMNOTREADY != 0
		if r.cooked {
			f.cook(h)
		} else {
			f.ethernet(h)
		}
		f.WireLen = max(f.WireLen, uint32(len(f.Data)))
		return true
	}
	return false
}

// ethernet takes the frame of a packet header h, putting the VLAN tag back that the kernel keeps beside it (IEEE 802.1Q):
// the addresses move to the front, into the headroom.
func (f *Frame) ethernet(h []byte) {
	const addresses = etherSize - 2
	from, size := int(host16(h[packetMAC:])), int(host32(h[packetSnap:]))
	f.Link = LinkEthernet
	f.Data = h[from : from+size : from+size]
	if tpid, ok := vlanOf(h); ok && size >= addresses {
		f.Data = h[from-4 : from+size : from+size]
		copy(f.Data, f.Data[4:4+addresses])
		binary.BigEndian.PutUint16(f.Data[addresses:], tpid)
		binary.BigEndian.PutUint16(f.Data[addresses+2:], uint16(host32(h[packetTCI:])))
		f.WireLen += 4
	}
}

// cook puts a Linux cooked header v2 in front of the packet, and the VLAN tag if there is one.
func (f *Frame) cook(h []byte) {
	from, size := int(host16(h[packetNet:])), int(host32(h[packetSnap:]))
	proto := be16(h[packetProto:])
	extra := linkSLL2Size
	if tpid, ok := vlanOf(h); ok {
		extra += 4
		binary.BigEndian.PutUint16(h[from-4:], uint16(host32(h[packetTCI:])))
		binary.BigEndian.PutUint16(h[from-2:], proto)
		proto = tpid
	}
	f.Link = LinkSLL2
	f.Data = h[from-extra : from+size : from+size]
	index, hatype, kind := host32(h[packetIndex:]), host16(h[packetHatype:]), h[packetKind]
	head := f.Data[:linkSLL2Size]
	clear(head)
	binary.BigEndian.PutUint16(head, proto)
	binary.BigEndian.PutUint32(head[4:], index)
	binary.BigEndian.PutUint16(head[8:], hatype)
	head[10] = kind
	f.WireLen += uint32(extra)
}

// vlanOf is the tag protocol of a frame whose tag the kernel has taken off.
func vlanOf(h []byte) (tpid uint16, ok bool) {
	status := host32(h[packetStatus:])
	if status&unix.TP_STATUS_VLAN_VALID == 0 {
		return 0, false
	}
	if status&unix.TP_STATUS_VLAN_TPID_VALID == 0 {
		return etherVLAN, true
	}
	return host16(h[packetTPID:]), true
}

func (r *ring) close() error {
	mem := r.mem
	*r = ring{}
	if mem == nil {
		return nil
	}
	return unix.Munmap(mem)
}
