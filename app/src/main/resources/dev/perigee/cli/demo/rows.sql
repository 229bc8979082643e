-- About 100 000 rows with dates in the past year, the same rows each time.
SELECT setseed(0.42);

INSERT INTO customers (public_id, name, email, is_active, credit_limit, tags, preferences, born_on, created_at, updated_at)
SELECT
    md5('customer ' || n)::uuid,
    (ARRAY['Ada', 'Grace', 'Edsger', 'Barbara', 'Ken', 'Radia', 'Tony', 'Frances', 'Niklaus', 'Margaret', 'Zoë', 'José'])[1 + n % 12]
        || ' ' ||
    (ARRAY['Nguyễn', 'Müller', 'Okafor', 'Ivanova', 'Sato', 'O''Brien', 'García', 'Lindqvist', 'Haddad', 'Kowalski', 'Silva'])[1 + n / 12 % 11],
    CASE WHEN n % 17 > 0 THEN 'customer' || n || '@shop.example' END,
    n % 29 > 0,
    CASE WHEN n % 5 > 0 THEN round((random() * 5000)::numeric, 2) END,
    CASE n % 4 WHEN 0 THEN '{}' WHEN 1 THEN ARRAY['newsletter'] WHEN 2 THEN ARRAY['vip', 'early "access"'] ELSE ARRAY['b2b', NULL, 'net, 30'] END,
    CASE WHEN n % 7 > 0 THEN jsonb_build_object('language', (ARRAY['en', 'de', 'ja', 'pt'])[1 + n % 4], 'dark', n % 2 = 0, 'page', n % 50) END,
    CASE WHEN n % 3 > 0 THEN date '1950-01-01' + (random() * 20000)::int END,
    t, t + random() * (now() - t)
FROM generate_series(1, 10000) AS n,
    LATERAL (SELECT now() - interval '365 days' + n * interval '50 minutes' AS t) AS created;

INSERT INTO products (sku, name, price, weight_kg, stock, is_listed, categories, attributes, updated_at)
SELECT
    'SKU-' || lpad(n::text, 5, '0'),
    (ARRAY['Orbital', 'Lunar', 'Solar', 'Polar', 'Distant', 'Silent'])[1 + n % 6] || ' ' ||
    (ARRAY['lamp', 'kettle', 'notebook', 'backpack', 'telescope', 'blanket', 'clock'])[1 + n / 6 % 7],
    round((3 + random() * 400)::numeric, 2),
    CASE WHEN n % 11 > 0 THEN (random() * 20)::real END,
    (random() * 500)::int,
    n % 13 > 0,
    ARRAY[(ARRAY['home', 'outdoor', 'office'])[1 + n % 3], (ARRAY['gift', 'sale'])[1 + n % 2]],
    jsonb_build_object('colour', (ARRAY['black', 'white', 'amber'])[1 + n % 3], 'sizes', jsonb_build_array(n % 5, n % 7), 'eco', n % 2 = 0),
    now() - random() * interval '200 days'
FROM generate_series(1, 1000) AS n;

-- One to four lines an order; the orders' totals are made from them.
CREATE TEMPORARY TABLE basket ON COMMIT DROP AS
SELECT o AS order_id, line, 1 + (random() * 999)::int AS product_id, 1 + (random() * 4)::int AS quantity,
    CASE WHEN (o + line) % 6 = 0 THEN round((random() * 0.4)::numeric, 3)::float8 END AS discount,
    now() - interval '364 days' + o * interval '26 minutes' + random() * interval '10 minutes' AS at
FROM generate_series(1, 20000) AS o, generate_series(1, 1 + o % 4) AS line;

INSERT INTO orders (id, customer_id, status, currency, total, note, ship_to, placed_at, updated_at)
SELECT
    b.order_id, 1 + (random() * 9999)::int,
    (ARRAY['delivered', 'delivered', 'delivered', 'shipped', 'returned'])[1 + b.order_id % 5],
    (ARRAY['EUR', 'USD', 'JPY'])[1 + b.order_id % 3],
    round(sum(b.quantity * p.price * (1 - coalesce(b.discount, 0)::numeric)), 2),
    CASE WHEN b.order_id % 9 = 0 THEN 'Leave it with the neighbour, please — thank you!' END,
    jsonb_build_object('city', (ARRAY['Lisbon', 'Osaka', 'Kraków', 'Lagos', 'Austin'])[1 + b.order_id % 5], 'zip', lpad((b.order_id % 99999)::text, 5, '0'), 'lift', NULL),
    min(b.at), max(b.at) + random() * interval '14 hours'
FROM basket AS b JOIN products AS p ON p.id = b.product_id
GROUP BY b.order_id;

INSERT INTO order_items (order_id, line, product_id, quantity, unit_price, discount, updated_at)
SELECT b.order_id, b.line, b.product_id, b.quantity, p.price, b.discount, b.at
FROM basket AS b JOIN products AS p ON p.id = b.product_id;

INSERT INTO events (kind, customer_id, session, client, payload, timings_ms, at)
SELECT
    (ARRAY['page_view', 'page_view', 'search', 'add_to_cart', 'checkout'])[1 + n % 5],
    CASE WHEN n % 3 > 0 THEN 1 + n % 10000 END,
    md5('session ' || n / 8)::uuid,
    CASE WHEN n % 10 > 0 THEN inet '10.0.0.0' + n END,
    jsonb_build_object('path', '/products/' || n % 1000, 'referrer', CASE WHEN n % 4 = 0 THEN 'search' END, 'depth', n % 12),
    CASE WHEN n % 5 > 0 THEN ARRAY[n % 90, n % 400, NULLIF(n % 50, 0)] END,
    now() - interval '20 days' + n * interval '85 seconds'
FROM generate_series(1, 20000) AS n;

SELECT setval(pg_get_serial_sequence('orders', 'id'), (SELECT max(id) FROM orders));
