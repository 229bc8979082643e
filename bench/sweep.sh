#!/bin/sh
# sweeps of a table with nothing deleted, one row deleted and one in a hundred, with -Xmx256m; [rows]
build
"$JAVA" -Xmx256m --enable-native-access=ALL-UNNAMED -cp "$BENCH_CLASSPATH" dev.perigee.bench.SweepTimes "$@"
