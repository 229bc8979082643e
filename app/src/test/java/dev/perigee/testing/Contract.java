package dev.perigee.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// The lines of the HTTP contract that a test holds, word for word as `contract.txt` has them; `ContractTest` makes
/// docs/contract.md of them.
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Contract {
    String[] value();
}
