package dev.perigee.serve;

import dev.perigee.config.SurfaceConfig.Tls;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The server's TLS certificate and key. When their files change, new connections use the new pair; open connections
/// stay as they are.
final class Encryption implements AutoCloseable {
    private static final Duration LOOK = Duration.ofSeconds(5);
    private static final Logger LOG = LoggerFactory.getLogger(Encryption.class);

    private final Tls tls;
    private final SslContextFactory.Server context = new SslContextFactory.Server();
    private final ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("perigee-tls").factory());
    private List<FileTime> seen;
    private List<FileTime> refused = List.of();

    /// @throws PerigeeException [dev.perigee.fault.Fault#CONFIG_INVALID] naming the file that cannot be used
    Encryption(Tls tls) {
        this.tls = tls;
        seen = times();
        use(context, PemKeys.read(tls));
    }

    SslContextFactory.Server context() {
        return context;
    }

    void start(ServingThreads threads) {
        var _ = looks.scheduleWithFixedDelay(
                threads.step("tls", this::look), LOOK.toMillis(), LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static void use(SslContextFactory factory, KeyStore keys) {
        factory.setKeyStore(keys);
        factory.setKeyStorePassword(PemKeys.password());
        factory.setIncludeProtocols("TLSv1.3", "TLSv1.2");
    }

    /// Loads the files if they have changed and can be used; otherwise the previous pair stays in use. Called every
    /// five seconds.
    void look() {
        List<FileTime> now = times();
        if (now.equals(seen)) return;
        try {
            KeyStore keys = PemKeys.read(tls);
            tried(keys);
            context.reload(factory -> use(factory, keys));
            seen = now;
            refused = List.of();
            LOG.info("The certificate was reloaded");
        } catch (Exception e) {
            // The two files are not replaced at the same moment, and may be half written: each call tries again. The
            // same files are reported once.
            if (now.equals(refused)) return;
            refused = now;
            LOG.warn("The certificate has changed and cannot be used; the old one stays in use: {}", e.getMessage());
        }
    }

    /// Starts TLS with these keys on trial: a reload that fails halfway would leave the server without any keys.
    private static void tried(KeyStore keys) throws Exception {
        SslContextFactory.Server trial = new SslContextFactory.Server();
        use(trial, keys);
        trial.start();
        trial.stop();
    }

    private List<FileTime> times() {
        return List.of(time(tls.certificate()), time(tls.key()));
    }

    private static FileTime time(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException _) {
            return FileTime.fromMillis(0); // Reading the file will fail too, with a better message.
        }
    }

    @Override
    public void close() {
        looks.shutdownNow();
    }
}
