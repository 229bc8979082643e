package dev.perigee.statement;

/// Receives the answers of statements that run at a source.
public interface SourceAnswers {
    /// Returns where the rows of a statement go. Called once for each statement, in order, when the one before has
    /// ended.
    ///
    /// @param index the statement's, from 0
    RowSink rows(int index);

    /// The statement at `index` is checked or run next. A failure from now on belongs to this statement.
    default void at(int index) {}

    /// The statements start to run. Until [#ended] is called, any thread may call `cancel` to end the one that runs.
    default void running(Runnable cancel) {}

    /// The statements have ended. From now on, `cancel` must not be called.
    default void ended() {}

    /// The statements have written, and are committed.
    ///
    /// @param token the transaction
    default void wrote(FreshnessToken token) {}
}
