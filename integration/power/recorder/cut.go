package main

import (
	"fmt"
	"math/rand/v2"
)

// A drive tears writes between its sectors. Smaller ones would tear ext4's own superblock, which it does not survive.
const sectorBytes = 4096

// cut says where the power goes, and what becomes of the writes that no flush covers.
type cut struct {
	// At is the number of entries of the log that have happened.
	At int `json:"at"`
	// Keep: "all", "none", or "some": of each write since the image's last flush all, nothing, or any of its sectors.
	Keep string `json:"keep"`
	Seed uint64 `json:"seed"`
	// Liar is the image whose flushes since the cut before did nothing, or -1.
	Liar int `json:"liar"`
}

// replay ends the recording: the images are empty again, as before the first entry.
func (r *recording) replay() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.isReplaying = true
	for at := range r.images {
		r.images[at] = newImage(r.bytes)
		r.faults[at] = fault{}
	}
}

// cutAt makes of the images what the cut leaves. Cuts come in the order of the log.
func (r *recording) cutAt(c cut) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.isReplaying || c.At < 0 || c.At > len(r.log) {
		return fmt.Errorf("no cut at %d of %d", c.At, len(r.log))
	}
	random := rand.New(rand.NewPCG(c.Seed, 0))
	for at, image := range r.images {
		if image.applied > c.At {
			return fmt.Errorf("image %d is past %d", at, c.At)
		}
		image.forget()
		if at != c.Liar {
			r.applyFlushed(at, c.At)
		}
		for _, entry := range r.log[image.applied:c.At] {
			if entry.image == at && entry.data != nil {
				keep(image, entry, c.Keep, random)
			}
		}
	}
	return nil
}

// applyFlushed makes durable what flushes before the cut covered.
func (r *recording) applyFlushed(at int, end int) {
	image := r.images[at]
	flushed := image.applied
	for index := image.applied; index < end; index++ {
		if r.log[index].image == at && r.log[index].data == nil {
			flushed = index + 1
		}
	}
	for _, entry := range r.log[image.applied:flushed] {
		if entry.image == at && entry.data != nil {
			copy(image.durable[entry.offset:], entry.data)
		}
	}
	image.applied = flushed
}

func keep(image *image, entry entry, what string, random *rand.Rand) {
	fate := "all"
	if what == "none" {
		fate = "none"
	} else if what == "some" {
		fate = [...]string{"all", "none", "torn"}[random.IntN(3)]
	}
	switch fate {
	case "all":
		image.write(entry.data, entry.offset)
	case "torn":
		for start := 0; start < len(entry.data); start += sectorBytes {
			if random.IntN(2) == 0 {
				image.write(entry.data[start:min(start+sectorBytes, len(entry.data))], entry.offset+int64(start))
			}
		}
	}
}
