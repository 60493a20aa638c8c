package dense

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls work for 0 to n-1 on all cores and waits. What work does must depend on its number alone.
func Each(n int, work func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	loop := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			work(i)
		}
	}
	for range min(runtime.GOMAXPROCS(0), n) - 1 {
		wg.Go(loop)
	}
	loop()
	wg.Wait()
}
