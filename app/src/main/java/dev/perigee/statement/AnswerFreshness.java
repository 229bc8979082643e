package dev.perigee.statement;

import java.time.Duration;
import java.util.Optional;

/// How fresh an answer is whose statements read copies.
///
/// @param position what the answer has seen, as a [FreshnessToken.Answer]; empty text where a copy's is not known
/// @param asOf everything that was committed at the source by this time, by its clock, is in the copies that were read;
///     empty text where a copy's is not known
/// @param ageNanos at most how long ago something was committed that the answer lacks; negative where that is not known
/// @param guarantee the weakest guarantee of the copies that were read
/// @param restNanos the time until the first of these copies is due to be synced; 0 where it is due or not known
public record AnswerFreshness(String position, String asOf, long ageNanos, String guarantee, long restNanos) {
    /// See `ageNanos`.
    public Optional<Duration> age() {
        return ageNanos < 0 ? Optional.empty() : Optional.of(Duration.ofNanos(ageNanos));
    }
}
