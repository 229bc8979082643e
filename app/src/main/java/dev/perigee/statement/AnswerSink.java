package dev.perigee.statement;

/// Receives the answers of a query. For each statement, [#columns] is called, then [#row] for each row, then [#end].
public interface AnswerSink extends RowSink {
    /// @param rowsRead rows in the answer
    /// @param rowsWritten rows inserted, updated or deleted, including those of triggers and foreign keys
    record Meta(long rowsRead, long rowsWritten) {}

    void end(Meta meta);

    /// Called when the rest of the answer no longer occupies one of the store's readers: it has been committed, or it
    /// does not come from the store. It may then be sent slowly, and it may not be refused for lack of a permit to
    /// occupy a reader.
    default void committed() {}
}
