import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.transfer.s3.S3TransferManager;

/** The AWS SDK for Java v2, synchronous, asynchronous and with S3TransferManager. */
class AwsSdkTest {
  private static StaticCredentialsProvider credentials(String secret) {
    return StaticCredentialsProvider.create(AwsBasicCredentials.create("moraineadmin", secret));
  }

  private static S3Client connect(String secret) {
    return S3Client.builder()
        .endpointOverride(URI.create(Server.ENDPOINT))
        .region(Region.US_EAST_1)
        .forcePathStyle(true)
        .credentialsProvider(credentials(secret))
        .build();
  }

  private static S3AsyncClient connectAsync() {
    return S3AsyncClient.builder()
        .endpointOverride(URI.create(Server.ENDPOINT))
        .region(Region.US_EAST_1)
        .forcePathStyle(true)
        .credentialsProvider(credentials("moraineadmin"))
        .multipartEnabled(true)
        .build();
  }

  private final S3Client s3 = connect("moraineadmin");

  private String freshBucket() {
    String bucket = Server.freshName("aws-sdk-java");
    s3.createBucket(r -> r.bucket(bucket));
    return bucket;
  }

  private byte[] read(String bucket, String key) {
    return s3.getObjectAsBytes(r -> r.bucket(bucket).key(key)).asByteArray();
  }

  @Test
  void buckets() {
    String bucket = freshBucket();
    s3.headBucket(r -> r.bucket(bucket));
    assertTrue(s3.listBuckets().buckets().stream().anyMatch(entry -> entry.name().equals(bucket)));
    s3.deleteBucket(r -> r.bucket(bucket));
    Server.assertRefused("NoSuchBucket", () -> s3.listObjectsV2(r -> r.bucket(bucket)));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 300_000, 3 * Server.MEBIBYTE})
  void roundTrip(int size) {
    String bucket = freshBucket();
    byte[] body = Server.randomBytes(size);
    String key = "size/" + size + " ü+%";
    s3.putObject(r -> r.bucket(bucket).key(key).contentType("text/plain").metadata(Map.of("team", "ice")), RequestBody.fromBytes(body));
    ResponseBytes<GetObjectResponse> got = s3.getObjectAsBytes(r -> r.bucket(bucket).key(key));
    assertArrayEquals(body, got.asByteArray());
    assertEquals("ice", got.response().metadata().get("team"));
    assertEquals("text/plain", got.response().contentType());
    if (size > 100_000) {
      byte[] part = s3.getObjectAsBytes(r -> r.bucket(bucket).key(key).range("bytes=65530-65549")).asByteArray();
      assertArrayEquals(java.util.Arrays.copyOfRange(body, 65_530, 65_550), part);
    }
    s3.copyObject(r -> r.sourceBucket(bucket).sourceKey(key).destinationBucket(bucket).destinationKey("copied"));
    assertArrayEquals(body, read(bucket, "copied"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"CRC32", "CRC32_C", "SHA1", "SHA256"})
  void checksumsInTrailers(String algorithm) {
    String bucket = freshBucket();
    byte[] body = Server.randomBytes(200_000);
    s3.putObject(r -> r.bucket(bucket).key("sum").checksumAlgorithm(ChecksumAlgorithm.valueOf(algorithm)), RequestBody.fromBytes(body));
    assertArrayEquals(body, read(bucket, "sum"));
  }

  @Test
  void transferManager(@TempDir Path folder) throws Exception {
    String bucket = freshBucket();
    Path up = Files.createDirectory(folder.resolve("up"));
    byte[] large = Server.randomBytes(27 * Server.MEBIBYTE + 9);
    Files.write(up.resolve("large"), large);
    for (int number = 0; number < 20; number++) Files.write(up.resolve("small" + number), Server.randomBytes(number * 1_000));
    try (S3AsyncClient client = connectAsync(); S3TransferManager manager = S3TransferManager.builder().s3Client(client).build()) {
      var uploaded = manager.uploadDirectory(r -> r.bucket(bucket).source(up).s3Prefix("tree")).completionFuture().join();
      assertEquals(List.of(), uploaded.failedTransfers());
      assertTrue(s3.headObject(r -> r.bucket(bucket).key("tree/large")).eTag().endsWith("-4\""));
      Path down = folder.resolve("down");
      var downloaded = manager.downloadDirectory(r -> r.bucket(bucket).destination(down).listObjectsV2RequestTransformer(l -> l.prefix("tree/"))).completionFuture().join();
      assertEquals(List.of(), downloaded.failedTransfers());
      assertArrayEquals(large, Files.readAllBytes(down.resolve("large")));
      assertEquals(21, Files.list(down).count());
      manager.copy(r -> r.copyObjectRequest(c -> c.sourceBucket(bucket).sourceKey("tree/large").destinationBucket(bucket).destinationKey("copied"))).completionFuture().join();
      assertArrayEquals(large, read(bucket, "copied"));
      // A stream whose length is not known in advance.
      var stream = AsyncRequestBody.forBlockingInputStream(null);
      var sending = client.putObject(r -> r.bucket(bucket).key("stream"), stream);
      stream.writeInputStream(new java.io.ByteArrayInputStream(large));
      sending.join();
      assertArrayEquals(large, read(bucket, "stream"));
    }
  }

  @Test
  void manyKeys() {
    String bucket = freshBucket();
    List<String> keys = IntStream.range(0, 1_050).mapToObj("many/%04d"::formatted).toList();
    try (S3AsyncClient client = connectAsync()) {
      for (int start = 0; start < keys.size(); start += 30) {
        keys.subList(start, start + 30).stream()
            .map(key -> client.putObject(r -> r.bucket(bucket).key(key), AsyncRequestBody.empty())).toList().forEach(put -> put.join());
      }
    }
    assertEquals(keys, s3.listObjectsV2Paginator(r -> r.bucket(bucket).prefix("many/")).contents().stream().map(S3Object::key).toList());
    for (List<String> chunk : List.of(keys.subList(0, 1_000), keys.subList(1_000, 1_050))) {
      List<ObjectIdentifier> doomed = chunk.stream().map(key -> ObjectIdentifier.builder().key(key).build()).toList();
      assertEquals(chunk.size(), s3.deleteObjects(r -> r.bucket(bucket).delete(d -> d.objects(doomed))).deleted().size());
    }
    s3.deleteBucket(r -> r.bucket(bucket));
  }

  @Test
  void conditions() {
    String bucket = freshBucket();
    String first = s3.putObject(r -> r.bucket(bucket).key("once").ifNoneMatch("*"), RequestBody.fromString("one")).eTag();
    Server.assertRefused("PreconditionFailed", () -> s3.putObject(r -> r.bucket(bucket).key("once").ifNoneMatch("*"), RequestBody.fromString("two")));
    s3.putObject(r -> r.bucket(bucket).key("once").ifMatch(first), RequestBody.fromString("three"));
    Server.assertRefused("PreconditionFailed", () -> s3.putObject(r -> r.bucket(bucket).key("once").ifMatch(first), RequestBody.fromString("four")));
    assertEquals("three", new String(read(bucket, "once")));
  }

  @Test
  void presignedUrls() throws Exception {
    String bucket = freshBucket();
    HttpClient http = HttpClient.newHttpClient();
    try (S3Presigner presigner = S3Presigner.builder().endpointOverride(URI.create(Server.ENDPOINT)).region(Region.US_EAST_1)
        .credentialsProvider(credentials("moraineadmin")).serviceConfiguration(S3Configuration.builder().pathStyleAccessEnabled(true).build()).build()) {
      URI put = presigner.presignPutObject(p -> p.signatureDuration(Duration.ofMinutes(1)).putObjectRequest(r -> r.bucket(bucket).key("signed"))).url().toURI();
      HttpRequest sent = HttpRequest.newBuilder(put).PUT(HttpRequest.BodyPublishers.ofString("body")).build();
      assertEquals(200, http.send(sent, HttpResponse.BodyHandlers.discarding()).statusCode());
      URI get = presigner.presignGetObject(p -> p.signatureDuration(Duration.ofMinutes(1)).getObjectRequest(r -> r.bucket(bucket).key("signed"))).url().toURI();
      assertEquals("body", http.send(HttpRequest.newBuilder(get).build(), HttpResponse.BodyHandlers.ofString()).body());
    }
  }

  @Test
  void refusals() {
    String bucket = freshBucket();
    Server.assertRefused("NoSuchKey", () -> read(bucket, "absent"));
    Server.assertRefused("SignatureDoesNotMatch", () -> connect("wrong").listBuckets());
  }
}
