package dev.perigee.serve;

import dev.perigee.plugin.Request;
import dev.perigee.plugin.Upload;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.FreshnessDemand;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// A request as a plugin's route sees it.
///
/// @param body the body as far as it was read into memory; empty for uploads and WebSockets
/// @param memory the reservation that counts the body and what is parsed from it
/// @param maxUploadBytes the longest body that may be written to the disk; 0 if the route takes no uploads
record PluginRequest(Exchange exchange, byte[] body, MemoryBudget.Reservation memory, long maxUploadBytes)
        implements Request {
    @Override
    public String method() {
        return exchange.method();
    }

    @Override
    public String path() {
        return exchange.decodedPath();
    }

    @Override
    public String pathParameter(String name) {
        String value = exchange.pathParameters().get(name);
        if (value == null) throw new IllegalArgumentException("the route's path has no :" + name);
        return value;
    }

    @Override
    public Map<String, String> pathParameters() {
        return exchange.pathParameters();
    }

    @Override
    public Optional<String> query(String name) {
        return exchange.query(name);
    }

    @Override
    public Map<String, List<String>> queryParameters() {
        return exchange.queryParameters();
    }

    @Override
    public Cancellation cancellation() {
        return exchange.cancellation();
    }

    @Override
    public Optional<String> header(String name) {
        return exchange.header(name);
    }

    @Override
    public FreshnessDemand demand() {
        return exchange.demand();
    }

    @Override
    public void cacheable() {
        exchange.cacheable();
    }

    @Override
    public Caller caller() {
        return exchange.caller();
    }

    @Override
    public String address() {
        return exchange.address();
    }

    @Override
    public boolean isEncrypted() {
        return exchange.isEncrypted();
    }

    @Override
    public void audited() {
        exchange.audited();
    }

    @Override
    public Upload upload(String field, Path folder) {
        if (maxUploadBytes == 0) throw new IllegalStateException("the route takes no uploads");
        return exchange.upload(field, folder, maxUploadBytes);
    }

    @Override
    public JsonNode json() {
        exchange.requireJson();
        return RequestBody.json(body, memory);
    }
}
