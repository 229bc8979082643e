package dev.perigee.plugin;

/// A plugin that was left out, and why.
///
/// @param plugin its name, or its jar's where it has none yet
public record PluginFailure(String plugin, String error) {}
