CREATE OR REPLACE FUNCTION ts.sync_claim(batch int, lease interval, at_once int) RETURNS SETOF ts.sync_document
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- One claimer at a time, so that no connection gets more documents in flight than its own
  -- `at_once`, or where it has none than the one given here.
  -- A document whose lease ran out while sending may have arrived: it comes back as unknown, never as new.
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('ts.sync_claim')) THEN
    RETURN;  -- somebody else is at it; whoever asks comes again in a moment
  END IF;
  RETURN QUERY
  WITH busy AS (
    SELECT d.connection_id, count(*) AS flying FROM ts.sync_document d
    WHERE d.state IN ('sending', 'unknown') AND d.lease_until > clock_timestamp() GROUP BY d.connection_id
  ), ready AS (
    SELECT d.id, d.not_before, COALESCE(c.at_once, sync_claim.at_once) AS most,
           row_number() OVER (PARTITION BY d.connection_id ORDER BY d.not_before, d.id)
             + COALESCE(b.flying, 0) AS place
    FROM ts.sync_document d
    JOIN ts.erp_connection c ON c.id = d.connection_id
    LEFT JOIN busy b ON b.connection_id = d.connection_id
    WHERE d.state IN ('new', 'sending', 'unknown') AND d.not_before <= clock_timestamp()
      AND (d.lease_until IS NULL OR d.lease_until <= clock_timestamp())
      AND c.state = 'active' AND (c.open_until IS NULL OR c.open_until <= clock_timestamp())
      AND NOT EXISTS (SELECT 1 FROM ts.sync_document e
                      WHERE e.tenant_id = d.tenant_id AND e.connection_id = d.connection_id
                        AND e.object_id = d.object_id AND e.kind = d.kind
                        AND e.state IN ('new', 'sending', 'unknown') AND (e.version, e.id) < (d.version, d.id))
  ), mine AS (
    SELECT d.id FROM ts.sync_document d JOIN ready r ON r.id = d.id
    WHERE r.place <= r.most ORDER BY r.not_before, d.id LIMIT batch FOR UPDATE OF d SKIP LOCKED
  )
  UPDATE ts.sync_document d
  SET state = CASE WHEN d.state = 'new' THEN 'sending' ELSE 'unknown' END,
      attempt = d.attempt + 1, lease_until = clock_timestamp() + lease, changed_at = clock_timestamp()
  FROM mine WHERE d.id = mine.id RETURNING d.*;
END $$;
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim(int, interval, int) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim(int, interval, int) TO ts_worker;
-- ;;
CREATE OR REPLACE FUNCTION ts.sync_claim_stream(lease interval) RETURNS SETOF ts.sync_stream
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH due AS MATERIALIZED (  -- else a plan may ask it once for each row, and LIMIT 1 would mean one each time
        SELECT t.id FROM ts.sync_stream t JOIN ts.erp_connection c ON c.id = t.connection_id
        WHERE (t.enabled OR t.wanted_by <> '') AND t.next_at <= clock_timestamp()
          AND (t.lease_until IS NULL OR t.lease_until <= clock_timestamp())
          AND (c.state = 'active' OR t.key = 'check')
          AND (c.open_until IS NULL OR c.open_until <= clock_timestamp() OR t.key = 'check')
        ORDER BY t.next_at LIMIT 1 FOR UPDATE OF t SKIP LOCKED)
  UPDATE ts.sync_stream s SET attempt = s.attempt + 1, lease_until = clock_timestamp() + lease
  FROM due WHERE s.id = due.id RETURNING s.*
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim_stream(interval) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim_stream(interval) TO ts_worker;
