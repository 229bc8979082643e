package dev.perigee.source;

import dev.perigee.config.TableConfig;
import java.util.Optional;

/// A column as the source's catalog describes it, and how the copy stores its values.
///
/// @param name as the catalog spells it
/// @param identity a number that a rename does not change (PostgreSQL: `attnum`)
/// @param sourceType the type as the source writes it, with its modifiers: `numeric(12,2)`
/// @param values what its values are, for callers' statements about them
/// @param declaredType the type declared in the copy, chosen for its affinity; empty for none
/// @param option the table setting that changes how its values are stored, and the declared type with it
/// @param isNotNull whether the source refuses NULL
/// @param isOrdered whether the source can compare its values, so that it can be a cursor or part of a key
/// @param isStamped whether its values seem to come from the source's own clock or from one of its sequences. Such
///     values are not older than the transaction that wrote them
/// @param note what a user should know about how it is stored, for example that an unknown type is kept as text
public record SourceColumn(
        String name,
        int identity,
        String sourceType,
        ValueType values,
        String declaredType,
        Option option,
        boolean isNotNull,
        boolean isOrdered,
        boolean isStamped,
        Optional<String> note) {

    public enum Option {
        NONE,
        NUMERIC,
        TIMESTAMPS
    }

    /// The column's declared type in a copy made with these settings.
    public String declaredType(TableConfig.NumericStorage numeric, TableConfig.TimestampStorage timestamps) {
        return switch (option) {
            case NONE -> declaredType;
            case NUMERIC ->
                switch (numeric) {
                    case EXACT -> declaredType;
                    case TEXT -> "TEXT";
                    case REAL -> "REAL";
                };
            case TIMESTAMPS ->
                switch (timestamps) {
                    case ISO -> declaredType;
                    case EPOCH_MICROS -> "INTEGER";
                };
        };
    }
}
