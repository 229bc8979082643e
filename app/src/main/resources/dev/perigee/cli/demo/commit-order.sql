CREATE INDEX customers_updated_at ON customers (updated_at);
CREATE INDEX products_updated_at ON products (updated_at);
CREATE INDEX orders_updated_at ON orders (updated_at);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX order_items_updated_at ON order_items (updated_at);

-- A poller asks for what is greater than the greatest value it has seen. That is the whole truth only where values
-- become visible in their own order. `DEFAULT now()` does not do it: a transaction takes its time when it begins, works
-- for seconds, and commits values below what others have committed, and a poller has read, meanwhile. This version of
-- Perigee says of such a table that rows may be missed, and misses them.
--
-- So the shop stamps in commit order. As the last thing before it commits, a transaction takes the one lock below and
-- stamps its rows with a time greater than all before. The lock is held until the commit is visible, so the next stamp is
-- both later in time and later to be seen. The transaction itself may have run as long as it liked, and holds up nobody.
-- Any table can be made safe to poll like this; it costs a second write of each row and commits that queue.
CREATE FUNCTION stamp_in_commit_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7309453671);
    -- The clock may be set back; the column never is.
    EXECUTE format(
        'UPDATE %1$I SET updated_at = greatest(clock_timestamp(),
            (SELECT max(updated_at) + interval ''1 microsecond'' FROM %1$I)) WHERE %2$s', TG_TABLE_NAME, TG_ARGV[0])
    USING NEW;
    RETURN NULL;
END $$;

-- Deferred: they run at the commit. The stamp's own update is one level deeper and does not call them again.
CREATE CONSTRAINT TRIGGER stamp AFTER INSERT OR UPDATE ON customers DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION stamp_in_commit_order('id = ($1).id');
CREATE CONSTRAINT TRIGGER stamp AFTER INSERT OR UPDATE ON products DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION stamp_in_commit_order('id = ($1).id');
CREATE CONSTRAINT TRIGGER stamp AFTER INSERT OR UPDATE ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION stamp_in_commit_order('id = ($1).id');
CREATE CONSTRAINT TRIGGER stamp AFTER INSERT OR UPDATE ON order_items DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION stamp_in_commit_order('order_id = ($1).order_id AND line = ($1).line');

-- Events are followed by their id, which is drawn when a row is inserted: the same lock, taken before the first one is.
-- A transaction writes its events last, since it holds up other commits from then on.
CREATE FUNCTION number_in_commit_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7309453671);
    RETURN NULL;
END $$;
CREATE TRIGGER number BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION number_in_commit_order();
