package dev.perigee.replication.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.plugin.Json;
import dev.perigee.replication.check.Proof.Compared;
import dev.perigee.replication.check.Proof.Differences;
import dev.perigee.replication.check.Proof.Verdict;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// The parts of what a check found are flat in JSON, and in the documented order.
class ProofViewTest {
    private static final SnapshotTime SNAPSHOT = new SnapshotTime(Optional.of(Instant.EPOCH), Optional.of("0/16"));

    @Test
    void a_proof_and_the_next_verification_are_one_object() {
        Compared compared = new Compared(SNAPSHOT, 9, new Differences(1, 2, 3, 4, 5), Optional.of("ab"));
        Proof proof = new Proof("t", Verdict.DIFFERENT, Instant.EPOCH, 8, 2, compared, Optional.empty());
        ProofView view = ProofView.of(
                "t",
                Optional.of(proof),
                Optional.of(new ProofView.Verified(Instant.EPOCH, "equal")),
                ProofView.Next.due(Optional.of(Instant.EPOCH.plusSeconds(1))));
        assertThat(Json.MAPPER.writeValueAsString(view)).isEqualTo("""
                {"table":"t","verdict":"different","startedAt":"1970-01-01T00:00:00Z","ms":8,\
                "asOf":"1970-01-01T00:00:00Z","position":"0/16","rows":9,"missing":1,"different":2,"extra":3,\
                "pending":4,"repaired":5,"digest":"ab","verified":{"at":"1970-01-01T00:00:00Z","verdict":"equal"},\
                "nextVerifyAt":"1970-01-01T00:00:01Z","running":false}""");
    }

    @Test
    void before_the_first_verification_all_numbers_are_zero() {
        ProofView view = ProofView.of("t", Optional.empty(), Optional.empty(), ProofView.Next.due(Optional.empty()));
        assertThat(Json.MAPPER.writeValueAsString(view)).isEqualTo("""
                {"table":"t","verdict":"none","rows":0,"missing":0,"different":0,"extra":0,"pending":0,\
                "repaired":0,"running":false}""");
    }

    @Test
    void a_sweep_is_one_object() {
        Sweep sweep = new Sweep(
                "t", Instant.EPOCH, Sweep.Verdict.DELETED, new Sweep.Rows(1, 2, 3, 4), SNAPSHOT, 5, Optional.empty());
        assertThat(Json.MAPPER.writeValueAsString(SweepStatus.of(sweep))).isEqualTo("""
                {"verdict":"deleted","at":"1970-01-01T00:00:00Z","compared":1,"exchanged":2,"deleted":3,\
                "missing":4,"asOf":"1970-01-01T00:00:00Z","position":"0/16","awaiting":5}""");
    }
}
