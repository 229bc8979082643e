package dev.perigee.cli;

import dev.perigee.fault.Fault;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options that say which server a command calls.
final class ServerOptions {
    static final String ADMIN_TOKEN = "ADMIN_AUTHORIZATION_TOKEN";
    static final String CLIENT_TOKEN = "CLIENT_AUTHORIZATION_TOKEN";
    private static final String DEFAULT_URL = "http://127.0.0.1:8787";

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "The server's address. Default: PERIGEE_URL, else " + DEFAULT_URL + ".")
    private @Nullable String url;

    /// A client of that server. It connects with the first request.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFIG_INVALID] if there is no token or no usable address
    ServerClient client(Map<String, String> environment) {
        String token = environment.getOrDefault(ADMIN_TOKEN, environment.getOrDefault(CLIENT_TOKEN, ""));
        if (token.isEmpty()) {
            throw Fault.CONFIG_INVALID.saying("%s: the environment has no %s; set it to the server's admin token"
                    .formatted(Fault.CONFIG_INVALID, ADMIN_TOKEN));
        }
        String address = url != null ? url : environment.getOrDefault("PERIGEE_URL", DEFAULT_URL);
        return new ServerClient(base(address), token);
    }

    private static URI base(String address) {
        try {
            URI base = URI.create(address.endsWith("/") ? address.substring(0, address.length() - 1) : address);
            String scheme = String.valueOf(base.getScheme()).toLowerCase(Locale.ROOT);
            if ((scheme.equals("http") || scheme.equals("https"))
                    && base.getHost() != null
                    && base.getUserInfo() == null) {
                return base;
            }
        } catch (IllegalArgumentException e) {
            // Reported below, like any other address that is not valid.
        }
        throw Fault.CONFIG_INVALID.saying(
                "%s: --url: expected an address such as %s".formatted(Fault.CONFIG_INVALID, DEFAULT_URL));
    }
}
