package dev.perigee.cli.args;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Converts a path of the command line. An empty text, such as from an unset shell variable, is refused: it would mean
/// the working directory, and a database would be created there by mistake.
public final class GivenPath implements ITypeConverter<Path> {
    @Override
    public Path convert(String text) {
        if (text.isBlank()) throw new TypeConversionException("expected a path, found an empty text");
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("`%s` is not a path: %s".formatted(text, e.getReason()));
        }
    }
}
