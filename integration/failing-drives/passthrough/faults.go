package main

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"
)

// fault is what a drive does instead of what it is asked for, until told otherwise.
type fault struct {
	// Errno: EIO or EROFS, "" for none.
	Errno string `json:"errno"`
	// Of: what fails, "reads", "writes" or "" for both. Writes are all that changes something, and syncs.
	Of string `json:"of"`
	// DelayMs passes before each operation, of the kind that Of says.
	DelayMs int `json:"delayMs"`
	// Hangs: no operation ends while the fault lasts.
	Hangs bool `json:"hangs"`
}

type kind string

const (
	reading kind = "reads"
	writing kind = "writes"
)

// faults are those of all drives, by their folder's name.
type faults struct {
	mutex   sync.Mutex
	of      map[string]fault
	changed chan struct{}
}

func newFaults() *faults {
	return &faults{of: map[string]fault{}, changed: make(chan struct{})}
}

func (f *faults) set(drive string, to fault) error {
	if to.Errno != "" && errnoOf(to) == 0 {
		return fmt.Errorf("no such error: %s", to.Errno)
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.of[drive] = to
	close(f.changed)
	f.changed = make(chan struct{})
	return nil
}

func (f *faults) get(drive string) (fault, <-chan struct{}) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.of[drive], f.changed
}

// suffer waits as long as the drive hangs or is slow, and answers how it fails.
func (f *faults) suffer(path string, what kind) syscall.Errno {
	drive, _, _ := strings.Cut(path, "/")
	for {
		now, changed := f.get(drive)
		if now.Of != "" && now.Of != string(what) {
			return 0
		}
		if now.Hangs {
			<-changed
			continue
		}
		time.Sleep(time.Duration(now.DelayMs) * time.Millisecond)
		return errnoOf(now)
	}
}

func errnoOf(f fault) syscall.Errno {
	switch f.Errno {
	case "EIO":
		return syscall.EIO
	case "EROFS":
		return syscall.EROFS
	}
	return 0
}
