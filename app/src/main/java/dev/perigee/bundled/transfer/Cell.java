package dev.perigee.bundled.transfer;

/// A value as an imported file has it. What is stored for it depends on the column.
sealed interface Cell {
    enum Absent implements Cell {
        NULL
    }

    /// @param digits as they were written
    record Number(String digits) implements Cell {}

    record Text(String value) implements Cell {}
}
