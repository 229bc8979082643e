package dev.perigee.statement;

/// What becomes known about an answer besides its rows.
public interface AnswerEvents {
    /// Ignores everything.
    AnswerEvents NONE = new AnswerEvents() {};

    /// Called when the rest of the answer no longer occupies one of the store's readers: it has been committed, or it
    /// does not come from the store. It may then be sent slowly, and it may not be refused for lack of a permit to
    /// occupy a reader.
    default void committed() {}

    /// Called before the first row of an answer whose statements read copies.
    default void fresh(AnswerFreshness freshness) {}

    /// Called when statements have written to the external database and are committed there.
    ///
    /// @param token the transaction, for requests that must see it
    default void wrote(FreshnessToken token) {}
}
