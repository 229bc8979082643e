package dev.perigee.source;

import java.util.Optional;

/// What values of a column are, and how a statement of a caller's names their type and compares them. It is told by the
/// catalog's number of the type, below all domains: a printed name depends on search paths and settings.
///
/// @param castTo the type's name for a cast, with its schema and without modifiers, which would cut a value
/// @param operators the schema of the operators that compare values; empty where the source has none
/// @param content of the value, or of an array's elements
/// @param delimiter what stands between elements in an array's text form; empty where it is not an array
/// @param structure for values that the copy keeps as JSON
public record ValueType(
        String castTo,
        Optional<String> operators,
        Content content,
        Optional<Character> delimiter,
        Optional<StructureText> structure) {

    public enum Content {
        BYTES,
        JSON,
        /// Dates, with a time of day or without.
        DATE,
        OTHER
    }

    public boolean isArray() {
        return delimiter.isPresent();
    }

    /// One number, text or the like of a type that every source has.
    public static ValueType plain(String castTo) {
        return new ValueType(castTo, Optional.empty(), Content.OTHER, Optional.empty(), Optional.empty());
    }
}
