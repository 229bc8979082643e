package dev.perigee.config;

/// Settings of the plugins that ship.
///
/// @param maxImportBytes longest body of an import
public record BundledConfig(CronConfig cron, long maxImportBytes, StudioConfig studio) {
    public static final BundledConfig DEFAULTS = new BundledConfig(CronConfig.DEFAULTS, 10L << 30, StudioConfig.OFF);

    public BundledConfig with(StudioConfig other) {
        return new BundledConfig(cron, maxImportBytes, other);
    }
}
