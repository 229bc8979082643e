package dev.perigee.source.postgres.statement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.source.KeyHash;
import dev.perigee.testing.TestPostgres;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The hash of keys here beside that of a real server.
class KeyHashTest {
    private static final String ASK = "SELECT hashtextextended(?::text COLLATE \"C\", ?)";

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void any_text_of_any_length_and_any_seed_has_the_hash_the_server_gives_it(long seed) throws SQLException {
        Random random = new Random(seed);
        try (TestPostgres postgres = TestPostgres.create();
                Connection connection = postgres.connect();
                PreparedStatement ask = connection.prepareStatement(ASK)) {
            for (int length = 0; length <= 100; length++) {
                for (int again = 0; again < 3; again++) {
                    String text = again == 0 ? ascii(random, length) : unicode(random, length);
                    long start = again == 2 ? 0 : random.nextLong();
                    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                    assertThat(KeyHash.of(bytes, 0, bytes.length, start))
                            .as("%d bytes, seed %d", bytes.length, start)
                            .isEqualTo(served(ask, text, start));
                }
            }
        }
    }

    @Test
    void bytes_in_the_middle_of_an_array_have_the_hash_of_those_bytes() {
        byte[] padded = "..the key..".getBytes(StandardCharsets.UTF_8);
        byte[] plain = "the key".getBytes(StandardCharsets.UTF_8);
        assertThat(KeyHash.of(padded, 2, plain.length, 7)).isEqualTo(KeyHash.of(plain, 0, plain.length, 7));
    }

    private static long served(PreparedStatement ask, String text, long seed) throws SQLException {
        ask.setString(1, text);
        ask.setLong(2, seed);
        try (ResultSet row = ask.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }

    private static String ascii(Random random, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) text.append((char) random.nextInt(' ', 127));
        return text.toString();
    }

    private static String unicode(Random random, int length) {
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
            int point = random.nextInt(1, Character.MAX_CODE_POINT + 1);
            boolean isSurrogate = point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
            if (!isSurrogate) text.appendCodePoint(point);
        }
        return text.toString();
    }
}
