package dev.perigee.config;

/// Settings of the plugins that ship.
public record BundledConfig(CronConfig cron) {
    public static final BundledConfig DEFAULTS = new BundledConfig(CronConfig.DEFAULTS);
}
