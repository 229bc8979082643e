package dev.perigee.config;

/// Settings of the plugins that ship, and of those that come as jars.
///
/// @param maxImportBytes the longest body of an import request, in bytes
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
