package dev.perigee.statement;

import dev.perigee.config.Units;
import dev.perigee.fault.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// How fresh the copies must be that a request's statements read. Statements that read no copies are not held up.
///
/// @param maxStaleness the copies must be no older than this
/// @param after the copies must have seen these
/// @param remembered as `after`, but ignored where it does not fit the source: a browser sends a cookie for as long as
///     it has it
/// @param patience the longest wait for fresher copies; empty for the limit of reads
/// @param ifStale what happens when the copies are not fresh enough
public record FreshnessDemand(
        Optional<Duration> maxStaleness,
        List<FreshnessToken> after,
        Optional<FreshnessToken> remembered,
        Optional<Duration> patience,
        IfStale ifStale) {
    /// Asks for nothing.
    public static final FreshnessDemand NONE =
            new FreshnessDemand(Optional.empty(), List.of(), Optional.empty(), Optional.empty(), IfStale.WAIT);

    /// The most tokens of one request.
    public static final int MAX_TOKENS = 16;

    private static final Duration MAX_WAIT = Duration.ofHours(1);

    /// What happens when the copies are not fresh enough.
    public enum IfStale {
        /// They are synced, and the request waits for it.
        WAIT,
        /// The request is answered from them all the same.
        SERVE,
        /// The request fails at once.
        FAIL,
        /// The statements run at the external database.
        SOURCE
    }

    /// What a request says, in the words of its headers. A text that is missing is empty.
    ///
    /// @param after tokens, separated by commas
    /// @param remembered the token of a cookie; ignored if it is none
    public record Words(
            Optional<String> maxStaleness,
            Optional<String> after,
            Optional<String> remembered,
            Optional<String> patience,
            Optional<String> ifStale) {}

    public FreshnessDemand {
        after = List.copyOf(after);
    }

    /// Reads what a request says.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] naming the word that is wrong
    public static FreshnessDemand of(Words words) {
        FreshnessDemand demand = new FreshnessDemand(
                words.maxStaleness().map(text -> duration("The greatest staleness", text)),
                words.after().map(FreshnessDemand::tokens).orElse(List.of()),
                words.remembered().flatMap(FreshnessToken::find),
                words.patience().map(text -> duration("The longest wait", text)),
                words.ifStale().map(FreshnessDemand::ifStale).orElse(IfStale.WAIT));
        return demand.equals(NONE) ? NONE : demand;
    }

    /// Whether it asks for fresh copies at all.
    public boolean isAny() {
        return maxStaleness.isPresent() || !after.isEmpty() || remembered.isPresent();
    }

    public FreshnessDemand with(IfStale other) {
        return new FreshnessDemand(maxStaleness, after, remembered, patience, other);
    }

    private static List<FreshnessToken> tokens(String text) {
        List<FreshnessToken> tokens = new ArrayList<>();
        for (String token : text.split(",", MAX_TOKENS + 2)) {
            if (token.isBlank()) continue;
            if (tokens.size() == MAX_TOKENS) {
                throw Fault.INVALID_REQUEST.saying(
                        "A request can have at most %d freshness tokens; the newest of each kind is enough."
                                .formatted(MAX_TOKENS));
            }
            tokens.add(FreshnessToken.parse(token));
        }
        return tokens;
    }

    private static Duration duration(String what, String text) {
        return Units.duration(text)
                .filter(given -> given.compareTo(MAX_WAIT) <= 0)
                .orElseThrow(() ->
                        Fault.INVALID_REQUEST.saying("%s must be a duration of at most %s, such as 250ms, 2s or 1m."
                                .formatted(what, Units.text(MAX_WAIT))));
    }

    private static IfStale ifStale(String text) {
        return Arrays.stream(IfStale.values())
                .filter(one ->
                        one.name().toLowerCase(Locale.ROOT).equals(text.strip().toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () -> Fault.INVALID_REQUEST.saying("X-Perigee-If-Stale must be wait, serve, fail or source."));
    }
}
