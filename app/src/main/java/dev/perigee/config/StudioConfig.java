package dev.perigee.config;

import java.util.Optional;

/// The login of the studio. The studio is off unless both user and password are set.
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
