-- Whether an enterprise is verified is the operator's word. The application may not write it, not even on its own rows;
-- the definer function below is the only way.
CREATE FUNCTION ts.guard_enterprise_status() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_user IN ('ts_app', 'ts_worker', 'ts_plugin') THEN
    IF TG_OP = 'INSERT' AND NEW.status <> 'applied' THEN
      RAISE EXCEPTION 'the status of an enterprise is set by the operator' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.status IS DISTINCT FROM OLD.status THEN
      RAISE EXCEPTION 'the status of an enterprise is set by the operator' USING ERRCODE = 'insufficient_privilege';
    END IF;
  END IF;
  RETURN NEW;
END $$
-- ;;
CREATE TRIGGER guard_status BEFORE INSERT OR UPDATE ON ts.enterprise
  FOR EACH ROW EXECUTE FUNCTION ts.guard_enterprise_status()
-- ;;
CREATE TRIGGER guard_status BEFORE INSERT OR UPDATE ON ts.enterprise_card
  FOR EACH ROW EXECUTE FUNCTION ts.guard_enterprise_status()
-- ;;
CREATE FUNCTION ts.set_enterprise_status(_tenant uuid, _status text, _until date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant()) THEN
    RETURN false;
  END IF;
  UPDATE ts.enterprise SET status = _status, verified_until = _until, version = version + 1 WHERE id = _tenant;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE ts.enterprise_card SET status = _status WHERE tenant_id = _tenant;
  RETURN true;
END $$
-- ;;
CREATE FUNCTION ts.enter_enterprise(_id uuid, _name text, _name_en text, _short_name text, _uscc text, _kind text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- The operator enters others; its own enterprise was entered when the platform was set up.
  IF NOT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant()) OR _kind = 'operator' THEN
    RETURN 'operator_only';
  END IF;
  IF EXISTS (SELECT 1 FROM ts.enterprise_card c WHERE c.uscc = _uscc) THEN
    RETURN 'taken';
  END IF;
  INSERT INTO ts.enterprise (id, tenant_id, name, name_en, short_name, uscc, kind, version)
  VALUES (_id, _id, _name, _name_en, _short_name, _uscc, _kind, 1);
  INSERT INTO ts.enterprise_card (tenant_id, name, name_en, short_name, uscc, kind)
  VALUES (_id, _name, _name_en, _short_name, _uscc, _kind) ON CONFLICT (uscc) DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another enterprise with this code came first' USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION ts.plugins_of(_tenant uuid) RETURNS TABLE (plugin text, state text, settings jsonb, plugin_version text,
  defaults jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- Which plugins a partner uses decides how an order with it runs; how they are set is the partner's own affair.
  SELECT e.plugin, e.state, CASE WHEN e.tenant_id = ts.tenant() THEN e.settings END, e.plugin_version,
    CASE WHEN e.tenant_id = ts.tenant() THEN
      COALESCE((SELECT d.settings FROM ts.plugin_default d WHERE d.plugin = e.plugin ORDER BY d.no DESC LIMIT 1), '{}') END
  FROM ts.plugin_enablement e WHERE e.tenant_id = _tenant AND ts.tenant() IS NOT NULL
$$
-- ;;
CREATE FUNCTION ts.my_enterprises(_person uuid) RETURNS TABLE (tenant_id uuid, name text, name_en text, short_name text, roles text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.tenant_id, c.name, c.name_en, c.short_name, m.roles
  FROM auth.tenants_of(_person) m JOIN ts.enterprise_card c ON c.tenant_id = m.tenant_id
  ORDER BY c.name, c.tenant_id
$$
-- ;;
REVOKE ALL ON FUNCTION ts.set_enterprise_status(uuid, text, date), ts.enter_enterprise(uuid, text, text, text, text, text),
  ts.plugins_of(uuid), ts.my_enterprises(uuid) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.set_enterprise_status(uuid, text, date), ts.enter_enterprise(uuid, text, text, text, text, text)
  TO ts_app, ts_worker
-- ;;
GRANT EXECUTE ON FUNCTION ts.plugins_of(uuid) TO ts_app, ts_worker, ts_plugin
-- ;;
GRANT EXECUTE ON FUNCTION ts.my_enterprises(uuid) TO ts_app
