CREATE OR REPLACE FUNCTION ts.sync_knock(_token bytea) RETURNS TABLE (tenant_id uuid, connection_id uuid, moment timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- Whoever calls is nobody before this: the token alone says whose connection it is, and points the transaction there.
DECLARE
  entry record;
BEGIN
  SELECT c.tenant_id, c.id INTO entry FROM ts.erp_connection c WHERE c.push_hash = _token;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM set_config('ts.tenant', entry.tenant_id::text, true);
  RETURN QUERY SELECT entry.tenant_id, entry.id, ts.clock();
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_knock(bytea) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_knock(bytea) TO ts_app
-- ;;
CREATE OR REPLACE FUNCTION ts.sync_waiting_pushes(most int) RETURNS TABLE (id uuid, tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- By connection: what waits on those that are paused is never read.
  SELECT p.id, p.tenant_id FROM ts.erp_connection c, LATERAL (
    SELECT w.id, w.tenant_id FROM ts.sync_push w
    WHERE w.connection_id = c.id AND w.state = 'waiting' ORDER BY w.id LIMIT most) p
  WHERE c.state = 'active' ORDER BY p.id LIMIT most
$$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_waiting_pushes(int) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_waiting_pushes(int) TO ts_worker
