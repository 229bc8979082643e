package dev.perigee.bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/// Receives `events` by one `COPY … (FORMAT BINARY)` and does nothing with it: what one stream of the source can send
/// to a Java program.
///
/// Argument: the JDBC URL. Prints `ms=` with the time from the first byte asked for to the last one received.
public final class CopyStream {
    private CopyStream() {}

    public static void main(String[] args) throws SQLException, IOException {
        try (Connection connection = DriverManager.getConnection(args[0])) {
            long start = System.nanoTime();
            CopyOut copy =
                    connection.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY events TO STDOUT (FORMAT BINARY)");
            long bytes = 0;
            for (byte[] row = copy.readFromCopy(); row != null; row = copy.readFromCopy()) bytes += row.length;
            System.out.printf("bytes=%d ms=%d%n", bytes, (System.nanoTime() - start) / 1_000_000);
        }
    }
}
