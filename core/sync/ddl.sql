-- The settings hold every plan to the indexes that lead with connection or object: planned by statistics of an emptier hour,
-- a claim would read the whole backlog. A plan that is refused counts as dear, so no plan is compiled for its price either.
-- `settles` are seconds by connector (a connection's own come first): so long after a write left, a look tells the truth.
-- `gone` is how long before the end of a lease the last write that was begun under it has left.
CREATE OR REPLACE FUNCTION ts.sync_claim(
  batch int, lease interval, at_once int, settles jsonb DEFAULT '{}', gone interval DEFAULT '0'
) RETURNS SETOF ts.sync_document
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
  -- One claimer at a time, so that no connection gets more documents in flight than its own
  -- `at_once`, or where it has none than the one given here.
  -- A document whose lease ran out while sending may have arrived: it comes back as unknown, never as new, and once it
  -- must have settled. Of a connection whose circuit was open one document goes first, until one call went well.
  -- Every connection gets its first place before any gets a second one: a long line is nobody's hold-up.
  -- What a claim costs grows with the connections that have something to send, not with how much they have.
DECLARE
  now_at CONSTANT timestamptz := clock_timestamp();  -- one value: a function asked row by row bounds no index
  most_moves CONSTANT int := 100;  -- in one claim; what is left to move is moved by the next
  ids uuid[] := '{}';
  times timestamptz[] := '{}';
  turns int[] := '{}';  -- how many of the same connection go before
  moves int := 0;
  flying int;
  room int;
  behind timestamptz;
  c record;
  d record;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('ts.sync_claim')) THEN
    RETURN;  -- somebody else is at it; whoever asks comes again in a moment
  END IF;
  FOR c IN  -- connections that may send and have something due, the longest waiting first
    WITH RECURSIVE waiting (connection_id, not_before, id) AS (  -- the first document of each, hopping from one to the next
      (SELECT w.connection_id, w.not_before, w.id FROM ts.sync_document w WHERE w.state IN ('new', 'sending', 'unknown')
       ORDER BY w.connection_id, w.not_before, w.id LIMIT 1)
      UNION ALL
      SELECT next.* FROM waiting before, LATERAL (
        SELECT w.connection_id, w.not_before, w.id FROM ts.sync_document w
        WHERE w.state IN ('new', 'sending', 'unknown') AND w.connection_id > before.connection_id
        ORDER BY w.connection_id, w.not_before, w.id LIMIT 1) next
    )
    SELECT open.id, open.most, open.rest, waiting.not_before
    FROM waiting, LATERAL (
      SELECT e.id, CASE WHEN e.open_until IS NULL THEN COALESCE(e.at_once, sync_claim.at_once) ELSE 1 END AS most,
        make_interval(secs => COALESCE(e.settle_seconds, (settles ->> e.connector)::float, 0)) - gone AS rest
      FROM ts.erp_connection e
      WHERE e.id = waiting.connection_id AND (e.state = 'active' OR (e.state = 'paused' AND e.draining_since IS NOT NULL))
        AND (e.open_until IS NULL OR e.open_until <= now_at)
      OFFSET 0
    ) open WHERE waiting.not_before <= now_at ORDER BY waiting.not_before, waiting.id
  LOOP
    -- Whoever comes now has nothing that waited as long as a whole batch of first ones we hold already.
    EXIT WHEN (SELECT count(*) FROM unnest(turns, times) AS held (turn, at) WHERE held.turn = 0 AND held.at <= c.not_before) >= batch;
    SELECT count(*) INTO flying FROM ts.sync_document f
    WHERE f.connection_id = c.id AND f.state IN ('sending', 'unknown') AND f.lease_until > now_at;
    room := LEAST(c.most - flying, batch);
    CONTINUE WHEN room <= 0;
    FOR d IN
      SELECT w.id, w.tenant_id, w.object_id, w.kind, w.version, w.not_before, w.lease_until FROM ts.sync_document w
      WHERE w.connection_id = c.id AND w.state IN ('new', 'sending', 'unknown')
        AND w.not_before <= now_at AND (w.lease_until IS NULL OR w.lease_until <= now_at)
      ORDER BY w.not_before, w.id
    LOOP
      PERFORM FROM ts.sync_document w
      WHERE w.id = d.id AND w.state IN ('new', 'sending', 'unknown') AND w.not_before <= now_at
        AND (w.lease_until IS NULL OR w.lease_until <= now_at) FOR UPDATE SKIP LOCKED;
      CONTINUE WHEN NOT FOUND;
      IF d.lease_until + c.rest > now_at THEN  -- whoever had it may have sent it at the last moment
        EXIT WHEN moves = most_moves;
        UPDATE ts.sync_document w
        SET state = 'unknown', lease_until = NULL, not_before = d.lease_until + c.rest, changed_at = now_at WHERE w.id = d.id;
        moves := moves + 1;
        CONTINUE;
      END IF;
      -- Only the object may lead to an index here; the rest is compared so that it cannot.
      SELECT max(e.not_before) INTO behind FROM ts.sync_document e
      WHERE e.object_id = d.object_id AND e.connection_id IS NOT DISTINCT FROM c.id
        AND e.tenant_id IS NOT DISTINCT FROM d.tenant_id AND e.kind = d.kind
        AND e.state IN ('new', 'sending', 'unknown') AND (e.version, e.id) < (d.version, d.id);
      IF behind IS NULL THEN
        ids := ids || d.id;
        times := times || d.not_before;
        turns := turns || flying;
        flying := flying + 1;
        room := room - 1;
        EXIT WHEN room = 0;
      ELSIF behind >= d.not_before THEN
        -- It cannot go before the older version does, so it waits behind that one and not at the head of the line,
        -- where every claim would have to pass it.
        EXIT WHEN moves = most_moves;
        UPDATE ts.sync_document w SET not_before = behind + interval '1 microsecond' WHERE w.id = d.id;
        moves := moves + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN QUERY
  UPDATE ts.sync_document w
  SET state = CASE WHEN w.state = 'new' THEN 'sending' ELSE 'unknown' END,
      attempt = w.attempt + 1, lease_until = clock_timestamp() + lease, changed_at = clock_timestamp()
  WHERE w.id = ANY (ARRAY(SELECT held.id FROM unnest(ids, times, turns) AS held (id, at, turn) ORDER BY held.turn, held.at, held.id LIMIT batch))
  RETURNING w.*;
END $$;
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim(int, interval, int, jsonb, interval) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim(int, interval, int, jsonb, interval) TO ts_worker;
-- ;;
CREATE OR REPLACE FUNCTION ts.sync_claim_stream(lease interval) RETURNS SETOF ts.sync_stream
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH due AS MATERIALIZED (  -- else a plan may ask it once for each row, and LIMIT 1 would mean one each time
        SELECT t.id FROM ts.sync_stream t JOIN ts.erp_connection c ON c.id = t.connection_id
        WHERE (t.enabled OR t.wanted_by <> '') AND t.next_at <= statement_timestamp()  -- one value, which an index can be asked for
          AND (t.lease_until IS NULL OR t.lease_until <= clock_timestamp())
          AND (c.state = 'active' OR t.key = 'check')
          AND (c.open_until IS NULL OR c.open_until <= clock_timestamp() OR t.key = 'check')
          -- A price of a product that is not there yet is left out, and comes again only when it changes: what the others refer
          -- to is read first, where it was never read to its end.
          AND (t.key IN ('check', 'units', 'partners', 'products') OR NOT EXISTS (
            SELECT FROM ts.sync_stream b WHERE b.tenant_id = t.tenant_id AND b.connection_id = t.connection_id
              AND b.key IN ('units', 'partners', 'products') AND b.cursor IS NULL
              AND (b.enabled OR b.wanted_by <> '') AND b.next_at <= statement_timestamp()))
        ORDER BY t.next_at LIMIT 1 FOR UPDATE OF t SKIP LOCKED)
  UPDATE ts.sync_stream s SET attempt = s.attempt + 1, lease_until = clock_timestamp() + lease
  FROM due WHERE s.id = due.id RETURNING s.*
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim_stream(interval) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim_stream(interval) TO ts_worker;
-- ;;
-- What arises, or is taken up again, while a connection is drained waits at a day that does not come; resuming calls it back.
CREATE OR REPLACE FUNCTION ts.sync_park() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  since timestamptz;
BEGIN
  -- The lock waits for a drain that is not committed yet, and then reads what it wrote.
  SELECT c.draining_since INTO since FROM ts.erp_connection c WHERE c.id = NEW.connection_id FOR KEY SHARE;
  IF since IS NOT NULL THEN
    NEW.not_before := '9000-01-01 00:00+00';
  END IF;
  RETURN NEW;
END $$;
-- ;;
CREATE TRIGGER sync_park BEFORE INSERT ON ts.sync_document FOR EACH ROW WHEN (NEW.state = 'new') EXECUTE FUNCTION ts.sync_park();
-- ;;
CREATE TRIGGER sync_park_again BEFORE UPDATE OF state ON ts.sync_document FOR EACH ROW
WHEN (NEW.state = 'new' AND OLD.state NOT IN ('new', 'sending', 'unknown')) EXECUTE FUNCTION ts.sync_park();
