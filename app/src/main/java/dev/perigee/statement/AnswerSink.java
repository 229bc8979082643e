package dev.perigee.statement;

/// Receives the answers of a query. For each statement, [#columns] is called, then [#row] for each row, then [#end].
public interface AnswerSink extends RowSink, AnswerEvents {
    /// @param rowsRead rows in the answer
    /// @param rowsWritten rows inserted, updated or deleted, including those of triggers and foreign keys
    record Meta(long rowsRead, long rowsWritten) {}

    void end(Meta meta);
}
