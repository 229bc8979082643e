package dev.perigee.statement;

/// Takes the answers of statements that run at a source.
public interface SourceAnswers {
    /// Where the rows of a statement go; asked once for each, in order, when the one before has ended.
    ///
    /// @param index from 0
    RowSink rows(int index);

    /// The statement at `index` is looked at or run next: what fails from now on is its failure.
    default void at(int index) {}

    /// While statements run, `cancel` ends the one that does; any thread may call it.
    default void running(Runnable cancel) {}

    /// `cancel` ends nothing of theirs any more, and must not be called.
    default void ended() {}
}
