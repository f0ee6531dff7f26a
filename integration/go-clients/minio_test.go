package clients

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func minioClient(t *testing.T, secret string) *minio.Client {
	t.Helper()
	client, err := minio.New(strings.TrimPrefix(endpoint, "http://"), &minio.Options{
		Creds:           credentials.NewStaticV4("moraineadmin", secret, ""),
		Secure:          false,
		TrailingHeaders: true,
	})
	must(t, err)
	return client
}

func minioBucket(t *testing.T, client *minio.Client) string {
	t.Helper()
	bucket := freshName("minio-go")
	must(t, client.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}))
	return bucket
}

func minioPut(t *testing.T, client *minio.Client, bucket, key string, body []byte, options minio.PutObjectOptions) minio.UploadInfo {
	t.Helper()
	info, err := client.PutObject(t.Context(), bucket, key, bytes.NewReader(body), int64(len(body)), options)
	must(t, err)
	return info
}

func minioRead(t *testing.T, client *minio.Client, bucket, key string) []byte {
	t.Helper()
	object, err := client.GetObject(t.Context(), bucket, key, minio.GetObjectOptions{})
	must(t, err)
	body, err := io.ReadAll(object)
	must(t, err)
	return body
}

func TestMinioRoundTrip(t *testing.T) {
	client := minioClient(t, "moraineadmin")
	bucket := minioBucket(t, client)
	for _, size := range []int{0, 1, 300_000, 17*mebibyte + 3} {
		body := randomBytes(size)
		key := fmt.Sprintf("size/%d ü+%%", size)
		options := minio.PutObjectOptions{ContentType: "text/plain", UserMetadata: map[string]string{"Team": "ice"}, PartSize: 5 * mebibyte}
		minioPut(t, client, bucket, key, body, options)
		equalBytes(t, minioRead(t, client, bucket, key), body)
		head, err := client.StatObject(t.Context(), bucket, key, minio.StatObjectOptions{})
		must(t, err)
		equal(t, head.UserMetadata["Team"], "ice")
		equal(t, strings.Contains(head.ETag, "-"), size > 5*mebibyte)
	}
	// Of unknown length, and with a checksum of its own choice in the trailer.
	body := randomBytes(11 * mebibyte)
	options := minio.PutObjectOptions{PartSize: 5 * mebibyte, Checksum: minio.ChecksumSHA256}
	_, err := client.PutObject(t.Context(), bucket, "stream", io.MultiReader(bytes.NewReader(body)), -1, options)
	must(t, err)
	equalBytes(t, minioRead(t, client, bucket, "stream"), body)
}

func TestMinioRangesCopyAndCompose(t *testing.T) {
	client := minioClient(t, "moraineadmin")
	bucket := minioBucket(t, client)
	body := randomBytes(5 * mebibyte)
	minioPut(t, client, bucket, "source", body, minio.PutObjectOptions{})
	object, err := client.GetObject(t.Context(), bucket, "source", minio.GetObjectOptions{})
	must(t, err)
	piece := make([]byte, 20)
	_, err = object.ReadAt(piece, 65_530)
	must(t, err)
	equalBytes(t, piece, body[65_530:65_550])
	source := minio.CopySrcOptions{Bucket: bucket, Object: "source"}
	_, err = client.CopyObject(t.Context(), minio.CopyDestOptions{Bucket: bucket, Object: "copied"}, source)
	must(t, err)
	_, err = client.ComposeObject(t.Context(), minio.CopyDestOptions{Bucket: bucket, Object: "composed"}, source, source)
	must(t, err)
	equalBytes(t, minioRead(t, client, bucket, "copied"), body)
	equalBytes(t, minioRead(t, client, bucket, "composed"), append(append([]byte{}, body...), body...))
}

func TestMinioManyKeys(t *testing.T) {
	client := minioClient(t, "moraineadmin")
	bucket := minioBucket(t, client)
	for number := range 1_050 {
		minioPut(t, client, bucket, fmt.Sprintf("many/%04d", number), nil, minio.PutObjectOptions{})
	}
	listed := 0
	doomed := make(chan minio.ObjectInfo, 1_050)
	for entry := range client.ListObjects(t.Context(), bucket, minio.ListObjectsOptions{Prefix: "many/", Recursive: true}) {
		must(t, entry.Err)
		equal(t, entry.Key, fmt.Sprintf("many/%04d", listed))
		listed++
		doomed <- entry
	}
	close(doomed)
	equal(t, listed, 1_050)
	for failure := range client.RemoveObjects(t.Context(), bucket, doomed, minio.RemoveObjectsOptions{}) {
		t.Fatal(failure.Err)
	}
	must(t, client.RemoveBucket(t.Context(), bucket))
}

func TestMinioConditions(t *testing.T) {
	client := minioClient(t, "moraineadmin")
	bucket := minioBucket(t, client)
	create := minio.PutObjectOptions{}
	create.SetMatchETagExcept("*")
	first := minioPut(t, client, bucket, "once", []byte("one"), create)
	_, err := client.PutObject(t.Context(), bucket, "once", strings.NewReader("two"), 3, create)
	equal(t, minio.ToErrorResponse(err).Code, "PreconditionFailed")
	replace := minio.PutObjectOptions{}
	replace.SetMatchETag(first.ETag)
	minioPut(t, client, bucket, "once", []byte("three"), replace)
	_, err = client.PutObject(t.Context(), bucket, "once", strings.NewReader("four"), 4, replace)
	equal(t, minio.ToErrorResponse(err).Code, "PreconditionFailed")
	equalBytes(t, minioRead(t, client, bucket, "once"), []byte("three"))
}

func TestMinioPresignedUrls(t *testing.T) {
	client := minioClient(t, "moraineadmin")
	bucket := minioBucket(t, client)
	put, err := client.PresignedPutObject(t.Context(), bucket, "signed", time.Minute)
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, put.String(), strings.NewReader("body"))
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	_ = response.Body.Close()
	equal(t, response.StatusCode, 200)
	get, err := client.PresignedGetObject(t.Context(), bucket, "signed", time.Minute, nil)
	must(t, err)
	response, err = http.Get(get.String())
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	equalBytes(t, body, []byte("body"))
}

func TestMinioRefusals(t *testing.T) {
	client := minioClient(t, "moraineadmin")
	bucket := minioBucket(t, client)
	_, err := client.StatObject(t.Context(), bucket, "absent", minio.StatObjectOptions{})
	equal(t, minio.ToErrorResponse(err).Code, "NoSuchKey")
	_, err = minioClient(t, "wrong").ListBuckets(t.Context())
	equal(t, minio.ToErrorResponse(err).Code, "SignatureDoesNotMatch")
}
