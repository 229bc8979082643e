package dev.perigee.source;

import java.util.Optional;

/// A column as the source's catalog has it, and how its values are stored.
///
/// @param name as the catalog spells it
/// @param identity a number that stays when the column is renamed (Postgres `attnum`)
/// @param sourceType the type in the source's words, with its modifiers: `numeric(12,2)`
/// @param declaredType the type declared in the copy, chosen for its affinity; empty for none
/// @param isNotNull whether the source refuses NULL
/// @param isOrdered whether values compare, so that it can be a cursor or part of a key
/// @param note what a user should know about how it is stored, such as an unknown type kept as text
public record SourceColumn(
        String name,
        int identity,
        String sourceType,
        String declaredType,
        boolean isNotNull,
        boolean isOrdered,
        Optional<String> note) {}
