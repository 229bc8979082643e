#!/bin/sh
# point reads by key over POST /query from 64 connections, beside the HTTP library's bare hello; [rows [repeats [seconds]]]
build
"$JAVA" -cp "$BENCH_CLASSPATH" --enable-native-access=ALL-UNNAMED dev.perigee.bench.ReadComparison "$@"
