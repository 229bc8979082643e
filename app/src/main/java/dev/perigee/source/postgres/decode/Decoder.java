package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;

/// Reads the bytes of one field of `COPY … (FORMAT BINARY)`, which are what the type's `send` function writes: numbers
/// in network byte order, text in UTF-8. Fields that are NULL never reach it.
///
/// Not safe for many threads: some keep a buffer to write in.
public interface Decoder {
    /// Puts the value into `batch` as it is stored.
    void decode(byte[] bytes, int offset, int length, Batch batch);

    /// The value in a text form that PostgreSQL reads back as the same value.
    String text(byte[] bytes, int offset, int length);
}
