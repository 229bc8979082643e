package dev.perigee.source.postgres.decode;

/// How the values of a column are fetched.
///
/// @param expression what to select, with `%1$s` in place of the column
/// @param decoder reads the bytes of the expression
/// @param isReversible whether [Decoder#text] gives a text of the column's own value, as a cursor or key needs it;
///     false for structures, which become JSON
public record ColumnReading(String expression, Decoder decoder, boolean isReversible) {
    public static ColumnReading asIs(Decoder decoder) {
        return new ColumnReading("%1$s", decoder, true);
    }

    public static ColumnReading ofText() {
        return new ColumnReading("%1$s::pg_catalog.text", PlainDecoder.TEXT, true);
    }

    public static ColumnReading ofStructure(JsonForm form) {
        return new ColumnReading("%1$s::pg_catalog.text", new StructureDecoder(form), false);
    }

    /// The same for a database that does not check its texts (`SQL_ASCII`). Their bytes are fetched as they are,
    /// because the server would refuse to send them as text.
    public ColumnReading unchecked() {
        Decoder text = decoder == PlainDecoder.JSONB ? PlainDecoder.TEXT : decoder;
        if (text != PlainDecoder.TEXT && !(text instanceof StructureDecoder)) return this;
        return new ColumnReading(
                "pg_catalog.convert_to((%s)::pg_catalog.text, 'SQL_ASCII')".formatted(expression),
                new CheckedText(text),
                isReversible);
    }

    /// The same for a mark: it reads the column's own value, in the one form that marks have, whether the column is
    /// copied or not.
    ///
    /// @param isUnchecked see [#unchecked]
    public ColumnReading ofMark(boolean isUnchecked) {
        if (isReversible) return this;
        return isUnchecked ? ofText().unchecked() : ofText();
    }

    public String select(String column) {
        return expression.formatted(column);
    }
}
