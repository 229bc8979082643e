package dev.perigee.sqlite;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The SQLite library that this process uses. It is searched once, at first use, in this order:
///
/// 1. the library named by the system property `perigee.sqlite.library`, else by the variable `PERIGEE_SQLITE_LIBRARY`:
///    a file, or a name that the system's loader knows. If it is set and fails, nothing else is tried;
/// 2. the library inside the jar `androidx.sqlite:sqlite-bundled-jvm` on the class path;
/// 3. the system's own: `libsqlite3`, on Windows `winsqlite3.dll`.
///
/// The library must be SQLite 3.35 or newer and built for use by several threads.
public final class SqliteLibrary {
    /// The system property that names the library.
    public static final String SETTING = "perigee.sqlite.library";

    private static final String SETTING_IN_ENVIRONMENT = "PERIGEE_SQLITE_LIBRARY";
    private static final int OLDEST_VERSION = 3_035_000;
    private static final int FIRST_WITHOUT_CVE_2025_6965 = 3_050_002;

    /// The result of the search, kept also if nothing was found. A static initializer that throws would give the reason
    /// only once.
    private static final LookUp DONE = lookUp();

    /// @param origin where the library came from, for messages
    private record Found(SymbolLookup symbols, String origin) {}

    /// @param found null if there is no usable library
    /// @param tried each library that was tried in vain, with the reason
    private record LookUp(@Nullable Found found, List<String> tried) {}

    private SqliteLibrary() {}

    /// The library's functions.
    ///
    /// @throws PerigeeException [Fault#SQLITE_LIBRARY_MISSING] with what was tried
    static SymbolLookup symbols() {
        return found().symbols();
    }

    /// Where the library came from: a path, or the name given to the system's loader.
    ///
    /// @throws PerigeeException [Fault#SQLITE_LIBRARY_MISSING] with what was tried
    public static String origin() {
        return found().origin();
    }

    /// SQLite's version, such as `3.50.1`.
    ///
    /// @throws PerigeeException [Fault#SQLITE_LIBRARY_MISSING] with what was tried
    public static String version() {
        int number = NativeLibrary.version(symbols());
        return "%d.%d.%d".formatted(number / 1_000_000, number / 1_000 % 1_000, number % 1_000);
    }

    /// A known vulnerability of this version by which a statement can crash the process; empty if none is known.
    ///
    /// @see <a href="https://www.sqlite.org/cves.html">SQLite: Vulnerabilities</a>
    public static Optional<String> knownFault() {
        // An aggregate over more than 32,767 columns writes past its memory.
        return NativeLibrary.version(symbols()) < FIRST_WITHOUT_CVE_2025_6965
                ? Optional.of("CVE-2025-6965")
                : Optional.empty();
    }

    private static Found found() {
        Found found = DONE.found();
        if (found != null) return found;
        throw Fault.SQLITE_LIBRARY_MISSING.in(
                "the search for SQLite's library", String.join("; ", DONE.tried()), "No database was opened");
    }

    private static LookUp lookUp() {
        List<String> tried = new ArrayList<>();
        Found found = find(tried);
        return new LookUp(found, List.copyOf(tried));
    }

    private static @Nullable Found find(List<String> tried) {
        String named = System.getProperty(SETTING, System.getenv().getOrDefault(SETTING_IN_ENVIRONMENT, ""));
        if (!named.isBlank()) return load(named, named, tried);
        Found bundled = bundled(tried);
        if (bundled != null) return bundled;
        for (String name : systemNames()) {
            Found system = load(name, name, tried);
            if (system != null) return system;
        }
        return null;
    }

    private static List<String> systemNames() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (os.contains("win")) return List.of("winsqlite3.dll", "sqlite3.dll");
        if (os.contains("mac")) return List.of("/usr/lib/libsqlite3.dylib", "libsqlite3.dylib");
        return List.of("libsqlite3.so.0", "libsqlite3.so");
    }

    /// The library from the jar. It is copied out because the loader needs a file. The Windows library is not tried: it
    /// does not export the C API.
    private static @Nullable Found bundled(List<String> tried) {
        String resource = bundledResource(tried);
        if (resource == null) return null;
        Found inMemory = inMemory(resource, tried);
        return inMemory == null ? inFolder(resource, tried) : inMemory;
    }

    /// Loads the jar's library from memory. A file in a folder would be left behind by a process killed while it
    /// starts.
    private static @Nullable Found inMemory(String resource, List<String> tried) {
        try (InputStream library = SqliteLibrary.class.getClassLoader().getResourceAsStream(resource)) {
            if (library == null) return null;
            Optional<MemoryFile> copy = MemoryFile.of("perigee-sqlite", library);
            if (copy.isEmpty()) return null;
            try (MemoryFile file = copy.get()) {
                // As a name and not as a file: its path in /proc cannot be resolved to a path in a folder.
                return loadNamed(file.path(), resource, tried);
            }
        } catch (IOException e) {
            tried.add(resource + " could not be copied into memory: " + e);
            return null;
        }
    }

    private static @Nullable Found inFolder(String resource, List<String> tried) {
        for (Path folder : List.of(
                Path.of(System.getProperty("java.io.tmpdir")), Path.of(System.getProperty("user.home"), ".cache"))) {
            try (InputStream library = SqliteLibrary.class.getClassLoader().getResourceAsStream(resource)) {
                if (library == null) {
                    tried.add("no " + resource + " on the class path");
                    return null;
                }
                Files.createDirectories(folder);
                // A new file that only this user can write, so nobody else can replace it by another library.
                Path copy = Files.createTempFile(folder, "perigee-sqlite-", null);
                try {
                    Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
                    Found found = load(copy.toString(), resource, tried);
                    if (found != null) return found;
                } finally {
                    // Once loaded, the mapped library does not need the file's name.
                    Files.deleteIfExists(copy);
                }
            } catch (IOException e) {
                tried.add(resource + " could not be copied to " + folder + ": " + e);
            }
        }
        return null;
    }

    private static @Nullable String bundledResource(List<String> tried) {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        boolean arm = arch.equals("aarch64");
        boolean intel = arch.equals("amd64") || arch.equals("x86_64");
        if (os.contains("linux") && intel) return "natives/linux_x64/libsqliteJni.so";
        if (os.contains("linux") && arm) return "natives/linux_arm64/libsqliteJni.so";
        if (os.contains("mac") && arm) return "natives/osx_arm64/libsqliteJni.dylib";
        tried.add("no bundled library for " + os + " on " + arch);
        return null;
    }

    private static @Nullable Found load(String fileOrName, String origin, List<String> tried) {
        boolean isFile = fileOrName.contains("/") || fileOrName.contains("\\");
        return isFile ? loadFile(Path.of(fileOrName), origin, tried) : loadNamed(fileOrName, origin, tried);
    }

    // Not System.load: it would call the bundled library's JNI_OnLoad, which needs classes that we leave out.
    @SuppressWarnings("restricted")
    private static @Nullable Found loadFile(Path file, String origin, List<String> tried) {
        return load(() -> SymbolLookup.libraryLookup(file, Arena.global()), origin, tried);
    }

    /// @param name a name or path, passed to the system's loader unchanged
    @SuppressWarnings("restricted")
    private static @Nullable Found loadNamed(String name, String origin, List<String> tried) {
        return load(() -> SymbolLookup.libraryLookup(name, Arena.global()), origin, tried);
    }

    private static @Nullable Found load(Supplier<SymbolLookup> library, String origin, List<String> tried) {
        try {
            SymbolLookup symbols = library.get();
            if (symbols.find("sqlite3_libversion_number").isEmpty()) {
                tried.add(origin + " exports no sqlite3_ functions");
            } else if (NativeLibrary.version(symbols) < OLDEST_VERSION) {
                tried.add(origin + " has SQLite version number " + NativeLibrary.version(symbols));
            } else if (!NativeLibrary.isThreadsafe(symbols)) {
                tried.add(origin + " was built for a single thread (SQLITE_THREADSAFE=0)");
            } else {
                return new Found(symbols, origin);
            }
        } catch (IllegalArgumentException e) {
            tried.add(origin + " could not be loaded: " + e.getMessage());
        }
        return null;
    }
}
