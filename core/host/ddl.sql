-- The installation's own rows on plugins, as the application may read and write them.
-- A reading function answers whole rows; a writing one refuses (42501) whoever is not of the operator's tenant.
CREATE FUNCTION ts.plugins() RETURNS SETOF ts.plugin
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin ORDER BY name
$$
-- ;;
CREATE FUNCTION ts.plugin_epoch_now() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE((SELECT epoch FROM ts.plugin_epoch), 0)
$$
-- ;;
CREATE FUNCTION ts.plugin_packages() RETURNS TABLE (sha256 text, kind text, plugin text, distribution text, version text,
  filename text, size integer, manifest jsonb, requires text[], signer text, source text, added_by text, added_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256, kind, plugin, distribution, version, filename, size, manifest, requires, signer, source, added_by, added_at
  FROM ts.plugin_package ORDER BY plugin, added_at DESC
$$
-- ;;
CREATE FUNCTION ts.plugin_content(_sha256 text) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT content FROM ts.plugin_package WHERE sha256 = _sha256
$$
-- ;;
CREATE FUNCTION ts.plugin_changes(_plugin text, _limit integer) RETURNS SETOF ts.plugin_change
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_change c WHERE (_plugin IS NULL OR c.plugin = _plugin) ORDER BY c.asked_at DESC LIMIT _limit
$$
-- ;;
CREATE FUNCTION ts.plugin_change_of(_id uuid) RETURNS SETOF ts.plugin_change
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_change c WHERE c.id = _id
$$
-- ;;
CREATE FUNCTION ts.plugin_publishers() RETURNS SETOF ts.plugin_publisher
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_publisher ORDER BY name
$$
-- ;;
CREATE FUNCTION ts.plugin_sources() RETURNS SETOF ts.plugin_source
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_source ORDER BY address
$$
-- ;;
CREATE FUNCTION ts.plugin_processes() RETURNS SETOF ts.plugin_process
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_process WHERE seen_at > ts.clock() - interval '10 seconds' ORDER BY kind, id
$$
-- ;;
CREATE FUNCTION ts.plugin_faults(_plugin text, _limit integer) RETURNS SETOF ts.plugin_fault
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_fault f WHERE f.plugin = _plugin ORDER BY f.at DESC LIMIT _limit
$$
-- ;;
CREATE FUNCTION ts.plugin_minutes(_plugin text, _since timestamptz) RETURNS SETOF ts.plugin_minute
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_minute m WHERE (_plugin IS NULL OR m.plugin = _plugin) AND m.minute >= _since ORDER BY m.minute
$$
-- ;;
CREATE FUNCTION ts.plugin_defaults(_plugin text, _limit integer) RETURNS SETOF ts.plugin_default
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_default d WHERE d.plugin = _plugin ORDER BY d.no DESC LIMIT _limit
$$
-- ;;
CREATE FUNCTION ts.plugin_exports(_plugin text) RETURNS TABLE (change_id uuid, plugin text, size bigint, made_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT change_id, min(plugin), sum(length(content)), min(made_at) FROM ts.plugin_export e
  WHERE _plugin IS NULL OR e.plugin = _plugin GROUP BY change_id ORDER BY 4 DESC
$$
-- ;;
CREATE FUNCTION ts.plugin_export_piece(_change uuid, _no integer) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  RETURN (SELECT content FROM ts.plugin_export WHERE change_id = _change AND no = _no);
END $$
-- ;;
-- What a change of a plugin would touch, as numbers and one example; the trade modes are those it brings.
CREATE FUNCTION ts.plugin_touches(_plugin text, _modes text[]) RETURNS TABLE (enterprises integer, draining integer,
  open_orders integer, an_order text, open_gates integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH busy AS (SELECT o.id, o.number FROM ts.trade_order o WHERE o.mode = ANY (_modes)
    AND o.state NOT IN ('draft', 'completed', 'closed', 'rejected', 'expired', 'cancelled', 'terminated'))
  SELECT (SELECT count(*)::integer FROM ts.plugin_enablement e WHERE e.plugin = _plugin AND e.state = 'enabled'),
         (SELECT count(*)::integer FROM ts.plugin_enablement e WHERE e.plugin = _plugin AND e.state = 'draining'),
         (SELECT count(*)::integer FROM busy), (SELECT COALESCE(b.number, b.id::text) FROM busy b ORDER BY b.id LIMIT 1),
         (SELECT count(*)::integer FROM ts.gate g WHERE g.plugin = _plugin AND g.state IN ('open', 'failed'))
$$
-- ;;
CREATE FUNCTION ts.must_be_operator() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant()) THEN
    RAISE insufficient_privilege USING MESSAGE = 'only the operator changes the plugins of the installation';
  END IF;
END $$
-- ;;
CREATE FUNCTION ts.plugin_keep(_package jsonb, _content bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  INSERT INTO ts.plugin_package (sha256, kind, plugin, distribution, version, filename, size, content, manifest, requires,
                                 signer, source, added_by)
  SELECT encode(sha256(_content), 'hex'), p.kind, p.plugin, p.distribution, p.version, p.filename, length(_content), _content,
         p.manifest, COALESCE(p.requires, '{}'), p.signer, p.source, p.added_by
  FROM jsonb_to_record(_package) AS p(kind text, plugin text, distribution text, version text, filename text, manifest jsonb,
                                      requires text[], signer text, source text, added_by text)
  ON CONFLICT (sha256) DO UPDATE SET signer = COALESCE(EXCLUDED.signer, ts.plugin_package.signer);
END $$
-- ;;
CREATE FUNCTION ts.plugin_forget_package(_sha256 text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  DELETE FROM ts.plugin_package k WHERE k.sha256 = _sha256
    AND NOT EXISTS (SELECT 1 FROM ts.plugin p WHERE _sha256 = ANY (p.packages) OR _sha256 = ANY (p.previous_packages));
  RETURN FOUND;
END $$
-- ;;
-- An enterprise may only ask for an installation; it is queued at once where the operator opened the signer to enterprises.
CREATE FUNCTION ts.plugin_ask(_id uuid, _plugin text, _verb text, _version text, _packages text[], _plan jsonb, _by text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  operator boolean := EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant());
  open boolean := NOT EXISTS (
    SELECT 1 FROM unnest(_packages) wanted LEFT JOIN ts.plugin_package k ON k.sha256 = wanted
    LEFT JOIN ts.plugin_publisher p ON p.key_id = k.signer AND p.revoked_at IS NULL AND p.open_to_enterprises
    WHERE p.key_id IS NULL);
  told text;
BEGIN
  IF ts.tenant() IS NULL OR NOT operator AND _verb NOT IN ('install', 'upgrade') THEN
    PERFORM ts.must_be_operator();
  END IF;
  told := CASE WHEN operator OR open AND cardinality(_packages) > 0 THEN 'queued' ELSE 'asked' END;
  INSERT INTO ts.plugin_change (id, plugin, verb, state, version, packages, plan, asked_by, tenant_id)
  VALUES (_id, _plugin, _verb, told, _version, _packages, _plan, _by, ts.tenant());
  RETURN told;
END $$
-- ;;
CREATE FUNCTION ts.plugin_answer(_id uuid, _yes boolean, _reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  UPDATE ts.plugin_change SET state = CASE WHEN _yes THEN 'queued' ELSE 'refused' END, reason = _reason
  WHERE id = _id AND state = 'asked';
  RETURN FOUND;
END $$
-- ;;
CREATE FUNCTION ts.plugin_stop(_plugin text, _reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  UPDATE ts.plugin SET stopped_by = 'operator', stopped_reason = _reason, stopped_at = ts.clock(), stopped_until = NULL
  WHERE name = _plugin;
  RETURN FOUND;
END $$
-- ;;
CREATE FUNCTION ts.plugin_lift(_plugin text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  UPDATE ts.plugin SET stopped_by = NULL, stopped_reason = NULL, stopped_at = NULL, stopped_until = NULL
  WHERE name = _plugin AND stopped_by IS NOT NULL;
  RETURN FOUND;
END $$
-- ;;
CREATE FUNCTION ts.plugin_trust(_key_id text, _name text, _public_key bytea, _tier text, _open boolean, _by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  INSERT INTO ts.plugin_publisher (key_id, name, public_key, tier, open_to_enterprises, trusted_by)
  VALUES (_key_id, _name, _public_key, _tier, _open, _by)
  ON CONFLICT (key_id) DO UPDATE SET name = EXCLUDED.name, tier = EXCLUDED.tier, trusted_by = EXCLUDED.trusted_by,
    open_to_enterprises = EXCLUDED.open_to_enterprises, trusted_at = ts.clock(), revoked_at = NULL;
END $$
-- ;;
CREATE FUNCTION ts.plugin_distrust(_key_id text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  UPDATE ts.plugin_publisher SET revoked_at = ts.clock() WHERE key_id = _key_id AND revoked_at IS NULL;
  RETURN FOUND;
END $$
-- ;;
CREATE FUNCTION ts.plugin_source_add(_address text, _kind text, _by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  INSERT INTO ts.plugin_source (address, kind, added_by) VALUES (_address, _kind, _by) ON CONFLICT DO NOTHING;
END $$
-- ;;
CREATE FUNCTION ts.plugin_source_remove(_address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  DELETE FROM ts.plugin_source WHERE address = _address;
  RETURN FOUND;
END $$
-- ;;
-- What enterprises that use a plugin chose for it, so that a new default is tried with every one of them before it counts.
CREATE FUNCTION ts.plugin_choices(_plugin text) RETURNS TABLE (tenant_id uuid, enterprise text, settings jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  RETURN QUERY SELECT e.tenant_id, COALESCE(c.name, e.tenant_id::text), e.settings FROM ts.plugin_enablement e
    LEFT JOIN ts.enterprise_card c ON c.tenant_id = e.tenant_id
    WHERE e.plugin = _plugin AND e.state IN ('enabled', 'draining') ORDER BY 2;
END $$
-- ;;
CREATE FUNCTION ts.plugin_default_set(_plugin text, _settings jsonb, _version text, _note text, _by text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  latest integer;
BEGIN
  PERFORM ts.must_be_operator();
  SELECT COALESCE(max(no), 0) + 1 INTO latest FROM ts.plugin_default WHERE plugin = _plugin;
  INSERT INTO ts.plugin_default (plugin, no, settings, plugin_version, note, set_by)
  VALUES (_plugin, latest, _settings, _version, _note, _by);
  RETURN latest;
END $$
-- ;;
-- One heartbeat of a process: it says what it runs and what it measured, and hears what is stopped and which set is current.
CREATE FUNCTION ts.plugin_pulse(_process jsonb, _minutes jsonb, _faults jsonb) RETURNS TABLE (current_epoch integer, stopped jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO ts.plugin_process (id, kind, epoch, loaded, broken, memory, started_at, seen_at)
  SELECT p.id, p.kind, p.epoch, p.loaded, p.broken, p.memory, p.started_at, clock_timestamp()
  FROM jsonb_to_record(_process) AS p(id text, kind text, epoch integer, loaded jsonb, broken jsonb, memory bigint, started_at timestamptz)
  ON CONFLICT (id) DO UPDATE SET epoch = EXCLUDED.epoch, loaded = EXCLUDED.loaded, broken = EXCLUDED.broken,
    memory = EXCLUDED.memory, seen_at = EXCLUDED.seen_at;
  INSERT INTO ts.plugin_minute (plugin, hook, minute, calls, errors, micros, slower)
  SELECT m.plugin, m.hook, m.minute, m.calls, m.errors, m.micros, m.slower
  FROM jsonb_to_recordset(_minutes) AS m(plugin text, hook text, minute timestamptz, calls integer, errors integer, micros bigint,
                                         slower integer[])
  ORDER BY m.plugin, m.hook, m.minute
  ON CONFLICT (plugin, hook, minute) DO UPDATE SET calls = ts.plugin_minute.calls + EXCLUDED.calls,
    errors = ts.plugin_minute.errors + EXCLUDED.errors, micros = ts.plugin_minute.micros + EXCLUDED.micros,
    slower = ARRAY(SELECT COALESCE(old, 0) + COALESCE(new, 0) FROM unnest(ts.plugin_minute.slower, EXCLUDED.slower) AS both_(old, new));
  INSERT INTO ts.plugin_fault (plugin, hook, kind, reason, process, tenant_id, at)
  SELECT f.plugin, f.hook, f.kind, left(f.reason, 2000), f.process, f.tenant_id, f.at
  FROM jsonb_to_recordset(_faults) AS f(plugin text, hook text, kind text, reason text, process text, tenant_id uuid, at timestamptz);
  RETURN QUERY SELECT COALESCE((SELECT e.epoch FROM ts.plugin_epoch e), 0),
    (SELECT COALESCE(jsonb_object_agg(p.name, p.stopped_reason), '{}') FROM ts.plugin p
     WHERE p.stopped_by IS NOT NULL AND (p.stopped_until IS NULL OR p.stopped_until > clock_timestamp()));
END $$
-- ;;
-- Opens a plugin's breaker in every process. The operator's own stop is never shortened by it.
CREATE FUNCTION ts.plugin_quarantine(_plugin text, _reason text, _until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE ts.plugin SET stopped_by = 'platform', stopped_reason = left(_reason, 500), stopped_at = ts.clock(), stopped_until = _until
  WHERE name = _plugin AND (stopped_by IS NULL OR stopped_by = 'platform' AND stopped_until IS NOT NULL);
  RETURN FOUND;
END $$
-- ;;
-- What nobody looks at any more: counts and faults after a fortnight, processes that report no longer.
CREATE FUNCTION ts.plugin_sweep() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone integer;
  swept integer := 0;
BEGIN
  DELETE FROM ts.plugin_minute WHERE minute < clock_timestamp() - interval '14 days';
  GET DIAGNOSTICS gone = ROW_COUNT;
  swept := swept + gone;
  DELETE FROM ts.plugin_fault WHERE at < clock_timestamp() - interval '14 days';
  GET DIAGNOSTICS gone = ROW_COUNT;
  swept := swept + gone;
  DELETE FROM ts.plugin_process WHERE seen_at < clock_timestamp() - interval '10 seconds';
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN swept + gone;
END $$
-- ;;
DO $$
DECLARE
  made record;
BEGIN
  FOR made IN SELECT p.oid::regprocedure AS signature FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
              WHERE n.nspname = 'ts' AND (starts_with(p.proname, 'plugin_') OR p.proname IN ('plugins', 'must_be_operator')) LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made.signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ts_app, ts_worker', made.signature);
  END LOOP;
END $$
