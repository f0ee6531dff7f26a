import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * A client of a Flink cluster, since the packages have no SQL gateway. A request on standard input is a header, the lines of
 * a statement and a line `;`. The header has three words: a mode, `batch` or `streaming`; `wait` for a statement that is over when
 * it is answered, or `start` for an INSERT whose job goes on; and how many rows of a query to answer with.
 *
 * The answer on standard output is a line `row` for each row, with its kind of change and its fields between tabs (`\N`: null),
 * then `job` and its id, `done`, or `error` and its cause.
 *
 * The arguments are the folder of the configuration, and the checkpoint from which the first streaming job goes on, if it does.
 */
public class Statements {
  private static final PrintStream ANSWERS = System.out;

  public static void main(String[] arguments) throws Exception {
    // What libraries print is no answer.
    System.setOut(System.err);
    Configuration configuration = GlobalConfiguration.loadConfiguration(arguments[0]);
    Map<String, TableEnvironment> environments = new HashMap<>();
    environments.put("batch", environment(EnvironmentSettings.newInstance().inBatchMode(), configuration));
    if (arguments.length > 1) {
      configuration.setString("execution.state-recovery.path", arguments[1]);
    }
    environments.put("streaming", environment(EnvironmentSettings.newInstance().inStreamingMode(), configuration));
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String header = requests.readLine(); header != null; header = requests.readLine()) {
      String[] words = header.split(" ");
      StringBuilder statement = new StringBuilder();
      for (String line = requests.readLine(); !line.equals(";"); line = requests.readLine()) {
        statement.append(line).append('\n');
      }
      try {
        TableEnvironment environment = environments.get(words[0]);
        environment.getConfig().set("table.dml-sync", String.valueOf(words[1].equals("wait")));
        ANSWERS.println(execute(environment, statement.toString(), words[1], Integer.parseInt(words[2])));
      } catch (Exception error) {
        error.printStackTrace();
        ANSWERS.println("error " + rootCause(error).toString().replace('\n', ' '));
      }
      ANSWERS.flush();
    }
    // Threads of the clients' pools would keep the process.
    System.exit(0);
  }

  private static TableEnvironment environment(EnvironmentSettings.Builder settings, Configuration configuration) {
    return TableEnvironment.create(settings.withConfiguration(configuration).build());
  }

  private static String execute(TableEnvironment environment, String statement, String mode, int limit) throws Exception {
    TableResult result = environment.executeSql(statement);
    if (mode.equals("start")) {
      return "job " + result.getJobClient().get().getJobID();
    }
    if (limit > 0) {
      // Closing the rows cancels the job of a query that has no end.
      try (CloseableIterator<Row> rows = result.collect()) {
        for (int count = 0; count < limit && rows.hasNext(); count++) {
          ANSWERS.println(line(rows.next()));
        }
      }
    }
    return "done";
  }

  private static String line(Row row) {
    StringJoiner fields = new StringJoiner("\t", "row ", "");
    fields.add(row.getKind().shortString());
    for (int field = 0; field < row.getArity(); field++) {
      fields.add(row.getField(field) == null ? "\\N" : String.valueOf(row.getField(field)));
    }
    return fields.toString();
  }

  private static Throwable rootCause(Throwable error) {
    return error.getCause() == null ? error : rootCause(error.getCause());
  }
}
