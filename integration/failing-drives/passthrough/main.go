// A file system that hands everything through to a folder, and lets the drives in it fail.
//
//	passthrough FOLDER BELOW
//
// mounts FOLDER with what BELOW holds; each folder in it is a drive. Commands are lines of JSON on standard input, such as
// {"drive": "drive2", "fault": {"errno": "EIO"}}; each is answered by a line on standard output, {} or {"error": …}, and so
// is the mount. Ends with its standard input, all faults lifted.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

type command struct {
	Drive string `json:"drive"`
	Fault fault  `json:"fault"`
}

type answer struct {
	Error string `json:"error,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: passthrough FOLDER BELOW")
	}
	faults := newFaults()
	below := &fs.LoopbackRoot{Path: args[1]}
	below.NewNode = func(root *fs.LoopbackRoot, _ *fs.Inode, _ string, _ *syscall.Stat_t) fs.InodeEmbedder {
		return &node{LoopbackNode: fs.LoopbackNode{RootData: root}, faults: faults}
	}
	root := below.NewNode(below, nil, "", nil)
	below.RootNode = root
	server, err := fs.Mount(args[0], root, &fs.Options{
		MountOptions: fuse.MountOptions{FsName: "passthrough", Name: "passthrough", DirectMount: true, MaxWrite: 512 << 10, DisableSplice: true},
	})
	if err != nil {
		return err
	}
	defer server.Unmount()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(answer{}); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	drives := map[string]bool{}
	for lines.Scan() {
		var told command
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			return err
		}
		drives[told.Drive] = true
		var reply answer
		if err := faults.set(told.Drive, told.Fault); err != nil {
			reply.Error = err.Error()
		}
		if err := out.Encode(reply); err != nil {
			return err
		}
	}
	for drive := range drives {
		if err := faults.set(drive, fault{}); err != nil {
			return err
		}
	}
	return lines.Err()
}
