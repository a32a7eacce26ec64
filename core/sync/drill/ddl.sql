-- The drill that waited longest for its next case, across all tenants; one whose worker died is gone on with.
CREATE OR REPLACE FUNCTION ts.sync_claim_drill(lease interval) RETURNS SETOF ts.sync_drill
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH due AS MATERIALIZED (  -- else a plan may ask it once for each row
        SELECT w.id FROM ts.sync_drill w
        WHERE w.state = 'running' AND (w.lease_until IS NULL OR w.lease_until <= clock_timestamp())
        ORDER BY w.turned_at, w.id FOR UPDATE SKIP LOCKED LIMIT 1)
  UPDATE ts.sync_drill d SET attempt = d.attempt + 1, turned_at = clock_timestamp(), lease_until = clock_timestamp() + lease
  FROM due WHERE d.id = due.id RETURNING d.*
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim_drill(interval) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim_drill(interval) TO ts_worker;
