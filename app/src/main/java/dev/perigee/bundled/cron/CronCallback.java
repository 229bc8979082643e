package dev.perigee.bundled.cron;

import dev.perigee.plugin.CronEvent;
import dev.perigee.plugin.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// Tells another program by `POST <callback_host>/cron/callback` that a task is due. The request is signed, so that the
/// program can verify its sender.
///
/// `X-Perigee-Signature: t=<seconds>,v1=<hex>`, where `<seconds>` is Unix time and `<hex>` is the HMAC-SHA256 of
/// `<seconds>.<body>`.
final class CronCallback implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(10);

    /// Made at the first call: it loads what TLS needs, which would make every start slower.
    private @Nullable HttpClient http;

    private boolean isClosed;
    private final byte[] secret;
    private final InstantSource clock;
    private final Duration limit;

    /// @param limit how long the other program may take to answer, body included
    CronCallback(String secret, InstantSource clock, Duration limit) {
        this.secret = secret.getBytes(StandardCharsets.UTF_8);
        this.clock = clock;
        this.limit = limit;
    }

    private synchronized HttpClient http() throws IOException {
        if (isClosed) throw new IOException("Perigee is being closed");
        if (http == null) {
            http = HttpClient.newBuilder()
                    .connectTimeout(limit)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .build();
        }
        return http;
    }

    /// @param isNamed whether the settings name the host
    /// @throws IOException if it was not answered with a status of 200 to 299
    void send(URI address, boolean isNamed, CronEvent event) throws IOException, InterruptedException {
        if (!isNamed) refuseMetadata(address.getHost());
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("name", event.name());
        told.put("cron_tab", event.cronTab());
        told.put("payload", Json.MAPPER.readTree(event.payload()));
        told.put("due_at", event.due().toString());
        String body = Json.MAPPER.writeValueAsString(List.of(told));
        long seconds = clock.instant().getEpochSecond();
        HttpRequest request = HttpRequest.newBuilder(address)
                .timeout(limit)
                .header("Content-Type", "application/json")
                .header("X-Perigee-Signature", "t=%d,v1=%s".formatted(seconds, signature(seconds + "." + body)))
                .POST(BodyPublishers.ofString(body))
                .build();
        int status = answered(http().sendAsync(request, BodyHandlers.discarding()));
        if (status / 100 != 2) throw new IOException("it answered with status " + status);
    }

    /// Refuses a host if any address it resolves to belongs to a metadata service. The JVM caches the addresses, so the
    /// call that follows uses the same ones.
    private static void refuseMetadata(String host) throws IOException {
        for (InetAddress address : InetAddress.getAllByName(host)) {
            if (!MetadataAddresses.holds(address)) continue;
            throw new IOException(
                    "%s is a link-local address or a cloud's metadata service; to call it anyway, name it in cron.callbackHosts"
                            .formatted(host));
        }
    }

    /// Waits for the answer. The request's own timeout ends with the headers, so a body that never ends needs this
    /// limit.
    private int answered(CompletableFuture<HttpResponse<Void>> answer) throws IOException, InterruptedException {
        try {
            return answer.get(limit.toMillis(), TimeUnit.MILLISECONDS).statusCode();
        } catch (TimeoutException e) {
            throw new IOException("it did not answer within %d s".formatted(limit.toSeconds()), e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(
                    cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage(), e);
        } finally {
            answer.cancel(true);
        }
    }

    /// The signing key if no secret is configured. A program that knows it can verify callbacks, but cannot act as
    /// admin.
    static String derivedKey(String adminToken) {
        return hmac(adminToken.getBytes(StandardCharsets.UTF_8), "perigee cron callbacks");
    }

    String signature(String text) {
        return hmac(secret, text);
    }

    private static String hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HmacSHA256", e);
        }
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        if (http != null) http.shutdownNow();
    }
}
