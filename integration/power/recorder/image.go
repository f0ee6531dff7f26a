package main

const blockBytes = 4096

// image is one drive: what is durable, and over it what was written since the last cut.
type image struct {
	durable []byte
	// applied: as many entries of the log are in durable, as far as they are this image's.
	applied int
	fresh   map[int64][]byte
}

func newImage(bytes int64) *image {
	return &image{durable: make([]byte, bytes), fresh: map[int64][]byte{}}
}

// forget drops what was written since the last cut.
func (i *image) forget() {
	i.fresh = map[int64][]byte{}
}

func (i *image) read(target []byte, offset int64) int {
	count := 0
	for count < len(target) && offset < int64(len(i.durable)) {
		number, within := offset/blockBytes, offset%blockBytes
		source := i.fresh[number]
		if source == nil {
			source = i.durable[number*blockBytes : min((number+1)*blockBytes, int64(len(i.durable)))]
		}
		copied := copy(target[count:], source[within:])
		count += copied
		offset += int64(copied)
	}
	return count
}

func (i *image) write(data []byte, offset int64) {
	for len(data) > 0 {
		number, within := offset/blockBytes, offset%blockBytes
		block := i.fresh[number]
		if block == nil {
			block = append([]byte(nil), i.durable[number*blockBytes:min((number+1)*blockBytes, int64(len(i.durable)))]...)
			i.fresh[number] = block
		}
		copied := copy(block[within:], data)
		data = data[copied:]
		offset += int64(copied)
	}
}
