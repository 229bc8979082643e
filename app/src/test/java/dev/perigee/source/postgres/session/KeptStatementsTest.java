package dev.perigee.source.postgres.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.testing.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.jdbc.PgConnection;

/// Statements that a real server keeps for a session.
class KeptStatementsTest {
    private final KeptStatements kept = new KeptStatements();
    private TestPostgres postgres;
    private Connection connection;

    @BeforeEach
    void connect() throws SQLException {
        postgres = TestPostgres.create();
        connection = postgres.connect();
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
        postgres.close();
    }

    @Test
    void a_statement_is_prepared_once_though_the_search_path_changes() throws SQLException {
        assertThat(answer("SELECT 1")).isEqualTo(1);
        execute("SET search_path = pg_catalog");
        assertThat(answer("SELECT 1")).isEqualTo(1);
        assertThat(answer("SELECT 2")).isEqualTo(2);
        assertThat(count()).isEqualTo(2);
    }

    @Test
    void only_those_used_last_are_kept() throws SQLException {
        for (int i = 0; i < 3 * KeptStatements.MOST; i++) {
            assertThat(answer("SELECT 1")).isEqualTo(1);
            assertThat(answer("SELECT %d".formatted(i + 2))).isEqualTo(i + 2);
        }
        assertThat(count()).isEqualTo(KeptStatements.MOST);
        assertThat(read("SELECT min(name) FROM pg_prepared_statements")).isEqualTo("perigee_1");
    }

    @Test
    void what_somebody_else_deallocated_is_prepared_again_once_it_is_forgotten() throws SQLException {
        PgConnection session = session();
        assertThat(answer("SELECT 1")).isEqualTo(1);
        execute("DEALLOCATE ALL");
        kept.failed(session, new SQLException("another failure", "55P03"));
        assertThatThrownBy(() -> answer("SELECT 1"))
                .isInstanceOfSatisfying(SQLException.class, e -> kept.failed(session, e));
        assertThat(answer("SELECT 1")).isEqualTo(1);
    }

    @Test
    void parameters_are_values_whatever_they_contain() throws SQLException {
        String sql = "SELECT concat(?::text, '|', (?::text[])[1], '|', current_setting(?))";
        for (String setting : List.of("on", "off")) {
            execute("SET standard_conforming_strings = " + setting);
            String nasty = "it's \\ a ? $1 'x";
            String array = session().createArrayOf("text", new String[] {nasty}).toString();
            String call = kept.kept(session(), sql, List.of(nasty, array, "search_path"));
            assertThat(read(call)).isEqualTo(nasty + "|" + nasty + "|\"$user\", public");
        }
        assertThat(count()).isEqualTo(1);
    }

    @Test
    void a_question_mark_in_a_name_is_no_parameter() throws SQLException {
        assertThat(answer("SELECT 7 AS \"what?\"")).isEqualTo(7);
    }

    @Test
    void only_a_session_of_the_process_that_logged_in_is_direct() throws SQLException {
        assertThat(kept.isDirect(session())).isFalse();
        int process = Integer.parseInt(read("SELECT pg_backend_pid()"));
        kept.isServedBy(session(), process);
        assertThat(kept.isDirect(session())).isTrue();
        kept.isServedBy(session(), process + 1);
        assertThat(kept.isDirect(session())).isFalse();
    }

    private int answer(String sql) throws SQLException {
        return Integer.parseInt(read(kept.kept(session(), sql, List.of())));
    }

    private long count() throws SQLException {
        return Long.parseLong(read("SELECT count(*) FROM pg_prepared_statements"));
    }

    private PgConnection session() throws SQLException {
        return connection.unwrap(PgConnection.class);
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private String read(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
