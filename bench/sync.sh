#!/bin/sh
# one pull of the eight-column events table with -Xmx256m, beside a careful JDBC program; [rows [repeats]]
build
"$JAVA" -cp "$BENCH_CLASSPATH" dev.perigee.bench.SyncComparison "$@"
