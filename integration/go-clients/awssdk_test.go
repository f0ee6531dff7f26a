package clients

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

func awsClient(secret string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       "us-east-1",
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider("moraineadmin", secret, ""),
	})
}

func awsBucket(t *testing.T, client *s3.Client) *string {
	t.Helper()
	bucket := aws.String(freshName("aws-sdk-go"))
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})
	must(t, err)
	return bucket
}

func awsRead(t *testing.T, client *s3.Client, input *s3.GetObjectInput) []byte {
	t.Helper()
	output, err := client.GetObject(t.Context(), input)
	must(t, err)
	defer func() { _ = output.Body.Close() }()
	body, err := io.ReadAll(output.Body)
	must(t, err)
	return body
}

func refusedWith(t *testing.T, err error, code string) {
	t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		t.Fatalf("no refusal: %v", err)
	}
	equal(t, refusal.ErrorCode(), code)
}

func TestAwsBuckets(t *testing.T) {
	client := awsClient("moraineadmin")
	bucket := awsBucket(t, client)
	_, err := client.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: bucket})
	must(t, err)
	_, err = client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket})
	must(t, err)
	_, err = client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket})
	refusedWith(t, err, "NoSuchBucket")
}

func TestAwsRoundTrip(t *testing.T) {
	client := awsClient("moraineadmin")
	bucket := awsBucket(t, client)
	for _, size := range []int{0, 1, 300_000, 3 * mebibyte} {
		body := randomBytes(size)
		key := aws.String(fmt.Sprintf("size/%d ü+%%", size))
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: key, Body: bytes.NewReader(body),
			ContentType: aws.String("text/plain"), Metadata: map[string]string{"team": "ice"},
		})
		must(t, err)
		equalBytes(t, awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: key}), body)
		head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: key})
		must(t, err)
		equal(t, head.Metadata["team"], "ice")
		equal(t, *head.ContentType, "text/plain")
		if size > 100_000 {
			ranged := &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=65530-65549")}
			equalBytes(t, awsRead(t, client, ranged), body[65_530:65_550])
		}
	}
}

func TestAwsManager(t *testing.T) {
	client := awsClient("moraineadmin")
	bucket := awsBucket(t, client)
	body := randomBytes(23*mebibyte + 7)
	// A reader that cannot seek: its parts go as chunks with a trailing checksum.
	uploaded, err := manager.NewUploader(client).Upload(t.Context(), &s3.PutObjectInput{
		Bucket: bucket, Key: aws.String("large"), Body: io.MultiReader(bytes.NewReader(body)),
	})
	must(t, err)
	equal(t, len(uploaded.CompletedParts), 5)
	sink := manager.NewWriteAtBuffer(nil)
	_, err = manager.NewDownloader(client).Download(t.Context(), sink, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("large")})
	must(t, err)
	equalBytes(t, sink.Bytes(), body)
	_, err = client.CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: bucket, Key: aws.String("copied"), CopySource: aws.String(*bucket + "/large"),
	})
	must(t, err)
	equalBytes(t, awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("copied")}), body)
}

func TestAwsManyKeys(t *testing.T) {
	client := awsClient("moraineadmin")
	bucket := awsBucket(t, client)
	var entries []types.ObjectIdentifier
	for number := range 1_050 {
		key := aws.String(fmt.Sprintf("many/%04d", number))
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key})
		must(t, err)
		entries = append(entries, types.ObjectIdentifier{Key: key})
	}
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("many/")})
	listed := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, entry := range page.Contents {
			equal(t, *entry.Key, *entries[listed].Key)
			listed++
		}
	}
	equal(t, listed, len(entries))
	for _, chunk := range [][]types.ObjectIdentifier{entries[:1_000], entries[1_000:]} {
		deleted, err := client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: chunk}})
		must(t, err)
		equal(t, len(deleted.Deleted), len(chunk))
	}
	_, err := client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket})
	must(t, err)
}

func TestAwsConditions(t *testing.T) {
	client := awsClient("moraineadmin")
	bucket := awsBucket(t, client)
	put := func(body string, ifMatch, ifNoneMatch *string) (*s3.PutObjectOutput, error) {
		return client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: aws.String("once"), Body: bytes.NewReader([]byte(body)), IfMatch: ifMatch, IfNoneMatch: ifNoneMatch,
		})
	}
	first, err := put("one", nil, aws.String("*"))
	must(t, err)
	_, err = put("two", nil, aws.String("*"))
	refusedWith(t, err, "PreconditionFailed")
	_, err = put("three", first.ETag, nil)
	must(t, err)
	_, err = put("four", first.ETag, nil)
	refusedWith(t, err, "PreconditionFailed")
	equalBytes(t, awsRead(t, client, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("once")}), []byte("three"))
}

func TestAwsPresignedUrls(t *testing.T) {
	client := awsClient("moraineadmin")
	bucket := awsBucket(t, client)
	presigner := s3.NewPresignClient(client)
	put, err := presigner.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("signed")})
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), put.Method, put.URL, bytes.NewReader([]byte("body")))
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	_ = response.Body.Close()
	equal(t, response.StatusCode, 200)
	get, err := presigner.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("signed")})
	must(t, err)
	response, err = http.Get(get.URL)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	equalBytes(t, body, []byte("body"))
}

func TestAwsRefusals(t *testing.T) {
	client := awsClient("moraineadmin")
	bucket := awsBucket(t, client)
	_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("absent")})
	refusedWith(t, err, "NoSuchKey")
	_, err = awsClient("wrong").ListBuckets(t.Context(), &s3.ListBucketsInput{})
	refusedWith(t, err, "SignatureDoesNotMatch")
}
