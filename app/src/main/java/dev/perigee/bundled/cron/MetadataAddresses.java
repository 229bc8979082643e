package dev.perigee.bundled.cron;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;

/// The addresses of cloud metadata services, which give a machine's credentials to any program that asks from that
/// machine.
///
/// In most clouds these are link-local addresses. The others are listed one by one, because their networks also hold
/// machines that a callback may well go to. Names such as `metadata.google.internal` are checked by the addresses they
/// resolve to.
final class MetadataAddresses {
    private static final int IPV4_BYTES = 4;

    /// A network: the first `bits` bits of `prefix`.
    private record Network(byte[] prefix, int bits) {
        boolean holds(byte[] address) {
            if (address.length != prefix.length) return false;
            for (int bit = 0; bit < bits; bit++) {
                int mask = 0x80 >> bit % 8;
                if ((address[bit / 8] & mask) != (prefix[bit / 8] & mask)) return false;
            }
            return true;
        }
    }

    private static final List<Network> NETWORKS = List.of(
            network("169.254.0.0", 16), // link-local; AWS, Azure, Google, Oracle and others
            network("fe80::", 10), // link-local
            network("100.100.100.200", 32), // Alibaba Cloud
            network("168.63.129.16", 32), // Azure's own services
            network("192.0.0.192", 32), // Oracle Cloud, classic
            network("fd00:ec2::", 32), // AWS
            network("fd00:c1::", 32), // Oracle Cloud
            network("fd20:ce::", 32), // Google Cloud
            network("fd00:42::", 32)); // Scaleway

    /// IPv6 networks whose addresses hold an IPv4 address, and the byte at which that begins.
    private record Embedding(Network network, int at) {}

    private static final List<Embedding> EMBEDDINGS = List.of(
            new Embedding(network("::", 96), 12), // IPv4-compatible; Java itself makes IPv4-mapped ones IPv4
            new Embedding(network("::ffff:0:0:0", 96), 12), // IPv4-translated, RFC 2765
            new Embedding(network("64:ff9b::", 96), 12), // NAT64, RFC 6052
            new Embedding(network("64:ff9b:1::", 48), 12), // NAT64 of a site, RFC 8215
            new Embedding(network("2002::", 16), 2)); // 6to4, RFC 3056

    private MetadataAddresses() {}

    /// Whether `address` is one of these, or leads to one through a gateway between IPv6 and IPv4.
    static boolean holds(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (isListed(bytes)) return true;
        if (address instanceof Inet4Address) return false;
        return EMBEDDINGS.stream()
                .filter(embedding -> embedding.network().holds(bytes))
                .anyMatch(
                        embedding -> isListed(Arrays.copyOfRange(bytes, embedding.at(), embedding.at() + IPV4_BYTES)));
    }

    private static boolean isListed(byte[] bytes) {
        return NETWORKS.stream().anyMatch(network -> network.holds(bytes));
    }

    private static Network network(String address, int bits) {
        return new Network(InetAddress.ofLiteral(address).getAddress(), bits);
    }
}
