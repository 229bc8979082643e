package dev.perigee.source;

/// What is read of a column in place of its values.
///
/// @param column the column as the source has it
/// @param expression gives the values that are read
public record Mask(Expression.Used column, Expression expression) {}
