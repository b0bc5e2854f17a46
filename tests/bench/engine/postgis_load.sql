-- Fills the tables from the files; the indices are made afterwards, as one does.
TRUNCATE offers, requests, matches, offers_file, requests_file;
DROP INDEX IF EXISTS offers_where_when_how_cold;
\copy offers_file FROM 'offers.csv' WITH (FORMAT csv, HEADER)
\copy requests_file FROM 'requests.csv' WITH (FORMAT csv, HEADER)
INSERT INTO offers
SELECT id, account, credit, min_credit, ST_MakePoint(lon, lat)::geography, int4range(from_day, until_day),
       int4range(cold, warm, '[]'), features, pallets, nullif(kg, 0), min_part, base, rate
FROM offers_file ORDER BY id;
INSERT INTO requests
SELECT id, account, credit, min_credit, ST_MakePoint(lon, lat)::geography, int4range(from_day, until_day),
       int4range(cold, warm, '[]'), features, pallets, kg, radius_m / 1.25, max_price, per_access_km
FROM requests_file ORDER BY id;
CREATE INDEX offers_where_when_how_cold ON offers USING gist (place, days, temps);
VACUUM ANALYZE offers;
VACUUM ANALYZE requests;
