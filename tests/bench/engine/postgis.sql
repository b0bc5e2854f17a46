-- Storage offers in PostgreSQL with PostGIS, and the taking of the best one by a request: one call, one
-- transaction.
--
-- Simpler than the engine in one respect, to the database's advantage: an offer has one free amount, not one
-- for each day. Amounts are in 1e-2 pallets, money in hundredths, rates in 1e-4 a unit, days since 1970,
-- temperatures in 1e-1 degree C.
CREATE EXTENSION IF NOT EXISTS postgis;

CREATE TABLE offers (
    id bigint PRIMARY KEY,
    account text NOT NULL,
    credit int NOT NULL,
    min_credit int NOT NULL,
    place geography(Point, 4326) NOT NULL,
    days int4range NOT NULL,
    temps int4range NOT NULL,
    features bigint NOT NULL,
    pallets bigint NOT NULL, -- free
    kg bigint,               -- free, where it is limited
    min_part bigint NOT NULL,
    base bigint NOT NULL,
    rate bigint NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE requests (
    id bigint PRIMARY KEY,
    account text NOT NULL,
    credit int NOT NULL,
    min_credit int NOT NULL,
    place geography(Point, 4326) NOT NULL,
    days int4range NOT NULL,
    temps int4range NOT NULL,
    features bigint NOT NULL,
    pallets bigint NOT NULL,
    kg bigint NOT NULL,
    radius_m double precision NOT NULL, -- great circle, the road factor taken off
    max_price bigint NOT NULL,
    per_access_km bigint NOT NULL
);

CREATE TABLE matches (request bigint PRIMARY KEY, offer bigint NOT NULL, price bigint NOT NULL);

-- The files as they are written.
CREATE UNLOGGED TABLE offers_file (
    id bigint, account text, credit int, min_credit int, lat float8, lon float8, from_day int, until_day int,
    cold int, warm int, features bigint, pallets bigint, kg bigint,
    min_part bigint, base bigint, rate bigint);
CREATE UNLOGGED TABLE requests_file (
    id bigint, account text, credit int, min_credit int, lat float8, lon float8, from_day int, until_day int,
    cold int, warm int, features bigint, pallets bigint, kg bigint,
    radius_m bigint, max_price bigint, per_access_km bigint);

-- The best offer by surplus, the older on a tie; NULL when none fits.
CREATE FUNCTION take(request bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    r requests;
    best record;
BEGIN
    SELECT * INTO r FROM requests WHERE requests.id = request;
    SELECT o.id, c.quote, c.quote + c.access AS cost INTO best
    FROM offers o,
        LATERAL (SELECT
            (o.base * 10000 + o.rate * r.pallets * (upper(r.days) - lower(r.days)) + 5000) / 10000 AS quote,
            round(r.per_access_km * round(ST_Distance(o.place, r.place, false) * 1.25) / 1e5) AS access) c
    WHERE ST_DWithin(o.place, r.place, r.radius_m, false)
      AND o.days @> r.days
      AND o.temps <@ r.temps
      AND o.features & r.features = r.features
      AND o.pallets >= r.pallets
      AND o.min_part <= r.pallets
      AND (o.kg IS NULL OR o.kg >= r.kg)
      AND o.credit >= r.min_credit
      AND r.credit >= o.min_credit
      AND o.account <> r.account
      AND c.quote + c.access <= r.max_price
    ORDER BY c.quote + c.access, o.id
    LIMIT 1
    FOR UPDATE OF o SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE offers SET pallets = pallets - r.pallets, kg = kg - r.kg WHERE id = best.id;
    INSERT INTO matches VALUES (request, best.id, best.quote + (r.max_price - best.cost::bigint) / 2);
    RETURN best.id;
END $$;
