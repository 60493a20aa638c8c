package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"mlids/internal/ovstest"
)

// errands are what ordinary programs did.
type errands struct {
	pings    pinged
	pages    atomic.Int64
	names    atomic.Int64
	broken   atomic.Int64 // pages and names that did not come
	megabits []float64    // of each transfer
}

// failed reports whether what was asked for did not come: the switch drops packets when others keep the machine busy, so a few may
// be missing.
func (e *errands) failed() bool {
	return e.pings.answered < e.pings.sent*95/100 || e.broken.Load() > (e.pages.Load()+e.names.Load())/50 || e.pages.Load() == 0 || e.names.Load() == 0
}

// String tells them.
func (e *errands) String() string {
	return fmt.Sprintf("%d of %d pings answered, %d pages, %d names, %d of them failed, transfers at %.0f Mbit/s",
		e.pings.answered, e.pings.sent, e.pages.Load(), e.names.Load(), e.broken.Load(), e.megabits)
}

// servers is a web server and a name server that answers whatever it is asked, in Debian's Python.
const servers = `
import http.server, socket, threading
def names():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 53))
    while True:
        q, who = s.recvfrom(512)
        s.sendto(q[:2] + b"\x81\x80" + q[4:6] + b"\x00\x01\x00\x00\x00\x00" + q[12:] + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x02", who)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<html>" + b"x" * 20000
        self.send_response(200); self.send_header("Content-Type", "text/html"); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
threading.Thread(target=names, daemon=True).start()
print("ready", flush=True)
http.server.ThreadingHTTPServer(("", 80), Page).serve_forever()
`

// clients asks for names and pages at a person's pace, in bursts of six as browsers do, for as many seconds as it is told.
const clients = `
import os, random, socket, sys, time, urllib.request, concurrent.futures
end, host = time.time() + float(sys.argv[1]), sys.argv[2]
pages = names = broken = 0
def name(i):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
    label = b"host%d" % i
    s.sendto(os.urandom(2) + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + bytes([len(label)]) + label + b"\x03lab\x00\x00\x01\x00\x01", (host, 53))
    return len(s.recv(512)) > 40
def page(i): return len(urllib.request.urlopen("http://%s/%d" % (host, i), timeout=5).read()) > 20000
pool = concurrent.futures.ThreadPoolExecutor(6)
r = random.Random(1)
while time.time() < end:
    for job, n in ((name, r.randint(1, 4)), (page, r.randint(1, 12))):
        for f in [pool.submit(job, r.randint(0, 999)) for _ in range(n)]:
            try: ok = f.result()
            except Exception: ok = False
            if job is name: names += 1
            else: pages += 1
            broken += not ok
    time.sleep(r.uniform(0.1, 1.5))
print(pages, names, broken)
`

// benign lets h1 and the third host use h2 as people do: pings, names, pages, transfers of some seconds.
func (r *rig) benign(lasts time.Duration) *errands {
	r.tb.Helper()
	e := &errands{}
	server := r.net.Command(r.h2, "/usr/bin/python3", "-c", servers)
	if err := server.Start(); err != nil {
		r.tb.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	end := time.Now().Add(lasts)
	pings := r.ping(r.h1, r.h2, int(lasts/(200*time.Millisecond)), 200*time.Millisecond)
	var group sync.WaitGroup
	group.Go(func() { r.visit(e, r.h1, lasts) })
	group.Go(func() { r.visit(e, r.at, lasts) })
	for time.Until(end) > 8*time.Second {
		e.megabits = append(e.megabits, r.iperf(3, "-b", "50M"))
		time.Sleep(2 * time.Second)
	}
	group.Wait()
	e.pings = pings()
	return e
}

// visit runs the clients in a host.
func (r *rig) visit(e *errands, h *ovstest.Host, lasts time.Duration) {
	out := r.run(h, lasts+20*time.Second, "/usr/bin/python3", "-c", clients, fmt.Sprintf("%.1f", lasts.Seconds()), r.h2.IP)
	var pages, names, broken int64
	if _, err := fmt.Sscan(out, &pages, &names, &broken); err != nil {
		r.tb.Errorf("clients say %q: %v", out, err)
	}
	e.pages.Add(pages)
	e.names.Add(names)
	e.broken.Add(broken)
}
