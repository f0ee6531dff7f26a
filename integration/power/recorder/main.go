// A file system of disk images that remembers what was written to them, and in which order.
//
//	recorder FOLDER IMAGES BYTES
//
// mounts FOLDER with the files 1.img … N.img of BYTES zeros each. A loop device on such a file hands every write and every
// flush of the file system above it to this process, which logs them. Commands are lines of JSON on standard input, answered
// in order by lines on standard output. Once told to replay, the images are what a power cut at a place of the log leaves,
// and what is written to them then is forgotten at the next cut.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// command is one line of standard input. Images count from 0.
type command struct {
	Do    string `json:"do"`
	Image int    `json:"image"`
	Fault fault  `json:"fault"`
	Cut   cut    `json:"cut"`
}

// answer is one line of standard output: what the log holds, or why the command failed.
type answer struct {
	Entries int    `json:"entries"`
	Bytes   int64  `json:"bytes"`
	Flushes []int  `json:"flushes,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: recorder FOLDER IMAGES BYTES")
	}
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	bytes, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	recording := newRecording(count, bytes)
	server, err := fs.Mount(args[0], &root{recording: recording}, &fs.Options{
		MountOptions: fuse.MountOptions{FsName: "recorder", Name: "recorder", DirectMount: true, MaxWrite: 512 << 10, DisableSplice: true},
	})
	if err != nil {
		return err
	}
	defer server.Unmount()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(recording.state(false)); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var told command
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			return err
		}
		if err := out.Encode(recording.obey(told)); err != nil {
			return err
		}
	}
	return lines.Err()
}

// obey carries out one command.
func (r *recording) obey(told command) answer {
	var err error
	switch told.Do {
	case "state":
	case "flushes":
		return r.state(true)
	case "fault":
		err = r.setFault(told.Image, told.Fault)
	case "replay":
		r.replay()
	case "cut":
		err = r.cutAt(told.Cut)
	default:
		err = fmt.Errorf("no such command: %s", told.Do)
	}
	state := r.state(false)
	if err != nil {
		state.Error = err.Error()
	}
	return state
}
