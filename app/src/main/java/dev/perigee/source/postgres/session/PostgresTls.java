package dev.perigee.source.postgres.session;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.postgresql.PGProperty;

/// Translates libpq's TLS parameters for pgjdbc, which reads some of them differently. In libpq, `require` with a root
/// certificate verifies the server's certificate. In pgjdbc, PEM keys need their algorithm, and `sslrootcert=system` is
/// a socket factory.
///
/// @see <a href="https://www.postgresql.org/docs/current/libpq-ssl.html">libpq: SSL support</a>
final class PostgresTls {
    static final Set<String> NAMES = Set.of("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword");

    private static final List<String> MODES =
            List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");
    private static final String SYSTEM = "system";

    private final SourceConfig config;

    PostgresTls(SourceConfig config) {
        this.config = config;
    }

    /// @throws PerigeeException [Fault#CONFIG_INVALID] for an unknown mode or a file that cannot be used
    void into(Properties properties) {
        PGProperty.SSL_MODE.set(properties, mode());
        option("sslpassword").ifPresent(password -> PGProperty.SSL_PASSWORD.set(properties, password));
        option("sslrootcert").ifPresent(root -> {
            if (root.equals(SYSTEM)) {
                PGProperty.SSL_FACTORY.set(properties, "org.postgresql.ssl.DefaultJavaSSLFactory");
            } else {
                PGProperty.SSL_ROOT_CERT.set(properties, readable("sslrootcert", root));
            }
        });
        option("sslcert").ifPresent(cert -> PGProperty.SSL_CERT.set(properties, readable("sslcert", cert)));
        option("sslkey").ifPresent(key -> key(properties, readable("sslkey", key)));
    }

    private String mode() {
        Optional<String> root = option("sslrootcert");
        boolean isSystem = root.equals(Optional.of(SYSTEM));
        String mode = option("sslmode").orElse(isSystem ? "verify-full" : "prefer");
        if (!MODES.contains(mode)) {
            throw PostgresOptions.invalid(config, "sslmode", "one of " + String.join(", ", MODES), mode);
        }
        if (isSystem && !mode.equals("verify-full")) {
            throw PostgresOptions.invalid(
                    config, "sslmode", "`verify-full`, the only safe one with `sslrootcert=system`,", mode);
        }
        if (mode.startsWith("verify") && root.isEmpty() && !Files.isReadable(defaultRoot())) {
            throw PostgresOptions.invalid(
                    config,
                    "sslrootcert",
                    "a file with the certificates to trust (or `system`), which `sslmode=%s` needs,".formatted(mode),
                    "");
        }
        return mode.equals("require") && root.isPresent() ? "verify-ca" : mode;
    }

    private static Path defaultRoot() {
        return Path.of(System.getProperty("user.home", ""), ".postgresql", "root.crt");
    }

    private void key(Properties properties, String key) {
        PGProperty.SSL_KEY.set(properties, key);
        String text = head(key);
        if (!text.contains("-----BEGIN ")) return; // DER: PKCS #8 or PKCS #12
        if (!text.contains("BEGIN PRIVATE KEY")) {
            throw PostgresOptions.invalid(
                    config,
                    "sslkey",
                    "a PEM file that begins with `BEGIN PRIVATE KEY` (`openssl pkcs8 -topk8 -nocrypt` makes one)",
                    key);
        }
        option("sslcert").ifPresent(cert -> PGProperty.PEM_KEY_ALGORITHM.set(properties, keyAlgorithm(cert)));
    }

    /// The key's algorithm, read from the certificate. pgjdbc takes every PEM key for RSA unless it is told.
    private String keyAlgorithm(String cert) {
        try (InputStream in = Files.newInputStream(Path.of(cert))) {
            return CertificateFactory.getInstance("X.509")
                    .generateCertificate(in)
                    .getPublicKey()
                    .getAlgorithm()
                    .toUpperCase(Locale.ROOT);
        } catch (IOException | CertificateException e) {
            throw PostgresOptions.invalid(config, "sslcert", "a file with an X.509 certificate", cert);
        }
    }

    private String head(String file) {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            return new String(in.readNBytes(1 << 16), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw PostgresOptions.invalid(config, "sslkey", "a file that can be read", file);
        }
    }

    private String readable(String name, String file) {
        if (!Files.isReadable(Path.of(file)) || Files.isDirectory(Path.of(file))) {
            throw PostgresOptions.invalid(config, name, "a file that can be read", file);
        }
        return file;
    }

    private Optional<String> option(String name) {
        return Optional.ofNullable(config.options().get(name)).filter(value -> !value.isEmpty());
    }
}
