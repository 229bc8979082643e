package dev.perigee.config;

/// Settings of the plugins: those that ship, and those that come as jars.
///
/// @param maxImportBytes longest body of an import
public record BundledConfig(CronConfig cron, long maxImportBytes, StudioConfig studio, PluginsConfig plugins) {
    public static final BundledConfig DEFAULTS =
            new BundledConfig(CronConfig.DEFAULTS, 10L << 30, StudioConfig.OFF, PluginsConfig.DEFAULTS);

    public BundledConfig with(StudioConfig other) {
        return new BundledConfig(cron, maxImportBytes, other, plugins);
    }

    public BundledConfig with(PluginsConfig other) {
        return new BundledConfig(cron, maxImportBytes, studio, other);
    }
}
