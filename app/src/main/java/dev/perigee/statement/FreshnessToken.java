package dev.perigee.statement;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Names something that a copy must have seen: a transaction of the source, a position of its log, a time of its clock,
/// or an earlier answer.
public sealed interface FreshnessToken {
    /// The longest token.
    int MAX_CHARS = 120;

    /// The system identifier where the source does not tell its own; it fits every source.
    String UNKNOWN_SYSTEM = "0";

    /// `x:<system>:<number>`: the transaction with this number. The writer gets it by `pg_current_xact_id()`.
    record Transaction(String system, long number) implements FreshnessToken {
        @Override
        public String toString() {
            return "x:%s:%d".formatted(system, number);
        }
    }

    /// `l:<system>:<timeline>:<position>`: everything whose commit is in the source's log before this position.
    record LogPosition(String system, long timeline, long position) implements FreshnessToken {
        @Override
        public String toString() {
            return "l:%s:%d:%X/%X".formatted(system, timeline, position >>> 32, position & 0xFFFFFFFFL);
        }
    }

    /// `t:<time>`: everything that was committed before this time by the source's clock.
    record Time(Instant at) implements FreshnessToken {
        @Override
        public String toString() {
            return "t:" + at;
        }
    }

    /// `p:<system>:<timeline>:<next>.<ended>`: everything that an earlier answer had seen. Snapshots of one server
    /// follow one another, and each sees at least what the ones before it saw. So the greater `next` is later, and with
    /// the same `next` the one with fewer running transactions. The text sorts in the same order.
    ///
    /// @param next the first number that no transaction had
    /// @param running how many transactions below `next` ran; at least [#UNLISTED] where the source does not tell. Then
    ///     only a snapshot in which all below `next` have ended is known to have seen as much
    record Answer(String system, long timeline, long next, long running) implements FreshnessToken {
        /// Stands for transactions that the source does not list, as a standby.
        public static final long UNLISTED = 0xFFFFFFFFL;

        public Answer {
            running = Math.min(running, UNLISTED);
        }

        @Override
        public String toString() {
            return "p:%s:%08x:%016x.%08x".formatted(system, timeline, next, UNLISTED - running);
        }
    }

    /// Reads a token.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] if it is none
    static FreshnessToken parse(String text) {
        String token = text.strip();
        if (token.length() > MAX_CHARS || token.length() < 3 || token.charAt(1) != ':') throw invalid(token);
        try {
            return switch (token.charAt(0)) {
                case 'x' -> transaction(token);
                case 'l' -> logPosition(token);
                case 't' -> new Time(OffsetDateTime.parse(token.substring(2)).toInstant());
                case 'p' -> answer(token);
                default -> throw invalid(token);
            };
        } catch (NumberFormatException | DateTimeException _) {
            throw invalid(token);
        }
    }

    /// Reads a token; empty if the text is none.
    static Optional<FreshnessToken> find(String text) {
        try {
            return Optional.of(parse(text));
        } catch (PerigeeException _) {
            return Optional.empty();
        }
    }

    /// Reads a log position as PostgreSQL writes it, `16/B374D848`.
    ///
    /// @throws NumberFormatException if it is none
    static long position(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) throw new NumberFormatException(text);
        long high = Integer.toUnsignedLong(Integer.parseUnsignedInt(text.substring(0, slash), 16));
        return high << 32 | Integer.toUnsignedLong(Integer.parseUnsignedInt(text.substring(slash + 1), 16));
    }

    private static FreshnessToken transaction(String token) {
        Matcher parts = matched(Tokens.TRANSACTION, token);
        return new Transaction(parts.group(1), Long.parseLong(parts.group(2)));
    }

    private static FreshnessToken logPosition(String token) {
        Matcher parts = matched(Tokens.LOG_POSITION, token);
        return new LogPosition(parts.group(1), Long.parseLong(parts.group(2)), position(parts.group(3)));
    }

    private static FreshnessToken answer(String token) {
        Matcher parts = matched(Tokens.ANSWER, token);
        return new Answer(
                parts.group(1),
                Long.parseLong(parts.group(2), 16),
                Long.parseLong(parts.group(3), 16),
                Answer.UNLISTED - Long.parseLong(parts.group(4), 16));
    }

    private static Matcher matched(Pattern pattern, String token) {
        Matcher parts = pattern.matcher(token);
        if (!parts.matches()) throw invalid(token);
        return parts;
    }

    private static PerigeeException invalid(String token) {
        String shown = token.length() > MAX_CHARS ? token.substring(0, MAX_CHARS) + "…" : token;
        return Fault.INVALID_REQUEST.saying(
                "\"%s\" is not a freshness token: expected x:<system>:<transaction>, l:<system>:<timeline>:<position>, t:<time>, or a position that an answer had."
                        .formatted(shown.replaceAll("[^\\x20-\\x7e…]", "?")));
    }

    /// The forms of the tokens that have parts.
    final class Tokens {
        private static final Pattern TRANSACTION = Pattern.compile("x:(\\d{1,20}):(\\d{1,19})");
        private static final Pattern LOG_POSITION =
                Pattern.compile("l:(\\d{1,20}):(\\d{1,10}):([0-9a-fA-F]{1,8}/[0-9a-fA-F]{1,8})");
        private static final Pattern ANSWER =
                Pattern.compile("p:(\\d{1,20}):([0-9a-f]{8}):([0-9a-f]{1,16})\\.([0-9a-f]{8})");

        private Tokens() {}
    }
}
