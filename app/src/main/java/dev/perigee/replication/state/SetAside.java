package dev.perigee.replication.state;

import java.time.Instant;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// A row of the source that could not be stored, as `GET /replication/tables/:name/set-aside` shows it.
///
/// @param key the key's values as texts that the source reads; empty where a part is NULL, or has no such text
/// @param fault why: the name of a [dev.perigee.fault.Fault]
/// @param source each column's value as text; one too long to keep is an object with its `begin` and its length in
///     `bytes`
/// @param tries how often storing it failed
public record SetAside(
        Optional<JsonNode> key,
        String fault,
        String message,
        JsonNode source,
        Instant firstSeen,
        Instant lastTried,
        long tries) {}
