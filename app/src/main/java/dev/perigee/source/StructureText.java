package dev.perigee.source;

/// Writes values of a type that holds others, such as an array, as the copy has them.
public interface StructureText {
    /// @param text the source's own text form
    /// @return JSON
    String json(String text);
}
