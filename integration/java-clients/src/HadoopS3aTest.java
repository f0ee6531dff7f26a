import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BulkDelete;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.s3a.RemoteFileChangedException;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.JobID;
import org.apache.hadoop.mapreduce.RecordWriter;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.TaskAttemptID;
import org.apache.hadoop.mapreduce.TaskID;
import org.apache.hadoop.mapreduce.TaskType;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.TextOutputFormat;
import org.apache.hadoop.mapreduce.task.JobContextImpl;
import org.apache.hadoop.mapreduce.task.TaskAttemptContextImpl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** Hadoop's S3A file system. */
class HadoopS3aTest {
  private FileSystem fs;
  private Path root;
  private Configuration configuration;

  private static Configuration configure(String secret) {
    Configuration configuration = new Configuration();
    configuration.set("fs.s3a.endpoint", Server.ENDPOINT);
    configuration.set("fs.s3a.endpoint.region", "us-east-1");
    configuration.set("fs.s3a.path.style.access", "true");
    configuration.set("fs.s3a.access.key", "moraineadmin");
    configuration.set("fs.s3a.secret.key", secret);
    configuration.set("fs.s3a.committer.name", "magic");
    // For the tests: small parts, short patience.
    configuration.set("fs.s3a.multipart.size", "5M");
    configuration.set("fs.s3a.attempts.maximum", "1");
    configuration.set("fs.s3a.retry.limit", "1");
    return configuration;
  }

  @BeforeEach
  void open() throws IOException {
    String bucket = Server.freshName("s3a");
    try (S3Client s3 = S3Client.builder().endpointOverride(URI.create(Server.ENDPOINT)).region(Region.US_EAST_1).forcePathStyle(true)
        .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("moraineadmin", "moraineadmin"))).build()) {
      s3.createBucket(r -> r.bucket(bucket));
    }
    root = new Path("s3a://" + bucket + "/");
    configuration = configure("moraineadmin");
    fs = FileSystem.newInstance(root.toUri(), configuration);
  }

  @AfterEach
  void close() throws IOException {
    fs.close();
  }

  private void write(Path path, byte[] body) throws IOException {
    try (FSDataOutputStream out = fs.create(path, true)) {
      out.write(body);
    }
  }

  private byte[] read(Path path) throws IOException {
    try (FSDataInputStream in = fs.open(path)) {
      return in.readAllBytes();
    }
  }

  @Test
  void smallAndLargeFiles() throws IOException {
    for (int size : new int[] {0, 1, 300_000, 17 * Server.MEBIBYTE + 3}) {
      byte[] body = Server.randomBytes(size);
      Path path = new Path(root, "size/" + size + " ü+");
      write(path, body);
      assertEquals(size, fs.getFileStatus(path).getLen());
      assertArrayEquals(body, read(path));
      if (size < 100_000) continue;
      byte[] part = new byte[20];
      try (FSDataInputStream in = fs.open(path)) {
        in.readFully(65_530, part);
      }
      assertArrayEquals(Arrays.copyOfRange(body, 65_530, 65_550), part);
    }
  }

  @Test
  void directoriesRenameAndDelete() throws IOException {
    for (int number = 0; number < 12; number++) write(new Path(root, "tree/" + number % 3 + "/" + number), new byte[number]);
    fs.mkdirs(new Path(root, "tree/empty"));
    assertEquals(4, fs.listStatus(new Path(root, "tree")).length);
    assertTrue(fs.rename(new Path(root, "tree"), new Path(root, "renamed")));
    assertFalse(fs.exists(new Path(root, "tree")));
    assertTrue(fs.getFileStatus(new Path(root, "renamed/empty")).isDirectory());
    List<Long> sizes = new ArrayList<>();
    RemoteIterator<LocatedFileStatus> files = fs.listFiles(new Path(root, "renamed"), true);
    while (files.hasNext()) sizes.add(files.next().getLen());
    assertEquals(12, sizes.size());
    assertTrue(fs.delete(new Path(root, "renamed"), true));
    assertThrows(FileNotFoundException.class, () -> fs.listStatus(new Path(root, "renamed")));
  }

  /** `fs.option.create.conditional.overwrite` is If-None-Match: *, `...overwrite.etag` is If-Match. */
  @Test
  void createWithConditions() throws IOException {
    Path path = new Path(root, "once");
    try (FSDataOutputStream out = conditional(path)) {
      out.write(1);
    }
    FSDataOutputStream second = conditional(path);
    second.write(2);
    assertThrows(RemoteFileChangedException.class, second::close);
    assertArrayEquals(new byte[] {1}, read(path));
    // Both begin while there is no object: the first to close wins, also when it writes in parts.
    Path raced = new Path(root, "raced");
    byte[] large = Server.randomBytes(6 * Server.MEBIBYTE);
    FSDataOutputStream left = conditional(raced);
    FSDataOutputStream right = conditional(raced);
    left.write(large);
    right.write(new byte[6 * Server.MEBIBYTE]);
    left.close();
    assertThrows(RemoteFileChangedException.class, right::close);
    assertArrayEquals(large, read(raced));
    assertThrows(FileAlreadyExistsException.class, () -> fs.create(path, false));
  }

  private FSDataOutputStream conditional(Path path) throws IOException {
    return (FSDataOutputStream) fs.createFile(path).overwrite(true).must("fs.option.create.conditional.overwrite", true).build();
  }

  @Test
  void bulkDelete() throws IOException {
    List<Path> paths = new ArrayList<>();
    for (int number = 0; number < 60; number++) {
      paths.add(new Path(root, "bulk/" + number));
      write(paths.get(number), new byte[0]);
    }
    try (BulkDelete bulk = fs.createBulkDelete(new Path(root, "bulk"))) {
      assertTrue(bulk.pageSize() >= 60);
      assertEquals(List.of(), bulk.bulkDelete(paths));
    }
    assertFalse(fs.exists(new Path(root, "bulk")));
  }

  /** Output that a task writes is invisible until the job commits: uploads that are completed by the driver. */
  @Test
  void magicCommitter() throws Exception {
    Path output = new Path(root, "job");
    configuration.set(FileOutputFormat.OUTDIR, output.toString());
    JobID job = new JobID("20260101", 1);
    JobContext jobContext = new JobContextImpl(configuration, job);
    TaskAttemptID attempt = new TaskAttemptID(new TaskID(job, TaskType.MAP, 0), 0);
    configuration.set("mapreduce.task.attempt.id", attempt.toString());
    TaskAttemptContext task = new TaskAttemptContextImpl(configuration, attempt);
    TextOutputFormat<String, String> format = new TextOutputFormat<>();
    PathOutputCommitter committer = (PathOutputCommitter) format.getOutputCommitter(task);
    assertEquals("MagicS3GuardCommitter", committer.getClass().getSimpleName());
    committer.setupJob(jobContext);
    committer.setupTask(task);
    RecordWriter<String, String> writer = format.getRecordWriter(task);
    for (int line = 0; line < 200_000; line++) writer.write("key" + line, "a value that makes the file larger than a part");
    writer.close(task);
    assertFalse(fs.exists(new Path(output, "part-m-00000")));
    assertTrue(committer.needsTaskCommit(task));
    committer.commitTask(task);
    assertFalse(fs.exists(new Path(output, "part-m-00000")));
    committer.commitJob(jobContext);
    FileStatus status = fs.getFileStatus(new Path(output, "part-m-00000"));
    assertTrue(status.getLen() > 10 * Server.MEBIBYTE);
    assertTrue(new String(read(status.getPath())).endsWith("key199999\ta value that makes the file larger than a part\n"));
    assertTrue(fs.getFileStatus(new Path(output, "_SUCCESS")).getLen() > 0);
  }

  @Test
  void wrongCredentials() {
    Configuration wrong = configure("wrong");
    assertThrows(AccessDeniedException.class, () -> {
      try (FileSystem refused = FileSystem.newInstance(root.toUri(), wrong)) {
        refused.listStatus(root);
      }
    });
  }
}
