package dev.perigee.source;

/// Writes values of a type that contains other values, such as an array, in the form that the copy stores.
public interface StructureText {
    /// @param text the value in the source's own text form
    /// @return JSON
    String json(String text);
}
