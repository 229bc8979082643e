package dev.perigee.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SourceUrlTest {
    private static final Map<String, String> NOTHING = Map.of();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "postgres://me:pw@db.example:6543/shop                 | db.example  | 6543 | me    | pw     | shop",
                "postgresql://me@db/shop                               | db          | 5432 | me    | ''     | shop",
                "postgres://me@db                                      | db          | 5432 | me    | ''     | me",
                "postgres://me:@db:/                                   | db          | 5432 | me    | ''     | me",
                "postgres://m%20e:p%40%2F%3A%25w%C3%A9+@h/s%20hop%2F2  | h           | 5432 | m e   | p@/:%wé+ | s hop/2",
                "postgres://me@[2001:db8::1]:7000/shop                 | 2001:db8::1 | 7000 | me    | ''     | shop",
                "postgres://me@[::1]/shop                              | ::1         | 5432 | me    | ''     | shop",
                "postgres://me:a:b?c@h/d                               | h           | 5432 | me    | a:b?c  | d",
                "postgres://h/d?user=me&password=pw&port=99            | h           | 99   | me    | pw     | d",
                "postgres://me@/d?host=other                           | other       | 5432 | me    | ''     | d",
                "postgres://me@h?dbname=shop                           | h           | 5432 | me    | ''     | shop",
                "postgres:///d?user=me                                 | localhost   | 5432 | me    | ''     | d",
            })
    void is_read_as_libpq_reads_it(String url, String host, int port, String user, String password, String database) {
        SourceConfig source = SourceUrl.source(url, "--from", NOTHING);

        assertThat(source.type()).isEqualTo("postgresql");
        assertThat(source.host()).isEqualTo(host);
        assertThat(source.port()).isEqualTo(port);
        assertThat(source.user()).isEqualTo(user);
        assertThat(source.password()).isEqualTo(password);
        assertThat(source.database()).isEqualTo(database);
        assertThat(source.defaultSchema()).isEqualTo("public");
    }

    @Test
    void options_keep_libpqs_names_and_the_schema_is_taken_out() {
        SourceConfig source = SourceUrl.source(
                "postgres://me@h/d?sslmode=verify-full&sslrootcert=%2Fa%2Fca.pem&schema=Sales&", "--from", NOTHING);

        assertThat(source.options())
                .containsOnly(Map.entry("sslmode", "verify-full"), Map.entry("sslrootcert", "/a/ca.pem"));
        assertThat(source.defaultSchema()).isEqualTo("Sales");
    }

    @Test
    void the_user_is_the_systems_where_none_is_named() {
        assertThat(SourceUrl.source("postgres://h/d", "--from", NOTHING).user())
                .isEqualTo(System.getProperty("user.name"));
    }

    @Test
    void a_password_that_is_not_in_the_url_comes_from_the_environment() {
        assertThat(SourceUrl.source(
                                "postgres://me@h/d", "--from", Map.of("EXTERNAL_DB_PASS", "ours", "PGPASSWORD", "pg"))
                        .password())
                .isEqualTo("ours");
        assertThat(SourceUrl.source("postgres://me@h/d", "--from", Map.of("PGPASSWORD", "pg"))
                        .password())
                .isEqualTo("pg");
        assertThat(SourceUrl.source("postgres://me:url@h/d", "--from", Map.of("PGPASSWORD", "pg"))
                        .password())
                .isEqualTo("url");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mysql://me@h/d                        | expected postgres://user@host:port/database",
                "h/d                                   | expected postgres://user@host:port/database",
                "jdbc:postgresql://h/d                 | expected postgres://user@host/database, without jdbc: before it",
                "postgres://me@a,b/d                   | several hosts are not supported; name one",
                "postgres://me@a:1,b:2/d               | several hosts are not supported; name one",
                "postgres://me@/d?host=a,b             | several hosts are not supported; name one",
                "postgres://me@[::1/d                  | the address after [ has no closing ]",
                "postgres://me@[::1]x/d                | expected a port or a database after ]",
                "postgres://me@h:0/d                   | port: expected a whole number from 1 to 65535",
                "postgres://me@h:70000/d               | port: expected a whole number from 1 to 65535",
                "postgres://me@%2Ftmp/d                | a Unix socket is not supported; name a host",
                "postgres://me@h/d?sslmode=required    | sslmode: did you mean \"require\"?",
                "postgres://me@h/d?ssl_mode=require    | there is no such option; did you mean \"sslmode\"?",
                "postgres://me@h/d?sslmode             | expected name=value pairs after ?, separated by &",
            })
    void what_it_cannot_read_it_names(String url, String expected) {
        assertThat(failure(url)).isEqualTo("""
                CONFIG_INVALID: a mistake in the configuration. Nothing was started.
                  command line: --from: %s""".formatted(expected));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "postgres://me:geh@eim@h/d",
                "postgres://me:geh/eim@h/d",
                "postgres://me:12/geheim@h/d",
                "postgres://me:geheim/?x=y@h/d",
                "postgres://me:geh%zzeim@h/d",
                "postgres://me:geh%0@h/d",
                "postgres://me:geheim%00@h/d",
                "postgres://me:geheim%ff@h/d",
                "postgres://me:geheim@h:port/d",
                "mysql://me:geheim@h/d",
                "me:geheim@h/d",
                "postgres://me:geheim@h/d?geheim=1",
            })
    void a_password_is_in_no_message_even_where_it_is_not_encoded(String url) {
        assertThat(failure(url)).doesNotContain("geh").doesNotContain("eim");
    }

    @Test
    void a_source_says_nothing_of_its_password() {
        assertThat(SourceUrl.source("postgres://me:geheim@h/d", "--from", NOTHING))
                .asString()
                .isEqualTo("SourceConfig[postgresql://h:5432/d]");
    }

    private static String failure(String url) {
        PerigeeException failure =
                catchThrowableOfType(PerigeeException.class, () -> SourceUrl.source(url, "--from", NOTHING));
        assertThat(failure).as("is refused").isNotNull();
        assertThat(failure.fault()).isEqualTo(Fault.CONFIG_INVALID);
        return failure.getMessage();
    }
}
