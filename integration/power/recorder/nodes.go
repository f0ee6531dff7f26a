package main

import (
	"context"
	"fmt"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// root is the folder of the images.
type root struct {
	fs.Inode
	recording *recording
}

// node is one image as a file. The kernel caches nothing of it: the bytes change at each cut.
type node struct {
	fs.Inode
	recording *recording
	image     int
}

var (
	_ fs.NodeOnAdder   = (*root)(nil)
	_ fs.NodeGetattrer = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeReader    = (*node)(nil)
	_ fs.NodeWriter    = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
)

func (r *root) OnAdd(ctx context.Context) {
	for image := range r.recording.images {
		child := r.NewPersistentInode(ctx, &node{recording: r.recording, image: image}, fs.StableAttr{Mode: syscall.S_IFREG})
		r.AddChild(fmt.Sprintf("%d.img", image+1), child, false)
	}
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = 0o600
	out.Size = uint64(n.recording.bytes)
	out.Blocks = out.Size / 512
	return 0
}

// Setattr changes nothing: an image keeps its size.
func (n *node) Setattr(ctx context.Context, handle fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return n.Getattr(ctx, handle, out)
}

func (n *node) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, target []byte, offset int64) (fuse.ReadResult, syscall.Errno) {
	count, errno := n.recording.read(n.image, target, offset)
	return fuse.ReadResultData(target[:count]), errno
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, offset int64) (uint32, syscall.Errno) {
	if errno := n.recording.write(n.image, data, offset); errno != 0 {
		return 0, errno
	}
	return uint32(len(data)), 0
}

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.recording.flush(n.image)
}
