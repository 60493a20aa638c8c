#!/usr/bin/python3
"""The seed topology with Mininet's Python API: h1 and the attacker on switch s1, h2 on switch s2, mlids as controller.

    unshare --net /usr/bin/python3 lab/sdn/mininet_seed.py --mlids .build/bin/mlids

as root starts the controller, waits for h1 to reach h2, and hands over to Mininet's command line; try `h1 ping h2`, then
`attacker hping3 --icmp -i u1000 -c 5000 h2`. `make lab-mininet` uses it without --mlids: it prints the hosts' process
numbers as JSON, and ends when its input does. Daemons, directories and names are its own; they end with it.
"""
import argparse, ctypes, json, os, pathlib, shutil, signal, subprocess, sys, tempfile, time

from mininet.cli import CLI
from mininet.link import OVSLink
from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.node import OVSSwitch, RemoteController
from mininet.topo import Topo


class Seed(Topo):
    """Two switches, and who is behind them."""

    def build(self):
        s1, s2 = self.addSwitch("s1", dpid="1"), self.addSwitch("s2", dpid="2")
        for name, number, switch, port in (("h1", 1, s1, 1), ("attacker", 3, s1, 2), ("h2", 2, s2, 1)):
            host = self.addHost(name, ip=f"10.0.0.{number}/24", mac=f"02:00:00:00:00:{number:02x}")
            self.addLink(host, switch, port2=port)
        self.addLink(s1, s2, port1=10, port2=10, cls=OVSLink)


def start(*program, log):
    """Starts a program that ends with us, whatever ends us."""
    bound = ctypes.CDLL(None).prctl
    return subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=lambda: bound(1, signal.SIGKILL))


def switches(run, log):
    """Starts Open vSwitch with a run directory of its own."""
    subprocess.run(["ovsdb-tool", "create", f"{run}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"], check=True)
    quiet = ("-vconsole:warn", "-vsyslog:off", "-vfile:off")
    yield start("ovsdb-server", f"{run}/conf.db", f"--remote=punix:{run}/db.sock", f"--unixctl={run}/db.ctl", *quiet, log=log)
    subprocess.run(["ovs-vsctl", "--retry", "--timeout=10", "--no-wait", "init"], check=True)
    yield start("ovs-vswitchd", f"unix:{run}/db.sock", f"--unixctl={run}/vs.ctl", *quiet, log=log)


def network(port):
    """Makes the network, with switches in user space: there may be no kernel module."""
    Mininet.inited = True  # it would raise limits of the whole machine
    net = Mininet(Seed(), switch=lambda name, **args: OVSSwitch(name, datapath="user", protocols="OpenFlow13", **args), controller=None)
    net.addController("c0", controller=RemoteController, ip="127.0.0.1", port=port)
    net.start()
    for host in net.hosts:
        host.cmd("ethtool -K", host.defaultIntf(), "tx off")  # the switch does not finish checksums that the host left open
    return net


def main():
    flags = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags.add_argument("--port", type=int, default=6653, help="of the controller, on the loopback")
    flags.add_argument("--mlids", help="the program, to be started as controller")
    args = flags.parse_args()
    setLogLevel("error")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    run = tempfile.mkdtemp(prefix="mn")
    os.environ.update(OVS_RUNDIR=run, OVS_LOGDIR=run, OVS_DBDIR=run)  # for Mininet's shells, too
    ours, net = [], None
    with open(f"{run}/log", "w") as log:
        try:
            if args.mlids:
                ours.append(start(args.mlids, "sdn", "--listen", f"127.0.0.1:{args.port}", "--data-dir", f"{run}/mlids", log=sys.stderr))
            ours.extend(switches(run, log))
            net = network(args.port)
            if args.mlids:
                while net["h1"].cmd("ping -c 1 -W 1", net["h2"].IP(), ">/dev/null; echo $?").strip() != "0":
                    time.sleep(0.2)
                CLI(net)
            else:
                print(json.dumps({host.name: {"pid": host.pid, "interface": str(host.defaultIntf()), "ip": host.IP(), "mac": host.MAC()} for host in net.hosts}), flush=True)
                sys.stdin.read()
        finally:
            if net:
                net.stop()
            for process in reversed(ours):
                process.terminate()
                process.wait()
            shutil.rmtree(run)


if __name__ == "__main__":
    if not pathlib.Path("/usr/share/openvswitch/vswitch.ovsschema").exists():
        sys.exit("needs Open vSwitch: run make tools")
    main()
