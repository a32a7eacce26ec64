CREATE OR REPLACE FUNCTION ts.audit_digest(prev bytea, e ts.audit_entry, seq bigint) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256(prev || convert_to(jsonb_build_array(
    e.tenant_id, seq, extract(epoch FROM e.at)::text, e.actor_kind, e.actor_id, e.actor_name, e.action,
    e.object_kind, e.object_id, e.object_version, e.detail, e.trace_id, e.remote)::text, 'UTF8'))
$$;
-- ;;
CREATE OR REPLACE FUNCTION ts.audit_seal(batch int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  e ts.audit_entry;
  last_hash bytea;
  last_seq bigint;
  sealed int := 0;
BEGIN
  -- one sealer at a time; a second one goes home at once
  IF NOT pg_try_advisory_xact_lock(hashtextextended('ts.audit_seal', 0)) THEN RETURN 0; END IF;
  FOR e IN
    SELECT * FROM ts.audit_entry
    WHERE seq IS NULL AND txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY id LIMIT batch
  LOOP
    SELECT a.seq, a.hash INTO last_seq, last_hash FROM ts.audit_entry a
    WHERE a.tenant_id = e.tenant_id AND a.seq IS NOT NULL ORDER BY a.seq DESC LIMIT 1;
    last_seq := coalesce(last_seq, 0) + 1;
    last_hash := coalesce(last_hash, sha256(convert_to(e.tenant_id::text, 'UTF8')));
    UPDATE ts.audit_entry SET seq = last_seq, prev = last_hash, hash = ts.audit_digest(last_hash, e, last_seq)
    WHERE id = e.id;
    sealed := sealed + 1;
  END LOOP;
  RETURN sealed;
END $$;
-- ;;
CREATE OR REPLACE FUNCTION ts.audit_breaks() RETURNS TABLE (tenant_id uuid, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT x.tenant_id, min(x.seq) FROM (
    SELECT a.tenant_id, a.seq, a.hash, a.prev,
      lag(a.hash, 1, sha256(convert_to(a.tenant_id::text, 'UTF8'))) OVER w AS want,
      row_number() OVER w AS rn,
      ts.audit_digest(a.prev, a, a.seq) AS calc
    FROM ts.audit_entry a WHERE a.seq IS NOT NULL
    WINDOW w AS (PARTITION BY a.tenant_id ORDER BY a.seq)) x
  WHERE x.prev <> x.want OR x.hash <> x.calc OR x.seq <> x.rn
  GROUP BY x.tenant_id
$$;
-- ;;
CREATE OR REPLACE FUNCTION ts.audit_tail_age() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::double precision
  FROM ts.audit_entry WHERE seq IS NULL
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.audit_seal(int), ts.audit_breaks(), ts.audit_tail_age() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ts.audit_seal(int), ts.audit_breaks(), ts.audit_tail_age() TO ts_worker;
GRANT EXECUTE ON FUNCTION ts.audit_breaks(), ts.audit_tail_age() TO ts_auditor;
