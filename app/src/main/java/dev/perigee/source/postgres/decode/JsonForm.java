package dev.perigee.source.postgres.decode;

import java.util.List;

/// How the text form of a structure (array, composite, multirange, `hstore`) becomes JSON. Each value inside has the
/// form that it has in a column of its own, as far as JSON has one for it.
public sealed interface JsonForm {
    enum Scalar implements JsonForm {
        TEXT,
        NUMBER,
        BOOLEAN,
        /// `json` and `jsonb`. Three values would look like something else and are wrapped, as in `{"json":null}`: JSON
        /// null, which is not SQL's NULL; an array in an array; an object that begins with the member `json`.
        JSON,
        /// Dates and times, as [IsoText] writes them.
        TIME,
        /// Bytes in base64, as in every JSON answer.
        BYTES,
        /// `char(n)`, without the blanks that pad it.
        PADDED,
        MULTIRANGE,
        HSTORE
    }

    /// @param delimiter `typdelim`, a comma for all types except `box`
    record Array(JsonForm element, char delimiter) implements JsonForm {}

    record Composite(List<Field> fields) implements JsonForm {
        public Composite {
            fields = List.copyOf(fields);
        }
    }

    record Field(String name, JsonForm form) {}
}
