package dev.perigee.plugin;

import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// A request as a plugin's route sees it; the body is already within the server's limit.
public interface Request {
    String method();

    /// Decoded, with the leading slash.
    String path();

    /// A `:name` part of the route's path, decoded.
    String pathParameter(String name);

    /// All `:name` parts that the route's path has, decoded.
    Map<String, String> pathParameters();

    Optional<String> query(String name);

    /// All of the query string, decoded, names in the order in which they first appear.
    Map<String, List<String>> queryParameters();

    Optional<String> header(String name);

    Caller caller();

    /// The IP address of who is connected; of a proxy, where one is between.
    String address();

    /// Whether it came by TLS, to this server or to the proxy before it (`X-Forwarded-Proto`).
    boolean isEncrypted();

    /// Has the audit log keep it as an admin's call; for a plugin that knows who asks in a way of its own.
    void audited();

    /// Ends when the client goes away; for the statements that the request runs.
    Cancellation cancellation();

    byte[] body();

    /// Writes the body into a new file of `folder`, as it comes; in routes that take uploads only. Of
    /// `multipart/form-data`, it is the file of that field.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#TOO_LARGE] past the route's limit,
    ///     [dev.perigee.fault.Fault#INVALID_REQUEST] where the field is missing or the body breaks off,
    ///     [dev.perigee.fault.Fault#DISK_FAILED]. Nothing stays on the disk then
    Upload upload(String field, Path folder);

    /// The body as JSON.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST] with line and column where
    ///     it is not JSON, or when the content type is not JSON
    JsonNode json();
}
