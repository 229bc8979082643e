package dev.perigee.plugin.host;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Loads a plugin's classes. The plugin sees its own classes, the JDK's, and those of the server that belong to the
/// plugin API or appear in its signatures. Everything else that the server uses is invisible, so a plugin may bring any
/// version of it.
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
                return super.loadClass(name, resolve); // A class of the JDK.
            }
        }
    }

    @Override
    public @Nullable URL getResource(String name) {
        @Nullable URL own = findResource(name);
        return own == null ? super.getResource(name) : own;
    }

    /// Types that both the server and the plugin use must be the server's.
    private static boolean isShared(String name) {
        for (String each : SHARED) if (name.startsWith(each)) return true;
        return false;
    }
}
