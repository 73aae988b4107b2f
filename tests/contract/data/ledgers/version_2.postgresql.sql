CREATE TABLE attempts (
    order_id text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    stamp_ms bigint NOT NULL,
    valid_until_ms bigint NOT NULL,
    provable_at_ms bigint NOT NULL,
    verdict text COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C"
);
CREATE TABLE fills (
    account text NOT NULL COLLATE pg_catalog."C",
    symbol text NOT NULL COLLATE pg_catalog."C",
    trade_id text NOT NULL COLLATE pg_catalog."C",
    side text NOT NULL COLLATE pg_catalog."C",
    order_id text NOT NULL COLLATE pg_catalog."C",
    exchange_order_id text COLLATE pg_catalog."C",
    price numeric NOT NULL,
    amount numeric NOT NULL,
    fees text NOT NULL,
    "time" timestamp with time zone NOT NULL,
    sequence bigint NOT NULL
);
CREATE TABLE notes (
    name text NOT NULL COLLATE pg_catalog."C",
    text text NOT NULL
);
CREATE TABLE orders (
    order_id text NOT NULL COLLATE pg_catalog."C",
    signal_id text NOT NULL COLLATE pg_catalog."C",
    account text NOT NULL COLLATE pg_catalog."C",
    symbol text NOT NULL COLLATE pg_catalog."C",
    side text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    time_in_force text COLLATE pg_catalog."C",
    amount numeric NOT NULL,
    price numeric,
    client_order_id text NOT NULL COLLATE pg_catalog."C",
    published_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    strategy text COLLATE pg_catalog."C",
    reference_price numeric,
    state text NOT NULL COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C",
    exchange_order_id text COLLATE pg_catalog."C",
    filled numeric NOT NULL,
    average numeric,
    cancel_requested boolean NOT NULL,
    entry_id text COLLATE pg_catalog."C",
    version bigint NOT NULL,
    revision text NOT NULL COLLATE pg_catalog."C",
    doc text NOT NULL
);
CREATE TABLE schema_version (
    version integer NOT NULL
);
CREATE TABLE snapshots (
    "time" timestamp with time zone NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    quote text NOT NULL COLLATE pg_catalog."C",
    realised_pnl numeric NOT NULL,
    unrealised_pnl numeric NOT NULL,
    exposure numeric NOT NULL
);
INSERT INTO attempts VALUES ('oo-1', 1, 100, 200, 300, 'accepted', 'accepted');
INSERT INTO attempts VALUES ('oo-2', 1, 100, 200, 300, 'accepted', 'accepted');
INSERT INTO fills VALUES ('binance-main', 'BTC/USDT', 'trade-1', 'buy', 'oo-1', '71', 100, 0.5, '{"BNB":"0.1","BNB":"0.2"}', '2027-01-15 08:00:00+00', 1);
INSERT INTO fills VALUES ('binance-main', 'BTC/USDT', 'trade-2', 'buy', 'oo-2', '72', 100, 0.5, '{"BNB":"0.1","BNB":"0.2"}', '2027-01-15 08:00:00+00', 2);
INSERT INTO notes VALUES ('identity', '431fa3eb73e429a1');
INSERT INTO notes VALUES ('halts', '[{"account":"binance-main","reason":"drift","since":"1970-01-01T00:00:00Z"}]');
INSERT INTO notes VALUES ('checkpoint', '{"number":3,"token":"token","at":"1970-01-01T00:00:00Z"}');
INSERT INTO orders VALUES ('oo-1', 'signal-1', 'binance-main', 'BTC/USDT', 'buy', 'limit', 'GTC', 1, 100, 'oorlsybv3fzaqpiu5sg6n5yn36', '2027-01-15 08:00:01+00', '2027-01-15 08:00:01+00', '2027-01-15 08:00:01+00', NULL, NULL, NULL, 'canceled', NULL, '71', 0, NULL, false, NULL, 1, '', '{"order_id":"oo-1","signal_id":"signal-1","account":"binance-main","symbol":"BTC/USDT","side":"buy","type":"limit","time_in_force":"GTC","amount":"1","price":"100","client_order_id":"oorlsybv3fzaqpiu5sg6n5yn36","created_at":"2027-01-15T08:00:01Z","updated_at":"2027-01-15T08:00:01Z","expires_at":null,"strategy":null,"reference_price":null,"state":"canceled","reason":null,"exchange_order_id":"71","filled":"0","average":null,"cancel_requested":false,"attempts":[{"number":1,"stamp_ms":100,"valid_until_ms":200,"provable_at_ms":300,"verdict":"accepted","reason":"accepted"}],"fills":[{"trade_id":"trade-1","side":"buy","price":"100","amount":"0.5","fees":[{"asset":"BNB","amount":"0.1"},{"asset":"BNB","amount":"0.2"}],"time":"2027-01-15T08:00:00Z","sequence":1}],"entry_id":null,"published_at":"2027-01-15T08:00:01Z","version":1,"revision":""}');
INSERT INTO orders VALUES ('oo-2', 'signal-2', 'binance-main', 'BTC/USDT', 'buy', 'limit', 'GTC', 1, 100, 'oo7ubm3b4vn7rfnevtak34tdpd', '2027-01-15 08:00:02+00', '2027-01-15 08:00:02+00', '2027-01-15 08:00:02+00', NULL, NULL, NULL, 'canceled', NULL, '72', 0, NULL, false, NULL, 2, '', '{"order_id":"oo-2","signal_id":"signal-2","account":"binance-main","symbol":"BTC/USDT","side":"buy","type":"limit","time_in_force":"GTC","amount":"1","price":"100","client_order_id":"oo7ubm3b4vn7rfnevtak34tdpd","created_at":"2027-01-15T08:00:02Z","updated_at":"2027-01-15T08:00:02Z","expires_at":null,"strategy":null,"reference_price":null,"state":"canceled","reason":null,"exchange_order_id":"72","filled":"0","average":null,"cancel_requested":false,"attempts":[{"number":1,"stamp_ms":100,"valid_until_ms":200,"provable_at_ms":300,"verdict":"accepted","reason":"accepted"}],"fills":[{"trade_id":"trade-2","side":"buy","price":"100","amount":"0.5","fees":[{"asset":"BNB","amount":"0.1"},{"asset":"BNB","amount":"0.2"}],"time":"2027-01-15T08:00:00Z","sequence":2}],"entry_id":null,"published_at":"2027-01-15T08:00:02Z","version":2,"revision":""}');
INSERT INTO schema_version VALUES (2);
INSERT INTO snapshots VALUES ('2027-01-15 08:00:00+00', 'binance-main', 'USDT', 12345678901234567890.123456789, -1, 0);
ALTER TABLE ONLY attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (order_id, number, stamp_ms);
ALTER TABLE ONLY fills
    ADD CONSTRAINT fills_pkey PRIMARY KEY (account, symbol, trade_id, side);
ALTER TABLE ONLY notes
    ADD CONSTRAINT notes_pkey PRIMARY KEY (name);
ALTER TABLE ONLY orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY ("time", account, quote);
CREATE INDEX fills_by_order ON fills USING btree (order_id);
CREATE INDEX fills_by_sequence ON fills USING btree (account, symbol, sequence, "time", trade_id, side);
CREATE INDEX orders_by_change ON orders USING btree (updated_at);
CREATE INDEX orders_by_creation ON orders USING btree (created_at, order_id);
CREATE INDEX orders_by_exchange_id ON orders USING btree (account, symbol, exchange_order_id);
