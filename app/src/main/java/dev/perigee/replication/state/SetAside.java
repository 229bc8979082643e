package dev.perigee.replication.state;

import java.time.Instant;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// A row of the source that could not be stored in the copy, as `GET /replication/tables/:name/set-aside` shows it.
///
/// @param key the key's values as text that the source parses back to them; no text for a value that is NULL or has
///     none
/// @param fault the name of the [dev.perigee.fault.Fault] that storing the row failed with
/// @param source the row as the source sent it: each column's value as text; of a value that is too long, an object
///     with its beginning (`begin`) and its length (`bytes`)
/// @param tries how often storing it failed
public record SetAside(
        Optional<JsonNode> key,
        String fault,
        String message,
        JsonNode source,
        Instant firstSeen,
        Instant lastTried,
        long tries) {}
