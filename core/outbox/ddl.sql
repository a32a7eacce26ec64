CREATE OR REPLACE FUNCTION ts.outbox_claim(batch int, lease interval, away text[]) RETURNS SETOF ts.outbox_event
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- An event whose lease ran out is simply claimed again: handlers are effective once by their delivery row.
  -- One that only waits for plugins (`waits_for`) keeps later events of its subject from those plugins, from nobody else;
  -- it comes up again when one of them is no longer `away`, before the later ones that wait for it too.
  UPDATE ts.outbox_event o SET attempt = o.attempt + 1, not_before = clock_timestamp() + lease,
         lease_until = clock_timestamp() + lease,
         waits_for = CASE o.subject WHEN '' THEN '{}' ELSE ARRAY(
           SELECT DISTINCT plugin FROM ts.outbox_event earlier, unnest(earlier.waits_for) AS plugin
           WHERE earlier.tenant_id = o.tenant_id AND earlier.subject = o.subject
             AND earlier.state = 'waiting' AND earlier.id < o.id ORDER BY plugin) END
  FROM (SELECT ready.id FROM (
          SELECT e.id FROM ts.outbox_event e
          WHERE e.state = 'new' AND e.not_before <= clock_timestamp()
            AND NOT EXISTS (SELECT 1 FROM ts.outbox_event earlier
                            WHERE earlier.tenant_id = e.tenant_id AND earlier.subject = e.subject
                              AND earlier.state = 'new' AND earlier.id < e.id)
          ORDER BY e.not_before, e.id FOR UPDATE SKIP LOCKED LIMIT batch) ready
        UNION ALL
        SELECT back.id FROM (
          SELECT e.id FROM ts.outbox_event e
          WHERE e.state = 'waiting' AND e.not_before <= clock_timestamp() AND NOT e.waits_for <@ away
            AND NOT EXISTS (SELECT 1 FROM ts.outbox_event earlier
                            WHERE earlier.tenant_id = e.tenant_id AND earlier.subject = e.subject AND e.subject <> ''
                              AND earlier.id < e.id AND earlier.state = 'waiting' AND earlier.waits_for && e.waits_for)
          ORDER BY e.not_before, e.id FOR UPDATE SKIP LOCKED LIMIT batch) back) due
  WHERE o.id = due.id RETURNING o.*
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.outbox_claim(int, interval, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ts.outbox_claim(int, interval, text[]) TO ts_worker;
