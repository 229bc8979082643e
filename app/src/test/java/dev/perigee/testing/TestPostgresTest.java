package dev.perigee.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.ResultSet;
import org.junit.jupiter.api.Test;

class TestPostgresTest {
    @Test
    void a_real_server_answers() throws Exception {
        try (var postgres = TestPostgres.create();
                var connection = postgres.connect();
                ResultSet version = connection.createStatement().executeQuery("SHOW server_version_num")) {
            assertThat(version.next()).isTrue();
            assertThat(version.getInt(1)).isGreaterThanOrEqualTo(130000);
        }
    }
}
