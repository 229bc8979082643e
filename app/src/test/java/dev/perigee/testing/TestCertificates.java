package dev.perigee.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// A certificate authority in a folder, by the JDK's `keytool`, and what it signs as PEM files.
public final class TestCertificates {
    private static final String PASSWORD = "changeit";

    private final Path folder;
    private final Path store;
    private final String authority;

    /// @param authority its name, which is also that of its file
    public TestCertificates(Path folder, String authority) {
        this.folder = folder;
        this.store = folder.resolve(authority + ".p12");
        this.authority = authority;
        generate(authority, "EC", List.of("-ext", "bc:c"));
    }

    /// The authority's certificate.
    public Path root() {
        return folder.resolve(authority + ".crt");
    }

    /// Makes `name.crt` and `name.key`, which is in PKCS #8.
    ///
    /// @param algorithm `EC` or `RSA`
    public Path sign(String name, String algorithm, String subjectAlternative) {
        generate(name, algorithm, List.of("-signer", authority, "-ext", "san=" + subjectAlternative));
        return folder.resolve(name + ".crt");
    }

    /// Trusts what the authority with this certificate has signed.
    public static SSLContext trusting(Path root) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream in = Files.newInputStream(root)) {
            store.setCertificateEntry(
                    "root", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private void generate(String name, String algorithm, List<String> more) {
        List<String> arguments = new ArrayList<>(List.of(
                "-genkeypair",
                "-alias",
                name,
                "-dname",
                "CN=" + name,
                "-keyalg",
                algorithm,
                "-validity",
                "2",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD));
        arguments.addAll(more);
        try {
            keytool(arguments);
            export(name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// In this process: a start of the program takes a second. The build lets the tests use its class, which the
    /// compiler does not know.
    private static void keytool(List<String> arguments) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        try {
            Class<?> tool = Class.forName("sun.security.tools.keytool.Main");
            Object exit = tool.getMethod("run", String[].class, PrintStream.class)
                    .invoke(
                            tool.getConstructor().newInstance(),
                            arguments.toArray(String[]::new),
                            new PrintStream(said, true, StandardCharsets.UTF_8));
            if (!exit.equals(0)) throw new IllegalStateException(said.toString(StandardCharsets.UTF_8));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private void export(String name) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        Files.writeString(
                folder.resolve(name + ".crt"),
                pem("CERTIFICATE", keys.getCertificate(name).getEncoded()));
        Path key = folder.resolve(name + ".key");
        Files.writeString(
                key,
                pem("PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded()));
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    }

    private static String pem(String label, byte[] der) {
        String body = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der);
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(label, body, label);
    }
}
