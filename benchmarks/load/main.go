// Load sends the requests of a deck to a server on this machine and prints, as JSON, what came of them.
//
// In a closed loop each client sends the next request once the last is answered; in an open loop requests are due at
// random times (Poisson), whether the server keeps up or not. benchmarks/load_client.py calls it.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

type options struct {
	target, protocol, deck            string
	clients, requests, connections    int
	rate                              float64
	seconds, warmUp, goodWithin, wait time.Duration
	seed                              uint64
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	given, err := parse(arguments)
	if err != nil {
		return err
	}
	deck, err := readDeck(given.deck)
	if err != nil {
		return err
	}
	dial := dialHTTP
	if given.protocol == "grpc" {
		dial = dialGRPC
	}
	log := &log{window: window{warmUp: given.warmUp, seconds: given.seconds}, closed: given.rate == 0}
	loop := &loop{given, deck, dial, log, time.Time{}}
	if given.rate > 0 {
		err = loop.open()
	} else {
		err = loop.closed()
	}
	if err != nil {
		return err
	}
	summary := log.summarise(given.goodWithin)
	summary.CPUSeconds = cpuSeconds()
	return json.NewEncoder(os.Stdout).Encode(summary)
}

func parse(arguments []string) (options, error) {
	var given options
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	flags.StringVar(&given.target, "target", "", "127.0.0.1:PORT")
	flags.StringVar(&given.protocol, "protocol", "http", "http: the deck has whole requests; grpc: messages of ModelInfer")
	flags.StringVar(&given.deck, "deck", "", "file of requests, each behind its length, 4 bytes, little-endian")
	flags.IntVar(&given.clients, "clients", 1, "closed loop: how many have one request in flight each")
	flags.Float64Var(&given.rate, "rate", 0, "open loop: requests a second; 0 is a closed loop")
	flags.IntVar(&given.requests, "requests", 0, "stop after so many; 0 is no bound")
	flags.IntVar(&given.connections, "connections", 1024, "open loop: at most so many connections")
	flags.DurationVar(&given.seconds, "time", time.Second, "how long to measure")
	flags.DurationVar(&given.warmUp, "warm-up", 0, "how long to send before it")
	flags.DurationVar(&given.goodWithin, "good-within", 100*time.Millisecond, "an answer that comes sooner is a good one")
	flags.DurationVar(&given.wait, "wait", 60*time.Second, "how long to wait for an answer")
	flags.Uint64Var(&given.seed, "seed", 0, "of the random times")
	if err := flags.Parse(arguments); err != nil {
		return given, err
	}
	host, port, err := net.SplitHostPort(given.target)
	if err != nil || host != "127.0.0.1" {
		return given, fmt.Errorf("-target %q: load goes to this machine alone; give 127.0.0.1:PORT", given.target)
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return given, fmt.Errorf("-target %q: %q is not a port", given.target, port)
	}
	if given.protocol != "http" && given.protocol != "grpc" {
		return given, fmt.Errorf("-protocol %q: give http or grpc", given.protocol)
	}
	if given.clients < 1 || given.rate < 0 || given.requests < 0 || given.connections < 1 {
		return given, errors.New("-clients and -connections start at 1, -rate and -requests at 0")
	}
	return given, nil
}

func readDeck(path string) ([][]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var deck [][]byte
	for len(data) > 0 {
		if len(data) < 4 || uint64(len(data)) < 4+uint64(binary.LittleEndian.Uint32(data)) {
			return nil, fmt.Errorf("-deck %s: it ends within request %d", path, len(deck))
		}
		end := 4 + int(binary.LittleEndian.Uint32(data))
		deck = append(deck, data[4:end])
		data = data[end:]
	}
	if len(deck) == 0 {
		return nil, fmt.Errorf("-deck %s: there is no request in it", path)
	}
	return deck, nil
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}
