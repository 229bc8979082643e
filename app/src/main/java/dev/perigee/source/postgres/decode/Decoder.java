package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;

/// Reads the bytes of one field of `COPY … (FORMAT BINARY)`, as the type's `send` function writes them: numbers in
/// network byte order, text in UTF-8. Fields that are NULL never reach a decoder.
///
/// Not safe for many threads: some decoders keep a buffer to write in.
public interface Decoder {
    /// Puts the value into `batch`, in the form that the copy stores.
    void decode(byte[] bytes, int offset, int length, Batch batch);

    /// The value in a text form that PostgreSQL reads back as the same value.
    String text(byte[] bytes, int offset, int length);
}
