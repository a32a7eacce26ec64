-- The run that waited longest for its turn, across all tenants. Whose lease ran out has died; his uncommitted batch is gone
-- with him, so the next one goes on at the mark of the last committed one.
CREATE OR REPLACE FUNCTION ts.work_claim(lease interval) RETURNS SETOF ts.work_run
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH due AS MATERIALIZED (  -- else a plan may ask it once for each row
        SELECT w.id FROM ts.work_run w
        WHERE w.state IN ('queued', 'running') AND (w.lease_until IS NULL OR w.lease_until <= clock_timestamp())
        ORDER BY w.turned_at, w.id FOR UPDATE SKIP LOCKED LIMIT 1)
  UPDATE ts.work_run r SET state = 'running', claim = r.claim + 1, tries = r.tries + 1, turned_at = clock_timestamp(),
         started_at = coalesce(r.started_at, clock_timestamp()), lease_until = clock_timestamp() + lease
  FROM due WHERE r.id = due.id RETURNING r.*
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.work_claim(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ts.work_claim(interval) TO ts_worker;
