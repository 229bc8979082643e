package dev.perigee.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.PerigeeException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SourceEnvironmentTest {
    @Test
    void starbasedbs_names_are_understood() {
        SourceConfig source = SourceEnvironment.source(Map.of(
                        "EXTERNAL_DB_TYPE", "postgres",
                        "EXTERNAL_DB_HOST", "db",
                        "EXTERNAL_DB_PORT", "6000",
                        "EXTERNAL_DB_USER", "me",
                        "EXTERNAL_DB_PASS", "p@/:%w",
                        "EXTERNAL_DB_DATABASE", "shop",
                        "EXTERNAL_DB_DEFAULT_SCHEMA", "sales",
                        "PATH", "/bin"))
                .orElseThrow();

        assertThat(source.place()).isEqualTo("postgresql://db:6000/shop");
        assertThat(source.user()).isEqualTo("me");
        assertThat(source.password()).isEqualTo("p@/:%w");
        assertThat(source.defaultSchema()).isEqualTo("sales");
    }

    @Test
    void a_url_and_variables_may_complete_each_other() {
        SourceConfig source = SourceEnvironment.source(Map.of(
                        "EXTERNAL_DB_URL", "postgres://me@db/shop",
                        "EXTERNAL_DB_PORT", "6000",
                        "EXTERNAL_DB_HOST", "db",
                        "EXTERNAL_DB_PASS", "pw"))
                .orElseThrow();

        assertThat(source.place()).isEqualTo("postgresql://db:6000/shop");
        assertThat(source.password()).isEqualTo("pw");
    }

    @Test
    void contradictions_are_named_all_at_once_without_a_password() {
        assertThatThrownBy(() -> SourceEnvironment.source(Map.of(
                        "EXTERNAL_DB_URL", "postgres://me:geheim@db/shop",
                        "EXTERNAL_DB_HOST", "other",
                        "EXTERNAL_DB_PASS", "anders",
                        "EXTERNAL_DB_DATABASE", "shop")))
                .isInstanceOf(PerigeeException.class)
                .hasMessage("""
                        CONFIG_INVALID: 2 mistakes in the configuration. Nothing was started.
                          environment: EXTERNAL_DB_HOST: contradicts EXTERNAL_DB_URL, which names another host; \
                        set only one of them
                          environment: EXTERNAL_DB_PASS: contradicts EXTERNAL_DB_URL, which names another password; \
                        set only one of them""");
    }

    @Test
    void starbasedbs_names_for_other_kinds_of_database_are_refused_as_such() {
        for (String name : List.of("TURSO_URI", "TURSO_TOKEN", "STARBASEDB_URI", "CLOUDFLARE_API_KEY")) {
            assertThatThrownBy(() -> SourceEnvironment.source(Map.of("EXTERNAL_DB_" + name, "secret")))
                    .hasMessageContaining("EXTERNAL_DB_" + name + ": this version follows PostgreSQL only")
                    .hasMessageNotContaining("secret");
        }
    }

    @Test
    void another_kind_of_database_and_an_unknown_variable_are_refused() {
        assertThatThrownBy(() -> SourceEnvironment.source(Map.of(
                        "EXTERNAL_DB_HOST", "db", "EXTERNAL_DB_PASSWORD", "geheim", "EXTERNAL_DB_TYPE", "mysql")))
                .hasMessageContaining(
                        "EXTERNAL_DB_PASSWORD: this version does not know this variable; did you mean \"EXTERNAL_DB_PASS\"?")
                .hasMessageNotContaining("geheim");
        assertThatThrownBy(
                        () -> SourceEnvironment.source(Map.of("EXTERNAL_DB_HOST", "db", "EXTERNAL_DB_TYPE", "mysql")))
                .hasMessageContaining("EXTERNAL_DB_TYPE: this version follows PostgreSQL only");
    }

    @Test
    void variables_that_name_no_place_are_a_slip() {
        assertThatThrownBy(() -> SourceEnvironment.source(Map.of("EXTERNAL_DB_USER", "me")))
                .hasMessageContaining("EXTERNAL_DB_HOST: expected this variable, or EXTERNAL_DB_URL");
    }

    @Test
    void without_variables_there_is_no_source() {
        assertThat(SourceEnvironment.source(Map.of("EXTERNAL_DB_HOST", "", "PGPASSWORD", "x")))
                .isEmpty();
    }
}
