-- Functions through which the application reaches schema auth. Each runs as ts_owner with a fixed search_path; each that
-- acts inside an enterprise takes the enterprise from ts.tenant(), never from its caller.

CREATE FUNCTION auth.grants_of(_membership uuid, _roles text[]) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- Amounts as text: a JSON number would become a float on its way.
  SELECT COALESCE(jsonb_object_agg(rp.permission, trim_scale(l.amount)::text), '{}'::jsonb)
  FROM auth.role_permission rp
  LEFT JOIN auth.membership_limit l ON l.membership_id = _membership AND l.permission = rp.permission
  WHERE rp.role = ANY (_roles)
$$
-- ;;
CREATE FUNCTION auth.enter_by_session(_token bytea)
RETURNS TABLE (tenant_id uuid, person_id uuid, session_id uuid, name text, login text, locale text, theme text, density text,
               second_factor_at timestamptz, has_second_factor boolean, roles text[], grants jsonb, moment timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  entry record;
  clock timestamptz := ts.clock();
BEGIN
  SELECT s.tenant_id, s.id, s.last_seen_at, s.second_factor_at, p.id AS person_id, p.name, COALESCE(p.email, p.phone) AS login,
         p.locale, p.theme, p.density, m.id AS membership_id, m.roles,
         EXISTS (SELECT 1 FROM auth.mfa f WHERE f.person_id = p.id AND f.confirmed_at IS NOT NULL) AS has_second_factor
    INTO entry
    FROM auth.session s
    JOIN auth.person p ON p.id = s.person_id AND p.status = 'active'
    JOIN auth.membership m ON m.tenant_id = s.tenant_id AND m.person_id = s.person_id AND m.status = 'active'
   WHERE s.token_hash = _token AND s.state = 'full' AND s.revoked_at IS NULL
     AND s.last_seen_at > clock - interval '30 minutes' AND s.created_at > clock - interval '12 hours';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF entry.last_seen_at < clock - interval '1 minute' THEN
    -- Requests of one session never wait for each other over this note.
    UPDATE auth.session s SET last_seen_at = clock
     WHERE s.id = (SELECT n.id FROM auth.session n WHERE n.id = entry.id FOR NO KEY UPDATE SKIP LOCKED);
  END IF;
  PERFORM set_config('ts.tenant', entry.tenant_id::text, true);
  RETURN QUERY SELECT entry.tenant_id, entry.person_id, entry.id, entry.name, entry.login, entry.locale, entry.theme,
                      entry.density, entry.second_factor_at, entry.has_second_factor, entry.roles,
                      auth.grants_of(entry.membership_id, entry.roles), clock;
END $$
-- ;;
CREATE FUNCTION auth.enter_by_key(_key bytea, _remote text)
RETURNS TABLE (tenant_id uuid, person_id uuid, key_id uuid, name text, locale text, grants jsonb, moment timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  entry record;
  clock timestamptz := ts.clock();
BEGIN
  SELECT k.tenant_id, k.id, k.name, k.scopes, k.last_used_at, k.cidrs, p.id AS person_id, p.locale,
         m.id AS membership_id, m.roles
    INTO entry
    FROM auth.api_key k
    JOIN auth.person p ON p.id = k.created_by AND p.status = 'active'
    JOIN auth.membership m ON m.tenant_id = k.tenant_id AND m.person_id = k.created_by AND m.status = 'active'
   WHERE k.key_hash = _key AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock);
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF cardinality(entry.cidrs) > 0 AND NOT EXISTS (
       SELECT 1 FROM unnest(entry.cidrs) AS net WHERE NULLIF(_remote, '')::inet <<= net) THEN
    RETURN;
  END IF;
  IF entry.last_used_at IS NULL OR entry.last_used_at < clock - interval '1 minute' THEN
    UPDATE auth.api_key k SET last_used_at = clock
     WHERE k.id = (SELECT n.id FROM auth.api_key n WHERE n.id = entry.id FOR NO KEY UPDATE SKIP LOCKED);
  END IF;
  PERFORM set_config('ts.tenant', entry.tenant_id::text, true);
  RETURN QUERY SELECT entry.tenant_id, entry.person_id, entry.id, entry.name, entry.locale,
    (SELECT COALESCE(jsonb_object_agg(rp.permission, trim_scale(l.amount)::text), '{}'::jsonb)
       FROM auth.role_permission rp
       LEFT JOIN auth.membership_limit l ON l.membership_id = entry.membership_id AND l.permission = rp.permission
      WHERE rp.role = ANY (entry.roles) AND (rp.permission = ANY (entry.scopes) OR rp.permission = 'me.view')),
    clock;
END $$
-- ;;
CREATE FUNCTION auth.count_try(_id uuid, _account bytea, _remote text) RETURNS TABLE (allowed boolean, remaining integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  most CONSTANT integer := 10;
  since timestamptz := ts.clock() - interval '15 minutes';
  used integer;
BEGIN
  -- One after the other per account and per address, in that order, so parallel guesses are counted too.
  PERFORM pg_advisory_xact_lock(hashtextextended('account:' || encode(_account, 'hex'), 0));
  PERFORM pg_advisory_xact_lock(hashtextextended('address:' || _remote, 0));
  SELECT GREATEST(
    (SELECT count(*) FROM auth.login_attempt a WHERE a.account = _account AND a.at > since AND a.outcome = 'tried'),
    (SELECT count(*) FROM auth.login_attempt a
      WHERE a.ip = _remote AND _remote <> '' AND a.at > since AND a.outcome = 'tried')) INTO used;
  INSERT INTO auth.login_attempt (id, account, ip, at, outcome)
  VALUES (_id, _account, _remote, ts.clock(), CASE WHEN used < most THEN 'tried' ELSE 'locked' END);
  RETURN QUERY SELECT used < most, GREATEST(most - used - 1, 0);
END $$
-- ;;
CREATE FUNCTION auth.settle_try(_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE auth.login_attempt SET outcome = 'ok' WHERE id = _id AND outcome = 'tried'
$$
-- ;;
CREATE FUNCTION auth.find_login(_login text) RETURNS TABLE (person_id uuid, password_hash text, has_second_factor boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.id, p.password_hash,
         EXISTS (SELECT 1 FROM auth.mfa f WHERE f.person_id = p.id AND f.confirmed_at IS NOT NULL)
  FROM auth.person p WHERE p.status = 'active' AND (p.email = _login OR p.phone = _login)
$$
-- ;;
CREATE FUNCTION auth.open_session(_id uuid, _person uuid, _token bytea, _pending boolean, _remote text, _agent text)
RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO auth.session (id, token_hash, person_id, tenant_id, state, ip, agent)
  SELECT _id, _token, p.id, m.tenant_id, CASE WHEN _pending THEN 'pending' ELSE 'full' END, _remote, _agent
  FROM auth.person p JOIN auth.membership m ON m.person_id = p.id AND m.status = 'active'
  WHERE p.id = _person AND p.status = 'active'
  ORDER BY (m.tenant_id IS NOT DISTINCT FROM p.last_tenant_id) DESC, m.created_at, m.id
  LIMIT 1
  RETURNING tenant_id
$$
-- ;;
CREATE FUNCTION auth.pending_session(_token bytea)
RETURNS TABLE (session_id uuid, person_id uuid, name text, login text, secret bytea, moment timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.id, p.id, p.name, COALESCE(p.email, p.phone), f.secret, c.now
  FROM (SELECT ts.clock() AS now) c, auth.session s
  JOIN auth.person p ON p.id = s.person_id AND p.status = 'active'
  JOIN auth.mfa f ON f.person_id = p.id AND f.confirmed_at IS NOT NULL
  WHERE s.token_hash = _token AND s.state = 'pending' AND s.revoked_at IS NULL AND s.created_at > c.now - interval '10 minutes'
$$
-- ;;
CREATE FUNCTION auth.promote_session(_session uuid, _token bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH done AS (
    UPDATE auth.session SET state = 'full', token_hash = _token, created_at = ts.clock(), last_seen_at = ts.clock(),
                            second_factor_at = ts.clock()
    WHERE id = _session AND state = 'pending' AND revoked_at IS NULL RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.take_step(_person uuid, _step integer) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- The condition is the replay protection: of two requests with one code, one finds the step already taken.
  WITH done AS (UPDATE auth.mfa SET last_step = _step WHERE person_id = _person AND last_step < _step RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.use_recovery_code(_person uuid, _code bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH done AS (UPDATE auth.recovery_code SET used_at = ts.clock()
                WHERE person_id = _person AND code_hash = _code AND used_at IS NULL RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.renew_session(_session uuid, _token bytea, _confirmed boolean) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH done AS (
    UPDATE auth.session SET token_hash = _token, last_seen_at = ts.clock(),
                            second_factor_at = CASE WHEN _confirmed THEN ts.clock() ELSE second_factor_at END
    WHERE id = _session AND tenant_id = ts.tenant() AND state = 'full' AND revoked_at IS NULL RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.switch_session(_session uuid, _token bytea, _tenant uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH done AS (
    UPDATE auth.session s SET token_hash = _token, tenant_id = _tenant, last_seen_at = ts.clock()
    WHERE s.id = _session AND s.tenant_id = ts.tenant() AND s.state = 'full' AND s.revoked_at IS NULL
      AND EXISTS (SELECT 1 FROM auth.membership m
                  WHERE m.tenant_id = _tenant AND m.person_id = s.person_id AND m.status = 'active')
    RETURNING s.person_id),
  noted AS (UPDATE auth.person SET last_tenant_id = _tenant WHERE id IN (SELECT person_id FROM done))
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.sessions_of(_person uuid)
RETURNS TABLE (session_id uuid, tenant_id uuid, created_at timestamptz, last_seen_at timestamptz, ip text, agent text,
               second_factor_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.id, s.tenant_id, s.created_at, s.last_seen_at, s.ip, s.agent, s.second_factor_at
  FROM auth.session s
  WHERE s.person_id = _person AND s.state = 'full' AND s.revoked_at IS NULL
    AND s.last_seen_at > ts.clock() - interval '30 minutes' AND s.created_at > ts.clock() - interval '12 hours'
    AND EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _person)
  ORDER BY s.last_seen_at DESC, s.id
$$
-- ;;
CREATE FUNCTION auth.revoke_sessions(_person uuid, _only uuid, _keep uuid) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH done AS (
    UPDATE auth.session s SET revoked_at = ts.clock()
    WHERE s.person_id = _person AND s.revoked_at IS NULL
      AND (_only IS NULL OR s.id = _only) AND s.id IS DISTINCT FROM _keep
      AND EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _person)
    RETURNING 1)
  SELECT count(*)::integer FROM done
$$
-- ;;
CREATE FUNCTION auth.account(_person uuid)
RETURNS TABLE (name text, email text, phone text, password_hash text, password_set_at timestamptz, locale text, theme text,
               density text, secret bytea, confirmed_at timestamptz, codes_left integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.name, p.email, p.phone, p.password_hash, p.password_set_at, p.locale, p.theme, p.density, f.secret, f.confirmed_at,
         (SELECT count(*)::integer FROM auth.recovery_code r WHERE r.person_id = p.id AND r.used_at IS NULL)
  FROM auth.person p LEFT JOIN auth.mfa f ON f.person_id = p.id
  WHERE p.id = _person
    AND EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _person AND m.status = 'active')
$$
-- ;;
CREATE FUNCTION auth.set_password(_person uuid, _old_hash text, _new_hash text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- The old hash is the version: two changes at once, one loses.
  WITH done AS (UPDATE auth.person SET password_hash = _new_hash, password_set_at = ts.clock()
                WHERE id = _person AND password_hash = _old_hash RETURNING id),
  dead AS (UPDATE auth.password_reset SET closed_at = ts.clock()
           WHERE person_id IN (SELECT id FROM done) AND closed_at IS NULL)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.rehash_password(_person uuid, _old_hash text, _new_hash text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE auth.person SET password_hash = _new_hash WHERE id = _person AND password_hash = _old_hash
$$
-- ;;
CREATE FUNCTION auth.set_preferences(_person uuid, _locale text, _theme text, _density text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE auth.person SET locale = COALESCE(_locale, locale), theme = COALESCE(_theme, theme), density = COALESCE(_density, density)
  WHERE id = _person
    AND EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _person AND m.status = 'active')
$$
-- ;;
CREATE FUNCTION auth.begin_mfa(_person uuid, _secret bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- A confirmed authenticator is never overwritten: it must be removed first.
  WITH done AS (
    INSERT INTO auth.mfa AS f (person_id, secret)
    SELECT m.person_id, _secret FROM auth.membership m
    WHERE m.tenant_id = ts.tenant() AND m.person_id = _person AND m.status = 'active'
    ON CONFLICT (person_id) DO UPDATE SET secret = EXCLUDED.secret, last_step = 0 WHERE f.confirmed_at IS NULL
    RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.confirm_mfa(_person uuid, _step integer, _codes bytea[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE auth.mfa SET confirmed_at = ts.clock(), last_step = _step
   WHERE person_id = _person AND confirmed_at IS NULL AND last_step < _step
     AND EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _person);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM auth.replace_codes(_person, _codes);
  RETURN true;
END $$
-- ;;
CREATE FUNCTION auth.replace_codes(_person uuid, _codes bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM auth.recovery_code WHERE person_id = _person
    AND EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _person);
  INSERT INTO auth.recovery_code (person_id, code_hash) SELECT _person, code FROM unnest(_codes) AS code
  WHERE EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _person)
$$
-- ;;
CREATE FUNCTION auth.drop_mfa(_person uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM auth.mfa f WHERE f.person_id = _person
    AND EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _person);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM auth.recovery_code WHERE person_id = _person;
  RETURN true;
END $$
-- ;;
CREATE FUNCTION auth.tenants_of(_person uuid) RETURNS TABLE (tenant_id uuid, roles text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.tenant_id, m.roles FROM auth.membership m
  WHERE m.person_id = _person AND m.status = 'active'
    AND EXISTS (SELECT 1 FROM auth.membership h WHERE h.tenant_id = ts.tenant() AND h.person_id = _person AND h.status = 'active')
  ORDER BY m.created_at, m.id
$$
-- ;;
CREATE FUNCTION auth.members()
RETURNS TABLE (membership_id uuid, person_id uuid, name text, email text, phone text, roles text[], limits jsonb, status text,
               joined_at timestamptz, last_seen_at timestamptz, has_second_factor boolean, key_count integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.id, p.id, p.name, p.email, p.phone, m.roles,
         COALESCE((SELECT jsonb_object_agg(l.permission, trim_scale(l.amount)::text) FROM auth.membership_limit l
                   WHERE l.membership_id = m.id), '{}'::jsonb),
         m.status, m.created_at,
         (SELECT max(s.last_seen_at) FROM auth.session s WHERE s.person_id = p.id AND s.tenant_id = m.tenant_id AND s.state = 'full'),
         EXISTS (SELECT 1 FROM auth.mfa f WHERE f.person_id = p.id AND f.confirmed_at IS NOT NULL),
         (SELECT count(*)::integer FROM auth.api_key k
          WHERE k.tenant_id = m.tenant_id AND k.created_by = p.id AND k.revoked_at IS NULL)
  FROM auth.membership m JOIN auth.person p ON p.id = m.person_id
  WHERE m.tenant_id = ts.tenant() AND m.status = 'active'
  ORDER BY p.name, m.id
$$
-- ;;
CREATE FUNCTION auth.may_hold(_roles text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT NOT EXISTS (SELECT 1 FROM unnest(_roles) AS r WHERE r LIKE 'operator.%')
      OR EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant())
$$
-- ;;
CREATE FUNCTION auth.keeps_admin(_membership uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Whoever changes admins holds all of them, so two admins cannot remove each other at once.
  PERFORM 1 FROM auth.membership m
   WHERE m.tenant_id = ts.tenant() AND m.status = 'active' AND m.roles && ARRAY['admin', 'operator.admin']
   ORDER BY m.id FOR NO KEY UPDATE;
  RETURN EXISTS (SELECT 1 FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.status = 'active'
                 AND m.roles && ARRAY['admin', 'operator.admin'] AND m.id <> _membership);
END $$
-- ;;
CREATE FUNCTION auth.set_roles(_membership uuid, _roles text[]) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT auth.may_hold(_roles) THEN
    RETURN 'operator_only';
  END IF;
  IF NOT _roles && ARRAY['admin', 'operator.admin'] AND NOT auth.keeps_admin(_membership) THEN
    RETURN 'last_admin';
  END IF;
  UPDATE auth.membership SET roles = _roles WHERE id = _membership AND tenant_id = ts.tenant() AND status = 'active';
  RETURN CASE WHEN FOUND THEN 'ok' ELSE 'missing' END;
END $$
-- ;;
CREATE FUNCTION auth.set_limit(_membership uuid, _permission text, _amount numeric) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM 1 FROM auth.membership m WHERE m.id = _membership AND m.tenant_id = ts.tenant() AND m.status = 'active' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'missing';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM auth.permission p WHERE p.code = _permission AND p.limited) THEN
    RETURN 'not_limited';
  END IF;
  IF _amount IS NULL THEN
    DELETE FROM auth.membership_limit WHERE membership_id = _membership AND permission = _permission;
  ELSE
    INSERT INTO auth.membership_limit (membership_id, permission, amount) VALUES (_membership, _permission, _amount)
    ON CONFLICT (membership_id, permission) DO UPDATE SET amount = EXCLUDED.amount;
  END IF;
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION auth.remove_member(_membership uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone uuid;
BEGIN
  IF NOT auth.keeps_admin(_membership) THEN
    RETURN 'last_admin';
  END IF;
  UPDATE auth.membership SET status = 'removed', roles = '{}'
   WHERE id = _membership AND tenant_id = ts.tenant() AND status = 'active' RETURNING person_id INTO gone;
  IF NOT FOUND THEN
    RETURN 'missing';
  END IF;
  DELETE FROM auth.membership_limit WHERE membership_id = _membership;
  UPDATE auth.session SET revoked_at = ts.clock() WHERE person_id = gone AND tenant_id = ts.tenant() AND revoked_at IS NULL;
  UPDATE auth.api_key SET revoked_at = ts.clock() WHERE created_by = gone AND tenant_id = ts.tenant() AND revoked_at IS NULL;
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION auth.invite(_id uuid, _email text, _name text, _roles text[], _token bytea, _by uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF ts.tenant() IS NULL OR NOT auth.may_hold(_roles) THEN
    RETURN 'operator_only';
  END IF;
  IF EXISTS (SELECT 1 FROM auth.membership m JOIN auth.person p ON p.id = m.person_id
             WHERE m.tenant_id = ts.tenant() AND m.status = 'active' AND p.email = _email) THEN
    RETURN 'member';
  END IF;
  -- A newer invitation replaces an open one.
  UPDATE auth.invitation SET closed_at = ts.clock() WHERE tenant_id = ts.tenant() AND email = _email AND closed_at IS NULL;
  INSERT INTO auth.invitation (id, tenant_id, email, name, roles, token_hash, invited_by, expires_at)
  VALUES (_id, ts.tenant(), _email, _name, _roles, _token, _by, ts.clock() + interval '7 days');
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION auth.invitations() RETURNS TABLE (invitation_id uuid, email text, name text, roles text[], created_at timestamptz,
                                                  expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT i.id, i.email, i.name, i.roles, i.created_at, i.expires_at FROM auth.invitation i
  WHERE i.tenant_id = ts.tenant() AND i.closed_at IS NULL AND i.expires_at > ts.clock() ORDER BY i.created_at, i.id
$$
-- ;;
CREATE FUNCTION auth.withdraw_invitation(_id uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH done AS (UPDATE auth.invitation SET closed_at = ts.clock()
                WHERE id = _id AND tenant_id = ts.tenant() AND closed_at IS NULL RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.find_invitation(_token bytea)
RETURNS TABLE (invitation_id uuid, tenant_id uuid, email text, name text, person_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT i.id, i.tenant_id, i.email, i.name, p.id, p.password_hash
  FROM auth.invitation i LEFT JOIN auth.person p ON p.email = i.email
  WHERE i.token_hash = _token AND i.closed_at IS NULL AND i.expires_at > ts.clock()
$$
-- ;;
CREATE FUNCTION auth.accept_invitation(_token bytea, _person uuid, _name text, _password_hash text, _locale text)
RETURNS TABLE (person_id uuid, tenant_id uuid, membership_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  invited record;
  who uuid;
BEGIN
  UPDATE auth.invitation i SET closed_at = ts.clock()
   WHERE i.token_hash = _token AND i.closed_at IS NULL AND i.expires_at > ts.clock()
   RETURNING i.tenant_id, i.email, i.roles INTO invited;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT p.id INTO who FROM auth.person p WHERE p.email = invited.email;
  IF NOT FOUND THEN
    INSERT INTO auth.person (id, name, email, password_hash, locale)
    VALUES (_person, _name, invited.email, _password_hash, _locale) RETURNING id INTO who;
  END IF;
  RETURN QUERY
    INSERT INTO auth.membership AS m (id, tenant_id, person_id, roles) VALUES (gen_random_uuid(), invited.tenant_id, who, invited.roles)
    ON CONFLICT (tenant_id, person_id) DO UPDATE SET roles = EXCLUDED.roles, status = 'active'
    RETURNING m.person_id, m.tenant_id, m.id;
END $$
-- ;;
CREATE FUNCTION auth.add_person(_person uuid, _membership uuid, _name text, _email text, _phone text, _password_hash text,
                                _roles text[], _locale text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF ts.tenant() IS NULL OR NOT auth.may_hold(_roles) THEN
    RETURN 'operator_only';
  END IF;
  INSERT INTO auth.person (id, name, email, phone, password_hash, locale)
  VALUES (_person, _name, _email, _phone, _password_hash, _locale) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'taken';
  END IF;
  INSERT INTO auth.membership (id, tenant_id, person_id, roles) VALUES (_membership, ts.tenant(), _person, _roles);
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION auth.join_person(_membership uuid, _email text, _roles text[]) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO auth.membership (id, tenant_id, person_id, roles)
  SELECT _membership, ts.tenant(), p.id, _roles FROM auth.person p WHERE p.email = _email AND auth.may_hold(_roles)
  RETURNING person_id
$$
-- ;;
CREATE FUNCTION auth.name_operator() RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO auth.operator (tenant_id) SELECT ts.tenant() WHERE ts.tenant() IS NOT NULL ON CONFLICT DO NOTHING;
  SELECT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant())
$$
-- ;;
CREATE FUNCTION auth.is_operator() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant())
$$
-- ;;
CREATE FUNCTION auth.add_reset(_id uuid, _person uuid, _token bytea, _by uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('reset:' || _person::text, 0));
  IF _person = _by THEN
    RETURN 'own';
  END IF;
  IF (SELECT count(*) FROM auth.password_reset r
       WHERE r.person_id = _person AND r.created_at > ts.clock() - interval '1 hour') >= 5 THEN
    RETURN 'too_many';
  END IF;
  UPDATE auth.password_reset SET closed_at = ts.clock() WHERE person_id = _person AND closed_at IS NULL;
  INSERT INTO auth.password_reset (id, person_id, tenant_id, token_hash, made_by, expires_at)
  VALUES (_id, _person, ts.tenant(), _token, _by, ts.clock() + interval '1 day');
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION auth.reset_member(_id uuid, _membership uuid, _token bytea, _by uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  who uuid;
BEGIN
  SELECT m.person_id INTO who FROM auth.membership m JOIN auth.person p ON p.id = m.person_id AND p.status = 'active'
   WHERE m.id = _membership AND m.tenant_id = ts.tenant() AND m.status = 'active';
  IF NOT FOUND THEN
    RETURN 'missing';
  END IF;
  -- One enterprise's administrator gives nobody a way into another enterprise.
  IF EXISTS (SELECT 1 FROM auth.membership m WHERE m.person_id = who AND m.tenant_id <> ts.tenant() AND m.status = 'active') THEN
    RETURN 'elsewhere';
  END IF;
  RETURN auth.add_reset(_id, who, _token, _by);
END $$
-- ;;
CREATE FUNCTION auth.find_person(_login text)
RETURNS TABLE (person_id uuid, name text, email text, phone text, has_second_factor boolean, enterprises integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.id, p.name, p.email, p.phone,
         EXISTS (SELECT 1 FROM auth.mfa f WHERE f.person_id = p.id AND f.confirmed_at IS NOT NULL),
         (SELECT count(*)::integer FROM auth.membership m WHERE m.person_id = p.id AND m.status = 'active')
  FROM auth.person p
  WHERE auth.is_operator() AND p.status = 'active' AND (p.email = _login OR p.phone = _login)
$$
-- ;;
CREATE FUNCTION auth.reset_person(_id uuid, _person uuid, _token bytea, _by uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT auth.is_operator() THEN
    RETURN 'operator_only';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM auth.person p WHERE p.id = _person AND p.status = 'active') THEN
    RETURN 'missing';
  END IF;
  RETURN auth.add_reset(_id, _person, _token, _by);
END $$
-- ;;
CREATE FUNCTION auth.forget_mfa(_person uuid, _by uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT auth.is_operator() THEN
    RETURN 'operator_only';
  END IF;
  IF _person = _by THEN
    RETURN 'own';
  END IF;
  DELETE FROM auth.mfa WHERE person_id = _person;
  IF NOT FOUND THEN
    RETURN 'missing';
  END IF;
  DELETE FROM auth.recovery_code WHERE person_id = _person;
  UPDATE auth.session SET revoked_at = ts.clock() WHERE person_id = _person AND revoked_at IS NULL;
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION auth.find_reset(_token bytea)
RETURNS TABLE (reset_id uuid, person_id uuid, tenant_id uuid, name text, email text, phone text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.id, p.id, r.tenant_id, p.name, p.email, p.phone
  FROM auth.password_reset r JOIN auth.person p ON p.id = r.person_id AND p.status = 'active'
  WHERE r.token_hash = _token AND r.closed_at IS NULL AND r.expires_at > ts.clock()
$$
-- ;;
CREATE FUNCTION auth.use_reset(_token bytea, _password_hash text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  who uuid;
  ended integer;
BEGIN
  UPDATE auth.password_reset SET closed_at = ts.clock()
   WHERE token_hash = _token AND closed_at IS NULL AND expires_at > ts.clock() RETURNING person_id INTO who;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE auth.person SET password_hash = _password_hash, password_set_at = ts.clock() WHERE id = who AND status = 'active';
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE auth.session SET revoked_at = ts.clock() WHERE person_id = who AND revoked_at IS NULL;
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$
-- ;;
CREATE FUNCTION auth.operator_id() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT o.tenant_id FROM auth.operator o
$$
-- ;;
CREATE FUNCTION auth.invite_first(_tenant uuid, _id uuid, _email text, _name text, _token bytea, _by uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT auth.is_operator() OR _tenant = ts.tenant() THEN
    RETURN 'operator_only';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('first:' || _tenant::text, 0));
  -- Who has an administrator invites its own people; the operator opens only a door nobody has come through yet.
  IF EXISTS (SELECT 1 FROM auth.membership m
             WHERE m.tenant_id = _tenant AND m.status = 'active' AND 'admin' = ANY (m.roles)) THEN
    RETURN 'has_admin';
  END IF;
  UPDATE auth.invitation SET closed_at = ts.clock() WHERE tenant_id = _tenant AND closed_at IS NULL;
  INSERT INTO auth.invitation (id, tenant_id, email, name, roles, token_hash, invited_by, expires_at)
  VALUES (_id, _tenant, _email, _name, '{admin}', _token, _by, ts.clock() + interval '7 days');
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION auth.heads(_tenants uuid[])
RETURNS TABLE (tenant_id uuid, members integer, admins integer, invited text, invited_until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.id,
         (SELECT count(*)::integer FROM auth.membership m WHERE m.tenant_id = t.id AND m.status = 'active'),
         (SELECT count(*)::integer FROM auth.membership m
           WHERE m.tenant_id = t.id AND m.status = 'active' AND 'admin' = ANY (m.roles)),
         i.email, i.expires_at
  FROM unnest(_tenants) AS t(id)
  LEFT JOIN LATERAL (SELECT v.email, v.expires_at FROM auth.invitation v
                     WHERE v.tenant_id = t.id AND v.closed_at IS NULL AND v.expires_at > ts.clock() AND 'admin' = ANY (v.roles)
                     ORDER BY v.created_at DESC LIMIT 1) i ON true
  WHERE auth.is_operator()
$$
-- ;;
CREATE FUNCTION auth.permissions() RETURNS TABLE (code text, title text, limited boolean, roles text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.code, p.title, p.limited,
         COALESCE((SELECT array_agg(rp.role ORDER BY rp.role) FROM auth.role_permission rp WHERE rp.permission = p.code), '{}')
  FROM auth.permission p ORDER BY p.code
$$
-- ;;
CREATE FUNCTION auth.create_key(_id uuid, _prefix text, _key bytea, _name text, _scopes text[], _cidrs text[], _expires timestamptz,
                                _by uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH done AS (
    INSERT INTO auth.api_key (id, tenant_id, prefix, key_hash, name, scopes, cidrs, created_by, expires_at)
    SELECT _id, m.tenant_id, _prefix, _key, _name, _scopes, _cidrs::cidr[], m.person_id, _expires
    FROM auth.membership m WHERE m.tenant_id = ts.tenant() AND m.person_id = _by AND m.status = 'active'
    RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.keys() RETURNS TABLE (key_id uuid, prefix text, name text, scopes text[], cidrs text[], created_by uuid,
  maker text, created_at timestamptz, expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.id, k.prefix, k.name, k.scopes, k.cidrs::text[], k.created_by, p.name, k.created_at, k.expires_at, k.last_used_at,
         k.revoked_at
  FROM auth.api_key k JOIN auth.person p ON p.id = k.created_by
  WHERE k.tenant_id = ts.tenant() ORDER BY (k.revoked_at IS NOT NULL), k.created_at DESC, k.id
$$
-- ;;
CREATE FUNCTION auth.revoke_key(_id uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH done AS (UPDATE auth.api_key SET revoked_at = ts.clock()
                WHERE id = _id AND tenant_id = ts.tenant() AND revoked_at IS NULL RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM done)
$$
-- ;;
CREATE FUNCTION auth.sweep() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- Attempts and reset links stay half a year for investigators; dead sessions a month.
  DELETE FROM auth.password_reset WHERE created_at < ts.clock() - interval '180 days';
  DELETE FROM auth.login_attempt WHERE at < ts.clock() - interval '180 days';
  WITH gone AS (DELETE FROM auth.session WHERE created_at < ts.clock() - interval '30 days' RETURNING 1)
  SELECT count(*)::integer FROM gone
$$
-- ;;
DO $$
DECLARE
  made record;
BEGIN
  FOR made IN SELECT p.oid::regprocedure AS signature, p.proname AS name FROM pg_proc p
              JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'auth' LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made.signature);
    IF made.name NOT IN ('grants_of', 'keeps_admin', 'sweep', 'add_reset') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ts_app', made.signature);
    END IF;
    IF made.name IN ('add_person', 'join_person', 'name_operator', 'is_operator', 'may_hold', 'members', 'permissions', 'sweep',
                     'begin_mfa', 'confirm_mfa', 'create_key') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ts_worker', made.signature);
    END IF;
  END LOOP;
END $$
