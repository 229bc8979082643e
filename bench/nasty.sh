#!/bin/sh
# nasty statements of clients at random, while somebody else asks SELECT 1; [minutes [clients [seed]]], default 10 3
build
"$JAVA" -cp "$BENCH_CLASSPATH" --enable-native-access=ALL-UNNAMED dev.perigee.bench.NastyBench "$@"
