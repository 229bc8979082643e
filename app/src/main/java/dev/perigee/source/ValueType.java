package dev.perigee.source;

import java.util.Optional;

/// What the values of a column are, and how a caller's statement names their type and compares them. The type is
/// determined by its number in the catalog, below all domains, because a printed name depends on search paths and
/// settings.
///
/// @param castTo the type's name for a cast, with its schema and without modifiers, which would cut a value
/// @param operators the schema of the operators that compare values; empty where the source has none
/// @param content what a value holds, or each element of an array
/// @param delimiter the separator of elements in an array's text form; empty where the type is not an array
/// @param structure for arrays and other structures that the copy stores as JSON: writes that JSON
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

    /// A type that every source has, such as a number or a text, and that is neither an array nor another structure.
    public static ValueType plain(String castTo) {
        return new ValueType(castTo, Optional.empty(), Content.OTHER, Optional.empty(), Optional.empty());
    }
}
