package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Upload;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.MultiPart;
import org.eclipse.jetty.http.MultiPartConfig;
import org.eclipse.jetty.http.MultiPartFormData;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes a request's body, or one file of a multipart form, to the disk as it arrives.
final class UploadedBody {
    private static final int MAX_PARTS = 16;
    private static final int CHUNK_BYTES = 64 << 10;
    private static final Logger LOG = LoggerFactory.getLogger(UploadedBody.class);

    private UploadedBody() {}

    /// Writes the upload to a new file in `folder`, which is created if it is missing. Leaves no file after a failure.
    ///
    /// @param field the field that has the file, if the body is a multipart form
    /// @throws PerigeeException [Fault#TOO_LARGE] past `maxBytes`, [Fault#INVALID_REQUEST] if the body cannot be read
    ///     to its end or has no such file, [Fault#DISK_FAILED] if the file cannot be written
    static Upload read(Request request, String field, Path folder, long maxBytes) {
        String type = Optional.ofNullable(request.getHeaders().get(HttpHeader.CONTENT_TYPE))
                .orElse("");
        if (request.getLength() > maxBytes) throw tooLarge(maxBytes);
        Path file = folder.resolve(UUID.randomUUID() + ".upload");
        boolean isWhole = false;
        try {
            Files.createDirectories(folder);
            Upload upload = plain(type).equals("multipart/form-data")
                    ? part(request, type, field, file, maxBytes)
                    : whole(request, type, file, maxBytes);
            isWhole = true;
            return upload;
        } catch (FileSystemException e) {
            throw Fault.DISK_FAILED.in("upload", e.toString(), "Nothing was changed", e);
        } catch (IOException e) {
            LOG.debug("An upload could not be read", e);
            throw Fault.INVALID_REQUEST.saying("The body could not be read to its end.");
        } finally {
            if (!isWhole) new Upload(file, Optional.empty(), "").close();
        }
    }

    private static Upload whole(Request request, String type, Path file, long maxBytes) throws IOException {
        try (InputStream in = Content.Source.asInputStream(request);
                OutputStream out = Files.newOutputStream(file)) {
            byte[] chunk = new byte[CHUNK_BYTES];
            long total = 0;
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                total += read;
                if (total > maxBytes) throw tooLarge(maxBytes);
                out.write(chunk, 0, read);
            }
        }
        return new Upload(file, Optional.empty(), plain(type));
    }

    private static Upload part(Request request, String type, String field, Path file, long maxBytes)
            throws IOException {
        MultiPartConfig config = new MultiPartConfig.Builder()
                .location(file.getParent())
                .maxParts(MAX_PARTS)
                .maxSize(maxBytes)
                .maxPartSize(maxBytes)
                .maxMemoryPartSize(0)
                .useFilesForPartsWithoutFileName(true)
                .build();
        try (MultiPartFormData.Parts parts = MultiPartFormData.getParts(request, request, type, config)) {
            MultiPart.@Nullable Part part = parts.getFirst(field);
            if (part == null) {
                throw Fault.INVALID_REQUEST.saying("The form has no file in the field \"%s\".".formatted(field));
            }
            try (InputStream in = Content.Source.asInputStream(part.createContentSource())) {
                Files.copy(in, file);
            }
            String own = part.getHeaders().get(HttpHeader.CONTENT_TYPE);
            return new Upload(file, Optional.ofNullable(part.getFileName()), plain(own == null ? "" : own));
        } catch (PerigeeException e) {
            throw e;
        } catch (RuntimeException e) {
            LOG.debug("A form could not be read", e);
            throw String.valueOf(e.getMessage()).contains("max")
                    ? tooLarge(maxBytes)
                    : Fault.INVALID_REQUEST.saying("The body is not valid multipart/form-data.");
        }
    }

    private static PerigeeException tooLarge(long maxBytes) {
        return Fault.TOO_LARGE.saying("The body has more than %d bytes.".formatted(maxBytes));
    }

    private static String plain(String type) {
        int end = type.indexOf(';');
        return (end < 0 ? type : type.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    }
}
