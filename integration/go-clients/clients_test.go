// Package clients drives the server with the AWS SDK for Go v2 and minio-go.
package clients

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"
)

const mebibyte = 1 << 20

var endpoint = os.Getenv("TEST_ENDPOINT")

func randomBytes(size int) []byte {
	body := make([]byte, size)
	_, _ = rand.Read(body)
	return body
}

func freshName(purpose string) string {
	return purpose + "-" + hex.EncodeToString(randomBytes(4))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equalBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes (%x) are not the %d bytes written (%x)", len(got), md5.Sum(got), len(want), md5.Sum(want))
	}
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%v is not %v", got, want)
	}
}
