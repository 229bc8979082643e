import dev.perigee.Perigee;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.Query;
import dev.perigee.statement.SqlStatement;
import dev.perigee.statement.StatementCall.Where;
import java.nio.file.Path;
import java.util.List;

/// A program that embeds Perigee. It also runs statements without HTTP.
public final class Embedded {
    private Embedded() {}

    public static void main(String[] args) {
        try (Perigee perigee = Perigee.builder()
                .data(Path.of(args[0]))
                .adminToken("the-admins-token")
                .port(0)
                .start()) {
            System.out.println("http://127.0.0.1:" + perigee.port());
            run(perigee, SqlStatement.of("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT)"));
            run(perigee, SqlStatement.of("INSERT INTO notes (text) VALUES (?)", new Value.Text("embedded")));
            run(perigee, SqlStatement.of("SELECT id, text FROM notes"));
        } // close() lets running requests finish and leaves the replica consistent.
    }

    private static void run(Perigee perigee, SqlStatement statement) {
        Query query = new Query(List.of(statement), Where.INTERNAL, false, Caller.ADMIN);
        perigee.queries().run(query, new Printed(), new Cancellation());
    }

    private static final class Printed implements AnswerSink {
        @Override
        public void columns(List<String> names) {
            if (!names.isEmpty()) System.out.println(names);
        }

        @Override
        public boolean row(List<Value> cells) {
            System.out.println(cells);
            return true;
        }

        @Override
        public void end(Meta meta) {}
    }
}
