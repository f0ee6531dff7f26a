import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.function.Executable;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** The server under test, and what both suites need. */
final class Server {
  static final String ENDPOINT = System.getenv("TEST_ENDPOINT");
  static final int MEBIBYTE = 1 << 20;
  private static final Random random = new Random();

  private Server() {}

  static byte[] randomBytes(int size) {
    byte[] body = new byte[size];
    random.nextBytes(body);
    return body;
  }

  static String freshName(String purpose) {
    return purpose + "-" + HexFormat.of().formatHex(randomBytes(4));
  }

  static void assertRefused(String code, Executable call) {
    S3Exception refusal = assertThrows(S3Exception.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode());
  }
}
