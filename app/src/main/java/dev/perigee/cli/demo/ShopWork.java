package dev.perigee.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/// The transactions of the shop, each without its commit. They take only rows that no other transaction has locked
/// (`SKIP LOCKED`), so none waits for a long one.
///
/// @param pause waits within a transaction, but not longer than the shop is open
record ShopWork(Consumer<Duration> pause) {
    private static final int LONG_MILLIS_LEAST = 1500;
    private static final int LONG_MILLIS_SPREAD = 3500;
    private static final int CUSTOMERS = 10_000;
    private static final int PRODUCTS = 1000;

    /// Some visitors look at things: six events.
    void visit(Connection connection, RandomGenerator random) throws SQLException {
        String sql = """
                INSERT INTO events (kind, customer_id, session, client, payload, timings_ms)
                SELECT (ARRAY['page_view', 'page_view', 'search', 'add_to_cart'])[1 + (r + n) % 4],
                    CASE WHEN n % 3 > 0 THEN 1 + (r + n) % 10000 END, gen_random_uuid(), inet '10.1.0.0' + r % 65536,
                    jsonb_build_object('path', '/products/' || (r + n) % 1000, 'depth', n),
                    CASE WHEN n % 4 > 0 THEN ARRAY[n, NULL, r % 500] END
                FROM generate_series(1, 6) AS n, (SELECT ?::int AS r) AS random
                """;
        execute(connection, sql, random.nextInt(1_000_000));
    }

    /// An order of one to four lines, less stock, and an event about it.
    void checkOut(Connection connection, RandomGenerator random) throws SQLException {
        int product = 1 + random.nextInt(PRODUCTS - 10);
        order(connection, random, product, "");
        execute(connection, """
                UPDATE products SET stock = greatest(stock - 1, 0) WHERE id IN (
                    SELECT id FROM products WHERE id = ? ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
                """, product);
        tell(connection, "checkout", random);
    }

    /// Some of the latest orders move to their next status.
    void moveOrders(Connection connection, RandomGenerator random) throws SQLException {
        execute(connection, """
                UPDATE orders SET status = CASE status
                    WHEN 'new' THEN 'paid' WHEN 'paid' THEN 'packed' WHEN 'packed' THEN 'shipped' ELSE 'delivered' END
                WHERE id IN (
                    SELECT id FROM orders WHERE id > (SELECT max(id) FROM orders) - 400 AND id % 7 = ?
                        AND status IN ('new', 'paid', 'packed', 'shipped')
                    ORDER BY id LIMIT 3 FOR NO KEY UPDATE SKIP LOCKED)
                """, random.nextInt(7));
    }

    /// Changes a handful of prices, and a customer.
    void changePricesAndCustomers(Connection connection, RandomGenerator random) throws SQLException {
        int product = 1 + random.nextInt(PRODUCTS - 10);
        execute(connection, """
                UPDATE products SET price = round(price * ?::numeric, 2) + 0.01,
                    stock = CASE WHEN stock < 50 THEN stock + 200 ELSE stock END
                WHERE id IN (SELECT id FROM products WHERE id BETWEEN ? AND ?
                    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
                """, 0.9 + 0.2 * random.nextDouble(), product, product + 4);
        execute(connection, """
                UPDATE customers SET is_active = NOT is_active, credit_limit = NULLIF(round(?::numeric, 2), 0),
                    preferences = coalesce(preferences, '{}') || jsonb_build_object('page', ?::int)
                WHERE id IN (SELECT id FROM customers WHERE id = ? FOR NO KEY UPDATE SKIP LOCKED)
                """, random.nextInt(500_000) / 100.0, random.nextInt(50), 1 + random.nextInt(CUSTOMERS));
    }

    /// Writes an order and keeps the transaction open for seconds before it commits, as programs do that call a payment
    /// service in between. The id of the first event is drawn at the beginning, so a plain poller loses such an order.
    void takeALongOrder(Connection connection, RandomGenerator random) throws SQLException {
        order(connection, random, 1 + random.nextInt(PRODUCTS - 10), "Taken by phone");
        tell(connection, "phone_call", random);
        pause.accept(Duration.ofMillis(LONG_MILLIS_LEAST + random.nextInt(LONG_MILLIS_SPREAD)));
        execute(connection, """
                UPDATE orders SET note = 'Checked by phone' WHERE id IN (
                    SELECT id FROM orders WHERE id < (SELECT max(id) FROM orders) - ?
                    ORDER BY id DESC LIMIT 2 FOR NO KEY UPDATE SKIP LOCKED)
                """, 500 + random.nextInt(5000));
        tell(connection, "phone_order", random);
    }

    private static void order(Connection connection, RandomGenerator random, int product, String note)
            throws SQLException {
        execute(connection, """
                WITH basket AS (
                    SELECT id, price, 1 + (id % 3)::int AS quantity, row_number() OVER (ORDER BY id) AS line,
                        CASE WHEN id % 5 = 0 THEN 0.15::float8 END AS discount
                    FROM products WHERE id BETWEEN ? AND ?
                ), placed AS (
                    INSERT INTO orders (customer_id, total, note, ship_to)
                    SELECT ?, round(sum(quantity * price * (1 - coalesce(discount, 0)::numeric)), 2), NULLIF(?, ''),
                        jsonb_build_object('city', (ARRAY['Lisbon', 'Osaka', 'Kraków', 'Lagos'])[1 + count(*)], 'zip', NULL)
                    FROM basket RETURNING id
                )
                INSERT INTO order_items (order_id, line, product_id, quantity, unit_price, discount)
                SELECT placed.id, line, basket.id, quantity, price, discount FROM placed, basket
                """, product, product + random.nextInt(4), 1 + random.nextInt(CUSTOMERS), note);
    }

    private static void tell(Connection connection, String kind, RandomGenerator random) throws SQLException {
        execute(connection, """
                INSERT INTO events (kind, customer_id, session, payload)
                VALUES (?, ?, gen_random_uuid(), jsonb_build_object('channel', ?))
                """, kind, 1 + random.nextInt(CUSTOMERS), random.nextBoolean() ? "web" : "app");
    }

    private static void execute(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) statement.setObject(i + 1, parameters[i]);
            statement.executeUpdate();
        }
    }
}
