package dev.perigee.cli.args;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A path that was said. An empty text, as a variable that is not set becomes, would mean the working directory, where
/// nobody wants a database by mistake.
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
