#!/bin/sh
# who loses rows: every named hazard against Perigee and two JDBC pollers; [seed], or --long [minutes [seed]] for Perigee
build
"$JAVA" --enable-native-access=ALL-UNNAMED -cp "$BENCH_CLASSPATH" dev.perigee.bench.HazardComparison "$@"
