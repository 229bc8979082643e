package dev.perigee.source.postgres.decode;

/// The fields of one row, in the memory the driver received them in.
public interface Fields {
    /// The bytes that hold the fields.
    byte[] bytes();

    int offset(int field);

    /// @return bytes of the value; -1 where there is none
    int length(int field);
}
