package dev.perigee.plugin;

import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.FreshnessDemand;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// A request as a plugin's route sees it. Its body was already checked against the server's limit, except for uploads,
/// which [#upload] checks.
public interface Request {
    String method();

    /// The path, decoded, with the leading slash.
    String path();

    /// The decoded value of a `:name` segment in the route's path.
    String pathParameter(String name);

    /// The decoded values of all `:name` segments in the route's path, by name.
    Map<String, String> pathParameters();

    Optional<String> query(String name);

    /// The whole query string, decoded. Names are in the order of their first appearance.
    Map<String, List<String>> queryParameters();

    Optional<String> header(String name);

    Caller caller();

    /// How fresh the copies must be that the request reads, by its `X-Perigee-*` headers; see docs/freshness.md.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST] if one is not valid
    default FreshnessDemand demand() {
        return FreshnessDemand.NONE;
    }

    /// Lets the client keep the answer. It gets an `ETag`, made from its body, if the body is at most 64 KiB; then a
    /// request with a matching `If-None-Match` is answered with 304. It may be kept until the copies that it was read
    /// from are due to be synced.
    default void cacheable() {}

    /// The IP address of the peer: the client, or a proxy in front of the server.
    String address();

    /// Whether it came over TLS, to this server or to the proxy in front of it (`X-Forwarded-Proto`).
    boolean isEncrypted();

    /// Records this request in the audit log as an admin's call. For plugins that authenticate admins in their own way.
    void audited();

    /// Cancels the statements that the request runs, when the client disconnects.
    Cancellation cancellation();

    byte[] body();

    /// Writes the body to a new file in `folder` while it arrives; only in routes that take uploads. From
    /// `multipart/form-data` it takes the file of the given field.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#TOO_LARGE] past the route's limit,
    ///     [dev.perigee.fault.Fault#INVALID_REQUEST] if the field is missing or the body breaks off,
    ///     [dev.perigee.fault.Fault#DISK_FAILED]. No file is left then
    Upload upload(String field, Path folder);

    /// The body as JSON.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST] if the content type is not
    ///     JSON, or with line and column if the body is not valid JSON
    JsonNode json();
}
