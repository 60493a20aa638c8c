package capture

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"mlids/capture/filter"
)

// ringRetire is after how long the kernel hands over a block that is not full.
const ringRetire = 50 * time.Millisecond

// ringHeadroom is what the kernel leaves free in front of a frame: room for a cooked header and a VLAN tag.
const ringHeadroom = 24

// packetSocket is an AF_PACKET socket. Frames of Ethernet-like interfaces come with their header; those of others and of
// all interfaces together without (cooked), as those headers differ.
type packetSocket struct {
	fd     int
	index  int // of the interface, 0 for all
	cooked bool
}

// newPacketSocket opens a socket that is bound to the interface but does not receive yet.
func newPacketSocket(name string) (*packetSocket, error) {
	s := &packetSocket{fd: -1, cooked: true}
	if name != AnyInterface {
		face, err := net.InterfaceByName(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, ErrInterface)
		}
		if face.Flags&net.FlagUp == 0 {
			return nil, fmt.Errorf("it is down, bring it up with: ip link set dev %s up: %w", name, ErrInterface)
		}
		s.index = face.Index
	}
	if err := s.open(unix.SOCK_DGRAM); err != nil || s.index == 0 {
		return s, err
	}
	hatype, err := s.hatype()
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	if hatype != unix.ARPHRD_ETHER && hatype != unix.ARPHRD_LOOPBACK {
		return s, nil
	}
	if err := s.close(); err != nil {
		return nil, err
	}
	s.cooked = false
	if err := s.open(unix.SOCK_RAW); err != nil {
		return nil, err
	}
	if hatype == unix.ARPHRD_LOOPBACK {
		// What goes out there comes in again. Before Linux 4.20 this fails, and the ring leaves it out alone.
		_ = unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	return s, nil
}

// open makes the socket. Without a protocol it receives nothing.
func (s *packetSocket) open(kind int) error {
	fd, err := unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		s.fd = fd
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: s.index})
	}
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("packet socket: %w: it needs root or the capability CAP_NET_RAW", err)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("packet socket: %w: %w", err, ErrInterface), s.close())
	}
	return nil
}

// hatype is the interface's hardware type.
func (s *packetSocket) hatype() (uint16, error) {
	addr, err := unix.Getsockname(s.fd)
	if err != nil {
		return 0, fmt.Errorf("hardware type: %w", err)
	}
	if link, ok := addr.(*unix.SockaddrLinklayer); ok {
		return link.Hatype, nil
	}
	return 0, fmt.Errorf("hardware type: %w", ErrInterface)
}

// ring sets the receive ring up and maps it.
func (s *packetSocket) ring(blocks int) (ring, error) {
	const frame = 2048 // the kernel uses it to check the sizes only: frames in a block are as long as they are
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return ring{}, fmt.Errorf("ring of TPACKET_V3 (Linux 3.2 and later): %w", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, ringHeadroom); err != nil {
		return ring{}, fmt.Errorf("room for VLAN tags: %w", err)
	}
	req := &unix.TpacketReq3{
		Block_size: ringBlock, Block_nr: uint32(blocks), Frame_size: frame, Frame_nr: uint32(blocks * (ringBlock / frame)),
		Retire_blk_tov: uint32(ringRetire.Milliseconds()),
	}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, req); err != nil {
		return ring{}, fmt.Errorf("ring of %d MiB: %w", blocks, err)
	}
	mem, err := unix.Mmap(s.fd, 0, blocks*ringBlock, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return ring{}, fmt.Errorf("mapping the ring: %w", err)
	}
	return ring{mem: mem, blocks: blocks}, nil
}

// filter makes the kernel drop what does not match, and cut the rest to the snap length.
func (s *packetSocket) filter(expr string, snap uint32) error {
	layout := filter.Layout{Proto: etherSize - 2, Network: etherSize, Metadata: true}
	if s.cooked {
		layout = filter.Layout{Proto: -1} // the kernel's program sees the packet from its network header on
	}
	program, err := filter.Compile(expr, layout, snap)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFilter, err)
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("filter %q: %w", expr, err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, prog); err != nil {
		return fmt.Errorf("attaching the filter %q of %d instructions: %w", expr, len(code), err)
	}
	return nil
}

// promiscuous asks the card for frames to others, as long as the socket is open.
func (s *packetSocket) promiscuous() error {
	if s.index == 0 {
		return nil
	}
	mreq := &unix.PacketMreq{Ifindex: int32(s.index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, mreq); err != nil {
		return fmt.Errorf("promiscuous mode: %w", err)
	}
	return nil
}

// start begins to receive, from all protocols, alone or sharing the traffic with its group by flows.
func (s *packetSocket) start(group uint16) error {
	all := host16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL}) // in network order
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Ifindex: s.index, Protocol: all}); err != nil {
		return fmt.Errorf("beginning to receive: %w: %w", err, ErrInterface)
	}
	if group == 0 {
		return nil
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, int(group)|unix.PACKET_FANOUT_HASH<<16); err != nil {
		return fmt.Errorf("joining fan-out group %d: %w", group, err)
	}
	return nil
}

// failure is why the socket stopped receiving, nil if it has not.
func (s *packetSocket) failure() error {
	code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || code == 0 {
		return err
	}
	if unix.Errno(code) == unix.ENETDOWN {
		return fmt.Errorf("it went down: %w", ErrInterface)
	}
	return fmt.Errorf("%w: %w", unix.Errno(code), ErrInterface)
}

func (s *packetSocket) close() error {
	if s.fd < 0 {
		return nil
	}
	err := unix.Close(s.fd)
	s.fd = -1
	return err
}
