"""Times flow meters on two synthetic captures, whole processes, page cache warm, one and two cores, and prints a table of
packets per second, flows per second, peak memory, and the rate as a multiple of softflowd's. Each round runs every meter
once, so that a machine that becomes slower does so for all of them; medians of the rounds count, and multiples are taken
within each round. Meters that are not installed are left out: softflowd (counters only), argus, ndpiReader (Debian);
nfstream (PyPI).

    python3 lab/bench/flows.py MLIDS MIX.pcap SCAN.pcap
"""
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 9
SOFTFLOWD = ("softflowd (counters only)", 1)  # what others are measured by
SLOW_ROUNDS = 2  # of meters that take several times as long


def run(command, cores):
    """Runs a command on so many cores and returns wall seconds, peak memory in MB and what it printed, None if it failed."""
    def pin():
        os.sched_setaffinity(0, set(range(cores)))
    with tempfile.TemporaryFile() as err:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err, preexec_fn=pin,
                                   env={**os.environ, "GOMAXPROCS": str(cores)})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        err.seek(0)
        text = err.read().decode(errors="replace")
    return None if status else (seconds, usage.ru_maxrss / 1024, text)


def meters(mlids, pcap, out):
    yield "mlids cicflow/v4, CSV", [mlids, "flows", pcap, "--out", out], (1, 2)
    yield "mlids cicflow/2018, CSV", [mlids, "flows", pcap, "--schema", "cicflow/2018", "--out", out], (1, 2)
    yield "mlids kdd99, CSV", [mlids, "flows", pcap, "--schema", "kdd99", "--out", out], (1, 2)
    yield "mlids detect, both models", ["sh", "-c", f"{mlids} detect {pcap} >{out} || [ $? = 3 ]"], (1,)
    if shutil.which("softflowd"):
        yield SOFTFLOWD[0], ["softflowd", "-r", pcap, "-n", "127.0.0.1:9", "-d"], (1,)
    if shutil.which("argus"):
        yield "argus", ["argus", "-r", pcap, "-w", out], (1,)
    if shutil.which("ndpiReader"):
        yield "ndpiReader", ["ndpiReader", "-i", pcap, "-q"], (1,)
    yield "nfstream", [sys.executable, "-c", f"from nfstream import NFStreamer\nfor f in NFStreamer({pcap!r}, statistical_analysis=True, n_meters=1): pass"], (1,)


def main():
    mlids, captures = sys.argv[1], {"mix": sys.argv[2], "scan": sys.argv[3]}
    packets = {}
    print("| meter | capture | cores | packets/s | × softflowd | flows/s | MB |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, pcap in captures.items():
            with open(pcap, "rb") as f:  # warm the page cache
                while f.read(1 << 20):
                    pass
            rows = [(meter, command, n) for meter, command, cores in meters(mlids, pcap, os.path.join(folder, "out")) for n in cores]
            results = {}
            for round_ in range(ROUNDS):
                for meter, command, n in rows:
                    slow = not (meter.startswith("mlids") or meter.startswith("softflowd"))
                    if slow and round_ >= SLOW_ROUNDS or round_ and (meter, n) not in results:
                        continue
                    result = run(command, n)
                    if result:
                        results.setdefault((meter, n), []).append(result)
            for (meter, n), rounds in results.items():
                seconds = statistics.median(r[0] for r in rounds)
                memory, text = max(r[1] for r in rounds), rounds[0][2]
                multiples = [s[0] / r[0] for s, r in zip(results.get(SOFTFLOWD, []), rounds)]
                multiple = f"{statistics.median(multiples):.2f}" if multiples else "–"
                if m := re.search(r"packets: (\d+)", text):
                    packets[name] = int(m[1])
                flows = re.search(r"flows: (\d+)", text)
                rate = f"{int(flows[1]) / seconds:,.0f}" if flows else "–"
                print(f"| {meter} | {name} | {n} | {packets[name] / seconds / 1e6:.2f} M | {multiple} | {rate} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
