package dev.perigee.plugin.host;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.PluginFailure;
import dev.perigee.plugin.StarbasePlugin;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Loads the plugins from a folder's jars, each in a class loader of its own. A jar that cannot be used is left out and
/// reported, or ends the start, as configured.
public final class PluginJars implements AutoCloseable {
    private static final int MAX_DESCRIPTOR_BYTES = 64 << 10;
    private static final int MAX_JARS = 100;
    private static final Logger LOG = LoggerFactory.getLogger(PluginJars.class);

    private final List<StarbasePlugin> plugins = new ArrayList<>();
    private final List<PluginFailure> failures = new ArrayList<>();
    private final List<URLClassLoader> loaders = new ArrayList<>();
    private final Map<String, Map<String, String>> settings;

    private PluginJars(Map<String, Map<String, String>> settings) {
        this.settings = settings;
    }

    /// @param folder need not exist
    /// @param settings each plugin's settings, by its name
    /// @param isFatal whether the first unusable jar ends the loading
    /// @throws PerigeeException [Fault#CONFIG_INVALID] naming the unusable jar, if that is fatal; also if the folder
    ///     cannot be read or has too many jars
    public static PluginJars load(Path folder, Map<String, Map<String, String>> settings, boolean isFatal) {
        PluginJars jars = new PluginJars(settings);
        try {
            for (Path jar : list(folder)) jars.add(jar, isFatal);
            return jars;
        } catch (RuntimeException e) {
            jars.close();
            throw e;
        }
    }

    /// The plugins, in the order of their jars' file names.
    public List<StarbasePlugin> plugins() {
        return List.copyOf(plugins);
    }

    public List<PluginFailure> failures() {
        return List.copyOf(failures);
    }

    private static List<Path> list(Path folder) {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> jars = files.filter(file -> file.getFileName().toString().endsWith(".jar"))
                    .sorted()
                    .toList();
            if (jars.size() > MAX_JARS) {
                throw Fault.CONFIG_INVALID.in(
                        "plugins", "%s has more than %d jars".formatted(folder, MAX_JARS), "The server did not start");
            }
            return jars;
        } catch (IOException e) {
            throw Fault.CONFIG_INVALID.in(
                    "plugins", "%s cannot be read: %s".formatted(folder, e), "The server did not start", e);
        }
    }

    private void add(Path jar, boolean isFatal) {
        String file = jar.getFileName().toString();
        try {
            StarbasePlugin plugin = plugin(jar);
            plugins.add(plugin);
            LOG.info("Plugin {} from {}", plugin.name(), file);
        } catch (PerigeeException e) {
            failed(file, String.valueOf(e.getMessage()), isFatal, e);
        } catch (LinkageError | RuntimeException e) {
            failed(file, e.toString(), isFatal, e);
        }
    }

    private void failed(String file, String why, boolean isFatal, Throwable cause) {
        if (isFatal) {
            throw Fault.CONFIG_INVALID.in(
                    "plugin " + file,
                    why,
                    "The server did not start; remove the jar, or set plugins.onFailure to skip",
                    cause);
        }
        LOG.error("The plugin {} is left out: {}", file, why);
        failures.add(new PluginFailure(file, why));
    }

    private StarbasePlugin plugin(Path jar) {
        PluginDescriptor descriptor = PluginDescriptor.of(descriptor(jar));
        if (plugins.stream().anyMatch(other -> other.name().equals(descriptor.name()))) {
            throw Fault.CONFIG_INVALID.saying("another jar has a plugin named %s".formatted(descriptor.name()));
        }
        try {
            PluginClassLoader loader = new PluginClassLoader(jar.toUri().toURL(), PluginJars.class.getClassLoader());
            loaders.add(loader);
            StarbasePlugin plugin = made(loader, descriptor);
            if (!plugin.name().equals(descriptor.name())) {
                throw Fault.CONFIG_INVALID.saying("its descriptor names it %s, but its class names it %s"
                        .formatted(descriptor.name(), plugin.name()));
            }
            return plugin;
        } catch (IOException e) {
            throw Fault.CONFIG_INVALID.saying("it cannot be read: " + e.getMessage());
        }
    }

    private static byte[] descriptor(Path jar) {
        try (JarFile file = new JarFile(jar.toFile())) {
            ZipEntry entry = file.getEntry(PluginDescriptor.FILE);
            if (entry == null) throw Fault.CONFIG_INVALID.saying("it has no " + PluginDescriptor.FILE);
            try (InputStream in = file.getInputStream(entry)) {
                byte[] bytes = in.readNBytes(MAX_DESCRIPTOR_BYTES + 1);
                if (bytes.length <= MAX_DESCRIPTOR_BYTES) return bytes;
                throw Fault.CONFIG_INVALID.saying(
                        "%s has more than %d bytes".formatted(PluginDescriptor.FILE, MAX_DESCRIPTOR_BYTES));
            }
        } catch (IOException e) {
            throw Fault.CONFIG_INVALID.saying("it is not a readable jar: " + e.getMessage());
        }
    }

    private StarbasePlugin made(ClassLoader loader, PluginDescriptor descriptor) {
        String name = descriptor.className();
        try {
            Class<?> type = Class.forName(name, true, loader);
            if (!StarbasePlugin.class.isAssignableFrom(type)) {
                throw Fault.CONFIG_INVALID.saying("the class %s is not a StarbasePlugin".formatted(name));
            }
            Map<String, String> own = new HashMap<>(settings.getOrDefault(descriptor.name(), Map.of()));
            try {
                return (StarbasePlugin) type.getConstructor(Map.class).newInstance(own);
            } catch (NoSuchMethodException _) {
                return (StarbasePlugin) type.getConstructor().newInstance();
            }
        } catch (ClassNotFoundException _) {
            throw Fault.CONFIG_INVALID.saying("it has no class %s".formatted(name));
        } catch (InvocationTargetException e) {
            throw Fault.CONFIG_INVALID.saying("%s could not be created: %s".formatted(name, e.getCause()));
        } catch (ReflectiveOperationException _) {
            throw Fault.CONFIG_INVALID.saying(
                    "the class %s must be public, with a public constructor that takes a Map of settings, or nothing"
                            .formatted(name));
        }
    }

    /// Closes the jars. Their plugins must be stopped before.
    @Override
    public void close() {
        for (URLClassLoader loader : loaders) {
            try {
                loader.close();
            } catch (IOException e) {
                LOG.warn("A plugin's jar could not be closed", e);
            }
        }
    }
}
