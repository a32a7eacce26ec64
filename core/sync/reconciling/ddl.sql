-- Yesterday is counted an hour after it ended, on every connection that had documents of it; once.
CREATE OR REPLACE FUNCTION ts.sync_plan_tallies() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH day AS (SELECT ((ts.clock() - interval '1 hour') AT TIME ZONE 'UTC')::date - 1 AS day),
  planned AS (
    INSERT INTO ts.sync_tally (id, tenant_id, connection_id, kind, day, asked_at)
    SELECT gen_random_uuid(), c.tenant_id, c.id, k.kind, d.day, ts.clock()
    FROM ts.erp_connection c CROSS JOIN unnest(c.documents) k (kind) CROSS JOIN day d
    WHERE c.state = 'active'
      AND NOT EXISTS (SELECT 1 FROM ts.sync_tally t WHERE t.tenant_id = c.tenant_id AND t.connection_id = c.id
                      AND t.kind = k.kind AND t.day = d.day)
      AND EXISTS (SELECT 1 FROM ts.sync_document s WHERE s.tenant_id = c.tenant_id AND s.connection_id = c.id
                  AND s.kind = k.kind AND s.dated_on = d.day)
    ON CONFLICT DO NOTHING RETURNING 1)
  SELECT count(*) FROM planned
$$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_plan_tallies() FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_plan_tallies() TO ts_worker
-- ;;
CREATE OR REPLACE FUNCTION ts.sync_claim_tally(lease interval) RETURNS SETOF ts.sync_tally
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH due AS MATERIALIZED (  -- else a plan may ask it once for each row
        SELECT w.id FROM ts.sync_tally w JOIN ts.erp_connection c ON c.id = w.connection_id
        WHERE w.state IN ('wanted', 'running') AND (w.lease_until IS NULL OR w.lease_until <= clock_timestamp())
          AND c.state = 'active' AND (c.open_until IS NULL OR c.open_until <= clock_timestamp())
        ORDER BY w.asked_at, w.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
  UPDATE ts.sync_tally t SET state = 'running', attempt = t.attempt + 1, lease_until = clock_timestamp() + lease
  FROM due WHERE t.id = due.id RETURNING t.*
$$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim_tally(interval) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim_tally(interval) TO ts_worker
