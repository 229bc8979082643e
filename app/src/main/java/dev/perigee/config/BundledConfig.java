package dev.perigee.config;

/// Settings of the plugins that ship.
///
/// @param maxImportBytes longest body of an import
public record BundledConfig(CronConfig cron, long maxImportBytes) {
    public static final BundledConfig DEFAULTS = new BundledConfig(CronConfig.DEFAULTS, 10L << 30);
}
