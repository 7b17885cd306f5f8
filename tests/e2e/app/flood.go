package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// caFlood asks n times, so many at once, over some connections, and counts every answer by its code.
func caFlood(arguments []string) error {
	flags := flag.NewFlagSet("flood", flag.ExitOnError)
	var s service
	s.flags(flags)
	n := flags.Int64("n", 10000, "requests in all")
	parallel := flags.Int("parallel", 10000, "under way at once")
	connections := flags.Int("connections", 8, "over so many connections")
	_ = flags.Parse(arguments)
	token, err := s.token()
	if err != nil {
		return err
	}
	key, err := newKey("p256")
	if err != nil {
		return err
	}
	csr, err := newCSR(key, "")
	if err != nil {
		return err
	}
	conns := make([]*grpc.ClientConn, *connections)
	for i := range conns {
		if conns[i], err = s.connect(); err != nil {
			return err
		}
		defer conns[i].Close()
	}
	var left atomic.Int64
	left.Store(*n)
	var lock sync.Mutex
	codes, messages, took := map[string]int{}, map[string]string{}, []float64{}
	var workers sync.WaitGroup
	began := time.Now()
	for i := 0; i < *parallel; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for left.Add(-1) >= 0 {
				start := time.Now()
				blocks, err := ask(conns[i%len(conns)], question{csr: csr, token: token})
				code := status.Code(err).String()
				if err == nil && len(blocks) < 2 {
					code = "NoChain"
				}
				lock.Lock()
				codes[code]++
				if err != nil {
					messages[code] = status.Convert(err).Message()
				}
				took = append(took, time.Since(start).Seconds())
				lock.Unlock()
			}
		}()
	}
	workers.Wait()
	wall := time.Since(began).Seconds()
	sort.Float64s(took)
	text, _ := json.Marshal(map[string]any{"codes": codes, "messages": messages, "wall_s": wall,
		"p50_s": took[len(took)/2], "p99_s": took[len(took)*99/100], "max_s": took[len(took)-1]})
	fmt.Println(string(text))
	return nil
}
