package dev.perigee.source;

/// A table's name in a source, as its catalog spells it.
public record TableId(String schema, String name) implements Comparable<TableId> {
    @Override
    public int compareTo(TableId other) {
        int bySchema = schema.compareTo(other.schema);
        return bySchema != 0 ? bySchema : name.compareTo(other.name);
    }

    /// For people: `schema.name`.
    @Override
    public String toString() {
        return schema + "." + name;
    }
}
