package dev.perigee.serve;

import dev.perigee.fault.Fault;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Refuses requests that were sent to another name than this server's: a page of another site whose name was pointed at
/// this machine (DNS rebinding) would else talk to it as if it were its own.
final class HostCheck {
    private static final List<String> LOOPBACK = List.of("localhost", "127.0.0.1", "[::1]");

    private final Set<String> allowed = new HashSet<>();
    private final boolean isOn;

    /// @param listening the address that is listened on
    /// @param configured more names; they may have a port, which is not looked at
    HostCheck(String listening, List<String> configured) {
        isOn = isLoopback(listening) || !configured.isEmpty();
        for (String host : LOOPBACK) allowed.add(name(host));
        allowed.add(name(listening));
        for (String host : configured) allowed.add(name(host));
    }

    /// @param authority the request's `Host`
    /// @throws dev.perigee.fault.PerigeeException [Fault#MISDIRECTED]
    void check(@Nullable String authority) {
        if (!isOn || authority == null) return;
        String name = name(authority);
        if (allowed.contains(name) || name.endsWith(".localhost")) return;
        throw Fault.MISDIRECTED.saying("This server is not %s: if it is meant to be, add the name to serve.hosts."
                .formatted(name.length() > 200 ? name.substring(0, 200) : name));
    }

    private static String name(String authority) {
        String text = authority.strip().toLowerCase(Locale.ROOT);
        int colon = text.indexOf(':');
        if (text.startsWith("[")) return ofNumbers(text.substring(1, Math.max(1, text.indexOf(']'))));
        if (colon >= 0 && text.indexOf(':', colon + 1) >= 0) return ofNumbers(text); // Of a setting: no brackets.
        String name = colon > 0 ? text.substring(0, colon) : text;
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    /// An IPv6 address in the one way we write it, however it was written.
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
