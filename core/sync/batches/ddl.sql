-- More new documents of one kind for a call that carries several; like ts.sync_claim, one claimer at a time.
-- Only what was never tried: anything else must be looked for first, and travels alone. The plan is held to the indexes for
-- the same reason as there.
CREATE OR REPLACE FUNCTION ts.sync_claim_more(connection uuid, kind text, most int, lease interval)
RETURNS SETOF ts.sync_document LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  now_at CONSTANT timestamptz := clock_timestamp();
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('ts.sync_claim')) THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH due AS MATERIALIZED (
    SELECT d.id FROM ts.sync_document d
    WHERE d.connection_id = sync_claim_more.connection AND d.kind = sync_claim_more.kind AND d.state = 'new'
      AND d.attempt = 0 AND d.intent = 'create' AND d.not_before <= now_at
      AND EXISTS (SELECT 1 FROM ts.erp_connection c WHERE c.id = d.connection_id AND c.state = 'active')
      -- Only the object may lead to an index here; the rest is compared so that it cannot.
      AND NOT EXISTS (SELECT 1 FROM ts.sync_document e WHERE e.object_id = d.object_id AND e.version < d.version
                      AND e.tenant_id IS NOT DISTINCT FROM d.tenant_id
                      AND e.connection_id IS NOT DISTINCT FROM d.connection_id AND e.kind = d.kind)
    ORDER BY d.not_before, d.id LIMIT most FOR UPDATE OF d SKIP LOCKED)
  UPDATE ts.sync_document d
  SET state = 'sending', attempt = 1, lease_until = clock_timestamp() + lease, changed_at = clock_timestamp()
  FROM due WHERE d.id = due.id RETURNING d.*;
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim_more(uuid, text, int, interval) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim_more(uuid, text, int, interval) TO ts_worker
