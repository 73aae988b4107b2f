BEGIN TRANSACTION;
CREATE TABLE attempts (
	order_id TEXT NOT NULL,
	number BIGINT NOT NULL,
	stamp_ms BIGINT NOT NULL,
	valid_until_ms BIGINT NOT NULL,
	provable_at_ms BIGINT NOT NULL,
	verdict TEXT,
	reason TEXT,
	PRIMARY KEY (order_id, number, stamp_ms)
);
INSERT INTO "attempts" VALUES('oo-1',1,100,200,300,'accepted','accepted');
INSERT INTO "attempts" VALUES('oo-2',1,100,200,300,'accepted','accepted');
CREATE TABLE fills (
	account TEXT NOT NULL,
	symbol TEXT NOT NULL,
	trade_id TEXT NOT NULL,
	side TEXT NOT NULL,
	order_id TEXT NOT NULL,
	exchange_order_id TEXT,
	price TEXT NOT NULL,
	amount TEXT NOT NULL,
	fees TEXT NOT NULL,
	time DATETIME NOT NULL,
	sequence BIGINT NOT NULL,
	PRIMARY KEY (account, symbol, trade_id, side)
);
INSERT INTO "fills" VALUES('binance-main','BTC/USDT','trade-1','buy','oo-1','71','100','0.5','{"BNB":"0.1","BNB":"0.2"}','2027-01-15 08:00:00.000000',1);
INSERT INTO "fills" VALUES('binance-main','BTC/USDT','trade-2','buy','oo-2','72','100','0.5','{"BNB":"0.1","BNB":"0.2"}','2027-01-15 08:00:00.000000',2);
CREATE TABLE notes (
	name TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (name)
);
INSERT INTO "notes" VALUES('identity','57f2479aab9abaaf');
INSERT INTO "notes" VALUES('halts','[{"account":"binance-main","reason":"drift","since":"1970-01-01T00:00:00Z"}]');
CREATE TABLE orders (
	order_id TEXT NOT NULL,
	signal_id TEXT NOT NULL,
	account TEXT NOT NULL,
	symbol TEXT NOT NULL,
	side TEXT NOT NULL,
	type TEXT NOT NULL,
	time_in_force TEXT,
	amount TEXT NOT NULL,
	price TEXT,
	client_order_id TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	expires_at DATETIME,
	strategy TEXT,
	reference_price TEXT,
	state TEXT NOT NULL,
	reason TEXT,
	exchange_order_id TEXT,
	filled TEXT NOT NULL,
	average TEXT,
	cancel_requested BOOLEAN NOT NULL,
	entry_id TEXT,
	version BIGINT NOT NULL,
	revision TEXT NOT NULL,
	doc TEXT NOT NULL,
	PRIMARY KEY (order_id)
);
INSERT INTO "orders" VALUES('oo-1','signal-1','binance-main','BTC/USDT','buy','limit','GTC','1','100','oorlsybv3fzaqpiu5sg6n5yn36','2027-01-15 08:00:01.000000','2027-01-15 08:00:01.000000',NULL,NULL,NULL,'canceled',NULL,'71','0',NULL,0,NULL,1,'','{"order_id":"oo-1","signal_id":"signal-1","account":"binance-main","symbol":"BTC/USDT","side":"buy","type":"limit","time_in_force":"GTC","amount":"1","price":"100","client_order_id":"oorlsybv3fzaqpiu5sg6n5yn36","created_at":"2027-01-15T08:00:01Z","updated_at":"2027-01-15T08:00:01Z","expires_at":null,"strategy":null,"reference_price":null,"state":"canceled","reason":null,"exchange_order_id":"71","filled":"0","average":null,"cancel_requested":false,"attempts":[{"number":1,"stamp_ms":100,"valid_until_ms":200,"provable_at_ms":300,"verdict":"accepted","reason":"accepted"}],"fills":[{"trade_id":"trade-1","side":"buy","price":"100","amount":"0.5","fees":[{"asset":"BNB","amount":"0.1"},{"asset":"BNB","amount":"0.2"}],"time":"2027-01-15T08:00:00Z","sequence":1}],"entry_id":null,"version":1,"revision":""}');
INSERT INTO "orders" VALUES('oo-2','signal-2','binance-main','BTC/USDT','buy','limit','GTC','1','100','oo7ubm3b4vn7rfnevtak34tdpd','2027-01-15 08:00:02.000000','2027-01-15 08:00:02.000000',NULL,NULL,NULL,'canceled',NULL,'72','0',NULL,0,NULL,2,'','{"order_id":"oo-2","signal_id":"signal-2","account":"binance-main","symbol":"BTC/USDT","side":"buy","type":"limit","time_in_force":"GTC","amount":"1","price":"100","client_order_id":"oo7ubm3b4vn7rfnevtak34tdpd","created_at":"2027-01-15T08:00:02Z","updated_at":"2027-01-15T08:00:02Z","expires_at":null,"strategy":null,"reference_price":null,"state":"canceled","reason":null,"exchange_order_id":"72","filled":"0","average":null,"cancel_requested":false,"attempts":[{"number":1,"stamp_ms":100,"valid_until_ms":200,"provable_at_ms":300,"verdict":"accepted","reason":"accepted"}],"fills":[{"trade_id":"trade-2","side":"buy","price":"100","amount":"0.5","fees":[{"asset":"BNB","amount":"0.1"},{"asset":"BNB","amount":"0.2"}],"time":"2027-01-15T08:00:00Z","sequence":2}],"entry_id":null,"version":2,"revision":""}');
CREATE TABLE schema_version (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE snapshots (
	time DATETIME NOT NULL,
	account TEXT NOT NULL,
	quote TEXT NOT NULL,
	realised_pnl TEXT NOT NULL,
	unrealised_pnl TEXT NOT NULL,
	exposure TEXT NOT NULL,
	PRIMARY KEY (time, account, quote)
);
INSERT INTO "snapshots" VALUES('2027-01-15 08:00:00.000000','binance-main','USDT','12345678901234567890.123456789','-1','0');
CREATE INDEX orders_by_exchange_id ON orders (account, symbol, exchange_order_id);
CREATE INDEX orders_by_creation ON orders (created_at, order_id);
CREATE INDEX orders_by_change ON orders (updated_at);
CREATE INDEX fills_by_order ON fills (order_id);
CREATE INDEX fills_by_sequence ON fills (account, symbol, sequence, time, trade_id, side);
COMMIT;
