// Package process tells what a peer costs: the same figures that the bench takes of ours.
package process

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// Usage is what the process has used so far.
type Usage struct {
	CPUSeconds float64 `json:"cpuSeconds"`
	// HeapBytes is what is alive after a collection.
	HeapBytes uint64 `json:"heapBytes"`
	Objects   int    `json:"objects"`
	Events    int64  `json:"events"`
}

// CPUSeconds is user and system time of this process.
func CPUSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / float64(time.Second)
}

// Serve answers /usage and what the peer adds to the mux, and says on standard output where, as one line of JSON.
func Serve(mux *http.ServeMux, began time.Time, counts func() (objects int, events int64)) {
	mux.HandleFunc("GET /usage", func(writer http.ResponseWriter, request *http.Request) {
		cpu := CPUSeconds()
		if request.URL.Query().Has("collect") {
			debug.FreeOSMemory()
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		objects, events := counts()
		Answer(writer, Usage{cpu, memory.HeapAlloc, objects, events})
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		Fail(err)
	}
	objects, _ := counts()
	fmt.Printf("{\"url\":\"http://%s\",\"syncMs\":%d,\"cpuSeconds\":%.3f,\"objects\":%d}\n",
		listener.Addr(), time.Since(began).Milliseconds(), CPUSeconds(), objects)
	Fail(http.Serve(listener, mux))
}

// Answer writes the value as JSON.
func Answer(writer http.ResponseWriter, value any) {
	writer.Header().Set("content-type", "application/json")
	if err := json.NewEncoder(writer).Encode(value); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// Fail ends the process.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
