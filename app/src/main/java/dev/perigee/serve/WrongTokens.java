package dev.perigee.serve;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/// Counts the wrong tokens that come from each address. Safe for many threads.
///
/// Tokens from pages of other origins are counted separately. Any page that a user visits can send wrong tokens from
/// the user's address, and would otherwise lock out the user's own programs.
final class WrongTokens {
    /// Bytes of an IPv6 address that name its /64 network. Whoever has one address mostly has the whole network.
    private static final int IPV6_NETWORK_BYTES = 8;

    private final List<String> origins;
    private final RateLimits wrong;

    /// @param origins `serve.allowedOrigins`: pages of these origins are not counted separately; `*` names none
    /// @param perMinute wrong tokens that an address may send in a minute
    WrongTokens(List<String> origins, int perMinute) {
        this.origins = origins;
        this.wrong = new RateLimits(perMinute, 1, TimeUnit.MINUTES);
    }

    /// Whether so many tokens were wrong that none is checked for now, not even a correct one.
    boolean isSpent(Request request) {
        return wrong.isSpent(name(request));
    }

    void wrong(Request request) {
        wrong.tryTake(name(request));
    }

    private String name(Request request) {
        String network = request.getConnectionMetaData().getRemoteSocketAddress() instanceof InetSocketAddress peer
                        && peer.getAddress() != null
                ? network(peer.getAddress())
                : Request.getRemoteAddr(request);
        return isForeignPage(request) ? "page " + network : network;
    }

    /// One name for all addresses that a computer can have: its IPv4 address, or its IPv6 /64 network.
    static String network(InetAddress address) {
        if (!(address instanceof Inet6Address)) return address.getHostAddress();
        return HexFormat.of().formatHex(Arrays.copyOf(address.getAddress(), IPV6_NETWORK_BYTES)) + "/64";
    }

    private boolean isForeignPage(Request request) {
        @Nullable String origin = request.getHeaders().get(HttpHeader.ORIGIN);
        if (origin == null || origins.contains(origin)) return false;
        @Nullable String host = request.getHeaders().get(HttpHeader.HOST);
        int begin = origin.indexOf("://");
        return host == null || begin < 0 || !origin.substring(begin + 3).equalsIgnoreCase(host);
    }
}
