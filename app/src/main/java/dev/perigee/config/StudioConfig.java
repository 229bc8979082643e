package dev.perigee.config;

import java.util.Optional;

/// Who may use the studio; nobody, unless both are there.
public record StudioConfig(Optional<String> user, Optional<String> password) {
    public static final StudioConfig OFF = new StudioConfig(Optional.empty(), Optional.empty());

    public boolean isOn() {
        return user.isPresent() && password.isPresent();
    }

    @Override
    public String toString() {
        return "StudioConfig[%s]".formatted(isOn() ? "on" : "off"); // never the password
    }
}
