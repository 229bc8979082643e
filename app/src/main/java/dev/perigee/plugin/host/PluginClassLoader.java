package dev.perigee.plugin.host;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A plugin's classes: its own, before all, and of the server's the plugin API with what its signatures mention.
/// Whatever else the server uses is not there, so a plugin may bring any version of it.
final class PluginClassLoader extends URLClassLoader {
    private static final List<String> SHARED = List.of(
            "dev.perigee.plugin.",
            "dev.perigee.fault.",
            "dev.perigee.sqlite.",
            "dev.perigee.source.",
            "dev.perigee.statement.",
            "dev.perigee.store.",
            "io.prometheus.metrics.",
            "org.jspecify.annotations.",
            "org.slf4j.",
            "tools.jackson.");

    static {
        registerAsParallelCapable();
    }

    private final ClassLoader server;

    PluginClassLoader(URL jar, ClassLoader server) {
        super(new URL[] {jar}, ClassLoader.getPlatformClassLoader());
        this.server = server;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (isShared(name)) return server.loadClass(name);
        synchronized (getClassLoadingLock(name)) {
            @Nullable Class<?> known = findLoadedClass(name);
            if (known != null) return known;
            try {
                return findClass(name);
            } catch (ClassNotFoundException _) {
                return super.loadClass(name, resolve); // The JDK's.
            }
        }
    }

    @Override
    public @Nullable URL getResource(String name) {
        @Nullable URL own = findResource(name);
        return own == null ? super.getResource(name) : own;
    }

    /// A type that both sides have must be one type.
    private static boolean isShared(String name) {
        for (String each : SHARED) if (name.startsWith(each)) return true;
        return false;
    }
}
