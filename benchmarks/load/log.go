package main

import (
	"slices"
	"sync"
	"time"
)

const mostProblems = 5

// window is what counts of a run: a server that has nothing to do yet, or not all its clients any more, is not measured.
type window struct{ warmUp, seconds time.Duration }

func (w window) holds(at time.Duration) bool { return at >= w.warmUp && at < w.warmUp+w.seconds }

type entry struct {
	due, ended time.Duration
	status     string
}

// log is what came of all requests.
type log struct {
	window   window
	closed   bool
	lock     sync.Mutex
	entries  []entry
	problems []string
}

func (l *log) add(due, ended time.Duration, answer answer) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.entries = append(l.entries, entry{due, ended, answer.status})
	if answer.problem != "" && len(l.problems) < mostProblems {
		text := answer.status + ": " + answer.problem
		if !slices.Contains(l.problems, text) {
			l.problems = append(l.problems, text)
		}
	}
}

// summary is what is printed. Of the window alone: seconds, counted, good and the latencies, which are in milliseconds.
type summary struct {
	Requests   int                           `json:"requests"`
	Statuses   map[string]int                `json:"statuses"`
	Seconds    float64                       `json:"seconds"`
	Counted    map[string]int                `json:"counted"`
	Good       int                           `json:"good"`
	Latency    map[string]map[string]float64 `json:"latency"`
	Problems   []string                      `json:"problems"`
	CPUSeconds float64                       `json:"cpu_seconds"`
}

// summarise counts, in a closed loop, the answers that ended in the window; in an open loop the requests that were due
// in it. Answers come in lots, as a server works in batches, and a window that begins or ends within the wait for one
// would count a part of a lot too many or too few: in a closed loop the seconds run from the last answer before the
// window to the last one in it.
func (l *log) summarise(goodWithin time.Duration) summary {
	result := summary{
		Requests: len(l.entries),
		Statuses: map[string]int{},
		Counted:  map[string]int{"ok": 0, "refused": 0, "other": 0},
		Latency:  map[string]map[string]float64{},
		Problems: append([]string{}, l.problems...),
	}
	first, last := time.Duration(0), time.Duration(0)
	times := map[string][]time.Duration{}
	for _, each := range l.entries {
		result.Statuses[each.status]++
		at := each.due
		if l.closed {
			at = each.ended
			if at < l.window.warmUp {
				first = max(first, at)
			}
		}
		if !l.window.holds(at) {
			continue
		}
		last = max(last, at)
		kind, took := kindOf(each.status), each.ended-each.due
		result.Counted[kind]++
		times["all"] = append(times["all"], took)
		times[kind] = append(times[kind], took)
		if kind == "ok" && took <= goodWithin {
			result.Good++
		}
	}
	if !l.closed {
		first, last = 0, l.window.seconds
	}
	result.Seconds = max(last-first, 0).Seconds()
	for kind, each := range times {
		result.Latency[kind] = percentiles(each)
	}
	return result
}

func kindOf(status string) string {
	switch status {
	case "200", "OK":
		return "ok"
	case "429", "503", "UNAVAILABLE", "RESOURCE_EXHAUSTED":
		return "refused"
	}
	return "other"
}

func percentiles(times []time.Duration) map[string]float64 {
	slices.Sort(times)
	at := func(part float64) float64 {
		rank := int(part*float64(len(times))+0.999999) - 1 // the nearest rank
		return float64(times[min(max(rank, 0), len(times)-1)].Microseconds()) / 1000
	}
	return map[string]float64{"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p99.9": at(0.999), "max": at(1)}
}
