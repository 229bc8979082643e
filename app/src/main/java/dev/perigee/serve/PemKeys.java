package dev.perigee.serve;

import dev.perigee.config.SurfaceConfig.Tls;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.interfaces.RSAKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;

/// Reads a certificate and its key from PEM files.
///
/// @see <a href="https://www.rfc-editor.org/rfc/rfc7468">RFC 7468</a>
final class PemKeys {
    private static final char[] PASSWORD = "in memory only".toCharArray();
    private static final String BEGIN = "-----BEGIN PRIVATE KEY-----";
    private static final String END = "-----END PRIVATE KEY-----";

    /// The state that messages name: at the start, which then fails, and later, when the previous pair stays in use.
    private static final String UNUSED = "The certificate and the key are not used";

    private PemKeys() {}

    static String password() {
        return new String(PASSWORD);
    }

    /// @throws PerigeeException [Fault#CONFIG_INVALID] naming the file and what is wrong with it
    static KeyStore read(Tls tls) {
        try {
            Certificate[] chain = chain(tls.certificate());
            PrivateKey key = key(tls.key(), chain[0].getPublicKey().getAlgorithm());
            if (!belongs(key, chain[0].getPublicKey())) {
                throw Fault.CONFIG_INVALID.in(
                        "serve.tls",
                        "the certificate in %s does not belong to the key in %s"
                                .formatted(tls.certificate(), tls.key()),
                        UNUSED);
            }
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, PASSWORD);
            store.setKeyEntry("server", key, PASSWORD, chain);
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw Fault.CONFIG_INVALID.in(
                    "serve.tls", "%s and %s: %s".formatted(tls.certificate(), tls.key(), e.getMessage()), UNUSED, e);
        }
    }

    /// Whether the private key belongs to the certificate's public key. RSA keys are compared; others sign and verify a
    /// text. Without this check, only the first connection would fail.
    private static boolean belongs(PrivateKey key, PublicKey certified) throws GeneralSecurityException {
        if (key instanceof RSAKey mine && certified instanceof RSAKey theirs) {
            return mine.getModulus().equals(theirs.getModulus());
        }
        if (!key.getAlgorithm().equals(certified.getAlgorithm())) return false;
        Signature signature =
                Signature.getInstance(certified.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "EdDSA");
        byte[] text = "any text".getBytes(StandardCharsets.US_ASCII);
        try {
            signature.initSign(key);
            signature.update(text);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(text);
            return signature.verify(signed);
        } catch (InvalidKeyException | SignatureException _) {
            return false; // The keys are of different curves.
        }
    }

    private static Certificate[] chain(Path file) throws GeneralSecurityException {
        try (InputStream in = Files.newInputStream(file)) {
            Certificate[] chain = CertificateFactory.getInstance("X.509")
                    .generateCertificates(in)
                    .toArray(new Certificate[0]);
            if (chain.length == 0) throw wrong("certificate", file, "it contains no certificate");
            return chain;
        } catch (IOException e) {
            throw wrong("certificate", file, "it cannot be read: " + e.getMessage());
        } catch (CertificateException e) {
            throw wrong("certificate", file, "it is not a valid certificate: " + e.getMessage());
        }
    }

    private static PrivateKey key(Path file, String algorithm) throws GeneralSecurityException {
        String text;
        try {
            text = Files.readString(file, StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw wrong("key", file, "it cannot be read: " + e.getMessage());
        }
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END);
        if (begin < 0 || end < begin) {
            throw wrong(
                    "key",
                    file,
                    "expected `%s`; convert it with: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW".formatted(BEGIN));
        }
        byte[] bytes;
        try {
            bytes = Base64.getMimeDecoder().decode(text.substring(begin + BEGIN.length(), end));
        } catch (IllegalArgumentException _) {
            throw wrong("key", file, "the text between BEGIN and END is not base64"); // The cause quotes the key.
        }
        for (String each : List.of(algorithm, "RSA", "EC", "EdDSA")) {
            try {
                return KeyFactory.getInstance(each).generatePrivate(new PKCS8EncodedKeySpec(bytes));
            } catch (GeneralSecurityException _) {
                // Not a key of this kind.
            }
        }
        throw wrong("key", file, "it is not a private key of a supported kind (RSA, EC, EdDSA)");
    }

    private static PerigeeException wrong(String field, Path file, String what) {
        return Fault.CONFIG_INVALID.in("serve.tls." + field, "%s: %s".formatted(file, what), UNUSED);
    }
}
