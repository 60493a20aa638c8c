"""A learning switch on os-ken, the peer of mlids sdn in the benchmarks of mlids/mitigate/openflow.

usage: openflow_osken.py PORT MATCH FLOWMODS

It installs a flow for each packet-in whose destination it knows and sends the packet on, as mlids does. MATCH is "flow" for
the fields that mlids matches, "mac" for ports and Ethernet addresses only, as os-ken's own examples do. With FLOWMODS above 0
it also puts that many flows on each switch that connects and prints how many a second the switch confirmed.
"""
import sys
import time

from os_ken import cfg
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ethernet, ipv4, packet, udp
from os_ken.ofproto import ofproto_v1_3

PORT = int(sys.argv[1])
WHOLE = sys.argv[2] == "flow"
FLOWMODS = int(sys.argv[3])


class Learning(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = {}
        self.began = 0.0

    def add(self, dp, priority, match, actions, idle=0):
        parser = dp.ofproto_parser
        inst = [parser.OFPInstructionActions(dp.ofproto.OFPIT_APPLY_ACTIONS, actions)]
        dp.send_msg(parser.OFPFlowMod(datapath=dp, priority=priority, match=match, instructions=inst, idle_timeout=idle))

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def features(self, ev):
        dp = ev.msg.datapath
        parser, ofp = dp.ofproto_parser, dp.ofproto
        self.add(dp, 0, parser.OFPMatch(), [parser.OFPActionOutput(ofp.OFPP_CONTROLLER, ofp.OFPCML_NO_BUFFER)])
        if FLOWMODS:
            self.began = time.perf_counter()
            for i in range(FLOWMODS):
                match = parser.OFPMatch(in_port=1, eth_src="02:00:00:00:00:01", eth_dst=f"02:00:00:00:{i >> 8:02x}:{i & 255:02x}")
                if WHOLE:
                    match = parser.OFPMatch(
                        in_port=1, eth_src="02:00:00:00:00:01", eth_dst="02:00:00:00:00:02", eth_type=0x800, vlan_vid=0,
                        ip_proto=6, ipv4_src="10.0.0.1", ipv4_dst="10.0.0.2", tcp_src=i >> 8, tcp_dst=i & 255)
                self.add(dp, 1000, match, [parser.OFPActionOutput(2)], 60)
            print("written/s", FLOWMODS / (time.perf_counter() - self.began), flush=True)
            dp.send_msg(parser.OFPBarrierRequest(dp))

    @set_ev_cls(ofp_event.EventOFPBarrierReply, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def barrier(self, ev):
        print("flow-mods/s", FLOWMODS / (time.perf_counter() - self.began), flush=True)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, ev):
        msg, dp = ev.msg, ev.msg.datapath
        parser, ofp = dp.ofproto_parser, dp.ofproto
        in_port = msg.match["in_port"]
        pkt = packet.Packet(msg.data)
        eth = pkt.get_protocol(ethernet.ethernet)
        if eth is None or eth.ethertype == 0x88CC:
            return
        self.ports[eth.src] = in_port
        out = self.ports.get(eth.dst, ofp.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out)]
        if out != ofp.OFPP_FLOOD:
            match = parser.OFPMatch(in_port=in_port, eth_src=eth.src, eth_dst=eth.dst)
            ip, ports = pkt.get_protocol(ipv4.ipv4), pkt.get_protocol(udp.udp)
            if WHOLE and ports is not None:
                match = parser.OFPMatch(
                    in_port=in_port, eth_src=eth.src, eth_dst=eth.dst, eth_type=0x800, vlan_vid=0, ip_proto=17,
                    ipv4_src=ip.src, ipv4_dst=ip.dst, udp_src=ports.src_port, udp_dst=ports.dst_port)
            self.add(dp, 1000, match, actions, 15)
        dp.send_msg(parser.OFPPacketOut(
            datapath=dp, buffer_id=ofp.OFP_NO_BUFFER, in_port=in_port, actions=actions, data=msg.data))


def main():
    cfg.CONF(["--ofp-listen-host=127.0.0.1", f"--ofp-tcp-listen-port={PORT}"], project="os_ken", version="bench")
    manager = app_manager.AppManager.get_instance()
    manager.load_apps(["os_ken.controller.ofp_handler", __name__])
    contexts = manager.create_contexts()
    services = manager.instantiate_apps(**contexts)
    from os_ken.lib import hub
    print("listening", flush=True)
    hub.joinall(services)


if __name__ == "__main__":
    main()
