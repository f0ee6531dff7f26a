package main

import (
	"bytes"
	"syscall"
	"testing"
)

// block is a block full of one byte.
func block(value byte) []byte {
	return bytes.Repeat([]byte{value}, blockBytes)
}

// recorded has two images of four blocks: two writes and a flush on the first, then one write on each.
func recorded(t *testing.T) *recording {
	t.Helper()
	r := newRecording(2, 4*blockBytes)
	for _, step := range []func() error{
		func() error { return check(r.write(0, block(1), 0)) },
		func() error { return check(r.write(0, block(2), blockBytes)) },
		func() error { return check(r.flush(0)) },
		func() error { return check(r.write(0, block(3), 0)) },
		func() error { return check(r.write(1, block(4), 0)) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	r.replay()
	return r
}

func check(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// firstBytes are the first bytes of each block of an image.
func firstBytes(r *recording, image int) []byte {
	all := make([]byte, r.bytes)
	r.read(image, all, 0)
	return []byte{all[0], all[blockBytes], all[2*blockBytes], all[3*blockBytes]}
}

func TestCuts(t *testing.T) {
	for _, each := range []struct {
		name  string
		cut   cut
		first []byte
		other []byte
	}{
		{"before anything", cut{At: 0, Keep: "all", Liar: -1}, []byte{0, 0, 0, 0}, []byte{0, 0, 0, 0}},
		{"all that was written, before the flush", cut{At: 2, Keep: "all", Liar: -1}, []byte{1, 2, 0, 0}, []byte{0, 0, 0, 0}},
		{"nothing of it", cut{At: 2, Keep: "none", Liar: -1}, []byte{0, 0, 0, 0}, []byte{0, 0, 0, 0}},
		{"what was flushed", cut{At: 3, Keep: "none", Liar: -1}, []byte{1, 2, 0, 0}, []byte{0, 0, 0, 0}},
		{"a flush of one image is none of the other", cut{At: 5, Keep: "none", Liar: -1}, []byte{1, 2, 0, 0}, []byte{0, 0, 0, 0}},
		{"everything", cut{At: 5, Keep: "all", Liar: -1}, []byte{3, 2, 0, 0}, []byte{4, 0, 0, 0}},
		{"a flush that did nothing", cut{At: 5, Keep: "none", Liar: 0}, []byte{0, 0, 0, 0}, []byte{0, 0, 0, 0}},
	} {
		t.Run(each.name, func(t *testing.T) {
			r := recorded(t)
			if err := r.cutAt(each.cut); err != nil {
				t.Fatal(err)
			}
			if found := firstBytes(r, 0); !bytes.Equal(found, each.first) {
				t.Errorf("the first image holds %v, not %v", found, each.first)
			}
			if found := firstBytes(r, 1); !bytes.Equal(found, each.other) {
				t.Errorf("the second image holds %v, not %v", found, each.other)
			}
		})
	}
}

func TestWritesAfterACutAreForgotten(t *testing.T) {
	r := recorded(t)
	for _, at := range []int{2, 3} {
		if err := r.cutAt(cut{At: at, Keep: "none", Liar: -1}); err != nil {
			t.Fatal(err)
		}
		r.write(0, block(9), 2*blockBytes)
	}
	if err := r.cutAt(cut{At: 3, Keep: "none", Liar: -1}); err != nil {
		t.Fatal(err)
	}
	if found := firstBytes(r, 0); found[2] != 0 {
		t.Errorf("what was written after a cut is there after the next: %v", found)
	}
}

func TestFaults(t *testing.T) {
	r := newRecording(1, blockBytes)
	if err := r.setFault(0, fault{Errno: "EIO"}); err != nil {
		t.Fatal(err)
	}
	if r.write(0, block(1), 0) == 0 || r.flush(0) == 0 {
		t.Error("a failing drive takes writes")
	}
	if len(r.log) != 0 {
		t.Error("what failed is in the log")
	}
}
