package main

import (
	"fmt"
	"sync"
	"syscall"
	"time"
)

// entry is one thing that happened to an image: a write, or a flush where data is nil.
type entry struct {
	image  int
	offset int64
	data   []byte
}

// fault is what a drive does instead of what it is asked for, until told otherwise.
type fault struct {
	// Errno: EIO or ENOSPC for writes, flushes and, where Reads is set, reads; "" for none.
	Errno string `json:"errno"`
	Reads bool   `json:"reads"`
	// DelayMs passes before each write and flush.
	DelayMs int `json:"delayMs"`
}

// recording is the log of all images, in one order, and what the images hold now.
type recording struct {
	mutex  sync.Mutex
	bytes  int64
	images []*image
	log    []entry
	logged int64
	faults []fault
	// isReplaying: the log is complete, and the images are what a cut of it left.
	isReplaying bool
}

func newRecording(count int, bytes int64) *recording {
	r := &recording{bytes: bytes, faults: make([]fault, count)}
	for range count {
		r.images = append(r.images, newImage(bytes))
	}
	return r
}

func (r *recording) state(withFlushes bool) answer {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	state := answer{Entries: len(r.log), Bytes: r.logged}
	if withFlushes {
		for at, entry := range r.log {
			if entry.data == nil {
				state.Flushes = append(state.Flushes, at+1)
			}
		}
	}
	return state
}

func (r *recording) read(image int, target []byte, offset int64) (int, syscall.Errno) {
	if f := r.faultOf(image); f.Reads && f.Errno != "" {
		return 0, errnoOf(f)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.images[image].read(target, offset), 0
}

func (r *recording) write(image int, data []byte, offset int64) syscall.Errno {
	if offset+int64(len(data)) > r.bytes {
		return syscall.EFBIG
	}
	if errno := r.suffer(image); errno != 0 {
		return errno
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.images[image].write(data, offset)
	if !r.isReplaying && len(data) > 0 {
		r.log = append(r.log, entry{image: image, offset: offset, data: append([]byte(nil), data...)})
		r.logged += int64(len(data))
	}
	return 0
}

func (r *recording) flush(image int) syscall.Errno {
	if errno := r.suffer(image); errno != 0 {
		return errno
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.isReplaying {
		r.log = append(r.log, entry{image: image})
	}
	return 0
}

func (r *recording) setFault(image int, f fault) error {
	if f.Errno != "" && errnoOf(f) == 0 {
		return fmt.Errorf("no such error: %s", f.Errno)
	}
	if image < 0 || image >= len(r.images) {
		return fmt.Errorf("no such image: %d", image)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.faults[image] = f
	return nil
}

func (r *recording) faultOf(image int) fault {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.faults[image]
}

// suffer waits as long as the drive is slow, and answers how it fails.
func (r *recording) suffer(image int) syscall.Errno {
	f := r.faultOf(image)
	time.Sleep(time.Duration(f.DelayMs) * time.Millisecond)
	return errnoOf(f)
}

func errnoOf(f fault) syscall.Errno {
	switch f.Errno {
	case "EIO":
		return syscall.EIO
	case "ENOSPC":
		return syscall.ENOSPC
	}
	return 0
}
