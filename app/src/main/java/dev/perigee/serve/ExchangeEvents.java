package dev.perigee.serve;

import dev.perigee.statement.AnswerEvents;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.FreshnessToken;

/// Adds what becomes known about an answer to its headers.
///
/// @param noReader called when the rest of the answer no longer occupies one of the store's readers
record ExchangeEvents(Exchange exchange, Runnable noReader) implements AnswerEvents {
    @Override
    public void committed() {
        noReader.run();
    }

    @Override
    public void fresh(AnswerFreshness freshness) {
        exchange.fresh(freshness);
    }

    @Override
    public void wrote(FreshnessToken token) {
        exchange.wrote(token);
    }
}
