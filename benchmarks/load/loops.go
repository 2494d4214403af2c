package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

type loop struct {
	options
	deck  [][]byte
	dial  func(target string, wait time.Duration) (sender, error)
	log   *log
	begin time.Time
}

// closed has each client send the next request of the deck once its last one is answered.
func (l *loop) closed() error {
	var next atomic.Int64
	var clients sync.WaitGroup
	senders := make([]sender, l.clients)
	for i := range senders {
		opened, err := l.dial(l.target, l.wait)
		if err != nil {
			return err
		}
		defer opened.close()
		senders[i] = opened
	}
	failures := make(chan error, l.clients)
	l.begin = time.Now()
	for _, each := range senders {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for time.Since(l.begin) < l.warmUp+l.seconds {
				number := int(next.Add(1)) - 1
				if l.requests > 0 && number >= l.requests {
					return
				}
				due := time.Since(l.begin)
				answer := each.send(l.deck[number%len(l.deck)])
				l.log.add(due, time.Since(l.begin), answer)
				if answer.broken {
					if err := each.redial(); err != nil {
						failures <- err
						return
					}
				}
			}
		}()
	}
	clients.Wait()
	close(failures)
	return <-failures
}

// open sends each request when it is due, over a connection that is free, or over a new one. Latency counts from when
// it was due: a client that is late must not flatter the server.
func (l *loop) open() error {
	var sending sync.WaitGroup
	var lock sync.Mutex
	var free []sender
	opened := 0
	take := func() (sender, error) {
		lock.Lock()
		if last := len(free) - 1; last >= 0 {
			defer lock.Unlock()
			taken := free[last]
			free = free[:last]
			return taken, nil
		}
		full := opened == l.connections
		if !full {
			opened++
		}
		lock.Unlock()
		if full {
			return nil, fmt.Errorf("%d connections are busy: -connections allows no more", opened)
		}
		return l.dial(l.target, l.wait)
	}
	l.begin = time.Now()
	for number, due := range l.arrivals() {
		if l.requests > 0 && number == l.requests {
			break
		}
		time.Sleep(due - time.Since(l.begin))
		sending.Add(1)
		go func() {
			defer sending.Done()
			taken, err := take()
			if err != nil {
				l.log.add(due, time.Since(l.begin), answer{status: unanswered, problem: err.Error()})
				return
			}
			answer := taken.send(l.deck[number%len(l.deck)])
			l.log.add(due, time.Since(l.begin), answer)
			if answer.broken && taken.redial() != nil {
				return // whoever needs one opens another
			}
			lock.Lock()
			free = append(free, taken)
			lock.Unlock()
		}()
	}
	sending.Wait()
	for _, each := range free {
		each.close()
	}
	return nil
}

// arrivals are when requests are due: at random times, but as many as the rate says, in the warm-up and in what is
// measured, for chance would make a short run one of another rate. Where their number is given, the times of a Poisson
// process are uniform (Ross, Introduction to Probability Models, theorem 5.2).
func (l *loop) arrivals() []time.Duration {
	random := rand.New(rand.NewPCG(l.seed, 0))
	var due []time.Duration
	for _, part := range []struct{ begin, length time.Duration }{{0, l.warmUp}, {l.warmUp, l.seconds}} {
		for range int(math.Round(l.rate * part.length.Seconds())) {
			due = append(due, part.begin+time.Duration(random.Float64()*float64(part.length)))
		}
	}
	slices.Sort(due)
	return due
}
