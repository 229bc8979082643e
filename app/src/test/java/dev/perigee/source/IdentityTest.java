package dev.perigee.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.plugin.Json;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Identities are stored in replicas: what one build wrote, another one reads.
class IdentityTest {
    private static final Identity IDENTITY = new Identity(
            new Identity.Server(Optional.of("7301"), Optional.of(2L), true, 5),
            new Identity.Table(16, Map.of(16L, 17L), Set.of(16L), Map.of(1, 100L)),
            new Identity.Progress(
                    900, "890:900", Optional.of("0/16"), Optional.of("started"), Optional.of("0/15 899 1.5")),
            Optional.of("policies"));

    private static final String STORED = """
            {"system":"7301","timeline":2,"isStandby":true,"database":5,"table":16,"storage":{"16":17},\
            "unlogged":[16],"sequences":{"1":100},"counter":900,"mark":"890:900","position":"0/16",\
            "run":"started","reached":"0/15 899 1.5","sight":"policies"}""";

    @Test
    void its_parts_are_one_flat_object_as_documented() {
        assertThat(Json.MAPPER.writeValueAsString(IDENTITY)).isEqualTo(STORED);
        assertThat(Json.MAPPER.readValue(STORED, Identity.class)).isEqualTo(IDENTITY);
    }

    @Test
    void one_of_a_build_that_knew_less_can_be_read() {
        String earlier = """
                {"isStandby":false,"database":5,"table":16,"storage":{"16":17},"sequences":{},"counter":900,\
                "mark":"890:900"}""";
        Identity read = Json.MAPPER.readValue(earlier, Identity.class);
        assertThat(read.table().unlogged()).isEmpty();
        assertThat(read.server().system()).isEmpty();
        assertThat(read.progress().reached()).isEmpty();
        assertThat(read.sight()).isEmpty();
        assertThat(read.isSameTable(IDENTITY)).isTrue();
        assertThat(read.wasStartedSince(IDENTITY)).isFalse();
    }
}
