CREATE OR REPLACE FUNCTION ts.outbox_claim(batch int, lease interval) RETURNS SETOF ts.outbox_event
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- an event whose lease ran out is simply claimed again: handlers are effective once by their delivery row
  UPDATE ts.outbox_event o SET attempt = o.attempt + 1, not_before = clock_timestamp() + lease,
         lease_until = clock_timestamp() + lease
  FROM (SELECT e.id FROM ts.outbox_event e
        WHERE e.state = 'new' AND e.not_before <= clock_timestamp()
          AND NOT EXISTS (SELECT 1 FROM ts.outbox_event earlier
                          WHERE earlier.tenant_id = e.tenant_id AND earlier.subject = e.subject
                            AND earlier.state = 'new' AND earlier.id < e.id)
        ORDER BY e.not_before, e.id FOR UPDATE SKIP LOCKED LIMIT batch) due
  WHERE o.id = due.id RETURNING o.*
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.outbox_claim(int, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ts.outbox_claim(int, interval) TO ts_worker;
