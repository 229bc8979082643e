package dev.perigee.plugin;

/// A plugin that was left out, and the reason.
///
/// @param plugin its name; the jar's file name if the plugin's name is not known
public record PluginFailure(String plugin, String error) {}
