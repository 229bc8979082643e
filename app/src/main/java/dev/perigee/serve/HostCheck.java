package dev.perigee.serve;

import dev.perigee.fault.Fault;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Protects against DNS rebinding: refuses requests whose `Host` is not a name of this server. Otherwise a page of
/// another site, whose name was pointed at this machine, could talk to this server as if it were its own.
///
/// It is on if the server listens on a loopback address, or if names are configured.
final class HostCheck {
    private static final List<String> LOOPBACK = List.of("localhost", "127.0.0.1", "[::1]");

    private final Set<String> allowed = new HashSet<>();
    private final boolean isOn;

    /// @param listening the address that the server listens on
    /// @param configured more names; a port in them is ignored
    HostCheck(String listening, List<String> configured) {
        isOn = isLoopback(listening) || !configured.isEmpty();
        for (String host : LOOPBACK) allowed.add(name(host));
        allowed.add(name(listening));
        for (String host : configured) allowed.add(name(host));
    }

    /// @param authority the request's `Host`; a request without one passes
    /// @throws dev.perigee.fault.PerigeeException [Fault#MISDIRECTED] if it is not a name of this server
    void check(@Nullable String authority) {
        if (!isOn || authority == null) return;
        String name = name(authority);
        if (allowed.contains(name) || name.endsWith(".localhost")) return;
        throw Fault.MISDIRECTED.saying("%s is not a name of this server: if it should be, add it to serve.hosts."
                .formatted(name.length() > 200 ? name.substring(0, 200) : name));
    }

    private static String name(String authority) {
        String text = authority.strip().toLowerCase(Locale.ROOT);
        int colon = text.indexOf(':');
        if (text.startsWith("[")) return ofNumbers(text.substring(1, Math.max(1, text.indexOf(']'))));
        if (colon >= 0 && text.indexOf(':', colon + 1) >= 0) return ofNumbers(text); // A setting, without brackets.
        String name = colon > 0 ? text.substring(0, colon) : text;
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    /// Normalizes an IPv6 address, which can be written in several ways.
    private static String ofNumbers(String text) {
        try {
            return "[" + InetAddress.ofLiteral(text).getHostAddress() + "]";
        } catch (IllegalArgumentException _) {
            return "[" + text + "]";
        }
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException _) {
            return false;
        }
    }
}
