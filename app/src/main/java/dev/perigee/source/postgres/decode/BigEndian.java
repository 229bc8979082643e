package dev.perigee.source.postgres.decode;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Numbers in network byte order.
public final class BigEndian {
    private static final VarHandle INT2 = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN)
            .withInvokeExactBehavior();
    private static final VarHandle INT4 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN)
            .withInvokeExactBehavior();
    private static final VarHandle INT8 = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN)
            .withInvokeExactBehavior();

    private BigEndian() {}

    public static short int2(byte[] bytes, int offset) {
        return (short) INT2.get(bytes, offset);
    }

    public static int int4(byte[] bytes, int offset) {
        return (int) INT4.get(bytes, offset);
    }

    public static long int8(byte[] bytes, int offset) {
        return (long) INT8.get(bytes, offset);
    }
}
