#!/bin/sh
# verification of a copy of the events table by a server with -Xmx256m, where nothing differs; [rows [repeats]]
build
"$JAVA" -cp "$BENCH_CLASSPATH" dev.perigee.bench.VerifyBench "$@"
