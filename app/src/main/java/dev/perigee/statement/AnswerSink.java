package dev.perigee.statement;

/// Takes the answers of a query: for each of its statements [#columns], the rows, [#end].
public interface AnswerSink extends RowSink {
    /// @param rowsRead rows in the answer
    /// @param rowsWritten rows that were inserted, updated or deleted, by triggers and foreign keys too
    record Meta(long rowsRead, long rowsWritten) {}

    void end(Meta meta);

    /// What follows has been committed or holds nothing of the store: it may not be refused for want of a place, and
    /// takes its time without holding up a reader.
    default void committed() {}
}
