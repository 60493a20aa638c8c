package capture

import (
	"testing"

	"mlids"
)

// Where a frame entered the network goes with its packet, and not with the next one.
func TestIngressGoesWithThePacket(t *testing.T) {
	port := mlids.Port{Switch: 7, Number: 3}
	d := NewDecoder(DecoderConfig{})
	var p mlids.Packet
	for _, want := range []mlids.Port{port, {}} {
		d.Decode(&Frame{Link: LinkEthernet, Ingress: want}, &p)
		if p.Ingress != want {
			t.Errorf("entered by %v, want %v", p.Ingress, want)
		}
	}
}
