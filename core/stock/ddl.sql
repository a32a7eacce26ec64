-- Promises on stock. Every function works for the tenant of the transaction, with the caller's rights and policies, and takes
-- its row locks in one order (product, warehouse), so that two orders with common goods never wait for each other in a ring.
-- Each locks first and looks after: under READ COMMITTED the statement after a lock sees what the other order left.
-- `until <= (SELECT ts.clock())` reads the clock once, so that an index finds what ran out; bare, it would be read row by row.
CREATE OR REPLACE FUNCTION ts.uuid7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_byte(b, 6, (get_byte(b, 6) & 15) | 112), 'hex')::uuid
  FROM (SELECT overlay(uuid_send(gen_random_uuid()) PLACING
               substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6) AS b) r
$$
-- ;;
REVOKE ALL ON FUNCTION ts.uuid7() FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.uuid7() TO ts_app, ts_worker
-- ;;
CREATE OR REPLACE FUNCTION ts.lock_levels(p_products uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM ts.stock_level l WHERE l.tenant_id = (SELECT ts.tenant()) AND l.product_id = ANY(p_products)
  ORDER BY l.product_id, l.warehouse_id FOR UPDATE;
END $$
-- ;;
-- Close reservations and give back what they held. The levels must be locked already.
CREATE OR REPLACE FUNCTION ts.close_reservations(p_ids uuid[], p_outcome text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  closed int;
BEGIN
  WITH gone AS (
    UPDATE ts.reservation r SET closed_at = ts.clock(), outcome = p_outcome
    WHERE r.tenant_id = (SELECT ts.tenant()) AND r.id = ANY(p_ids) AND r.closed_at IS NULL
    RETURNING r.product_id, r.warehouse_id, r.lot_id, r.qty, r.kind),
  freed AS (
    UPDATE ts.stock_level l SET hard = l.hard - g.hard, soft = l.soft - g.soft
    FROM (SELECT product_id, warehouse_id, coalesce(sum(qty) FILTER (WHERE kind = 'hard'), 0) AS hard,
                 coalesce(sum(qty) FILTER (WHERE kind = 'soft'), 0) AS soft
          FROM gone GROUP BY product_id, warehouse_id) g
    WHERE l.tenant_id = (SELECT ts.tenant()) AND l.product_id = g.product_id AND l.warehouse_id = g.warehouse_id),
  unheld AS (
    UPDATE ts.lot t SET held = t.held - g.qty
    FROM (SELECT lot_id, sum(qty) AS qty FROM gone WHERE lot_id IS NOT NULL GROUP BY lot_id) g
    WHERE t.tenant_id = (SELECT ts.tenant()) AND t.id = g.lot_id)
  SELECT count(*) INTO closed FROM gone;
  RETURN closed;
END $$
-- ;;
-- Reserve all lines of an order or none. p_lines: [{line, sku, qty, heat}]. One row per line that is short, with what is
-- free of it; no row means that everything is held.
CREATE OR REPLACE FUNCTION ts.reserve(p_order uuid, p_lines jsonb, p_until timestamptz)
RETURNS TABLE (line_id uuid, product_id uuid, wanted numeric, free numeric, heat_no text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  me CONSTANT uuid := ts.tenant();
  kind CONSTANT text := CASE WHEN p_until IS NULL THEN 'hard' ELSE 'soft' END;
  products uuid[];
  stale uuid[];
  each record;
  place record;
  rest numeric;
  take numeric;
  short boolean := false;
BEGIN
  SELECT array_agg(DISTINCT w.sku) INTO products FROM jsonb_to_recordset(p_lines) AS w(sku uuid);
  PERFORM ts.lock_levels(products);
  SELECT array_agg(r.id) INTO stale FROM ts.reservation r
  WHERE r.tenant_id = me AND r.product_id = ANY(products) AND r.closed_at IS NULL AND r.kind = 'soft'
    AND r.until <= (SELECT ts.clock());
  IF stale IS NOT NULL THEN
    PERFORM ts.close_reservations(stale, 'expired');
  END IF;
  UPDATE ts.reservation r SET outcome = 'renewed'  -- a new promise for a line replaces one that ran out
  WHERE r.tenant_id = me AND r.order_id = p_order AND r.outcome = 'expired'
    AND r.line_id IN (SELECT w.line FROM jsonb_to_recordset(p_lines) AS w(line uuid));

  FOR each IN  -- first look at all lines together, so that a short one leaves nothing behind
    SELECT w.sku, coalesce(w.heat, '') AS heat, sum(w.qty) AS qty, sum(sum(w.qty)) OVER (PARTITION BY w.sku) AS whole,
           (array_agg(w.line))[1] AS line
    FROM jsonb_to_recordset(p_lines) AS w(line uuid, sku uuid, qty numeric, heat text) GROUP BY w.sku, coalesce(w.heat, '')
  LOOP
    SELECT coalesce(sum(l.on_hand - l.hard - l.soft), 0) INTO rest FROM ts.stock_level l
    WHERE l.tenant_id = me AND l.product_id = each.sku;
    IF rest >= each.whole AND each.heat <> '' THEN
      SELECT coalesce(sum(least(heat.free, l.on_hand - l.hard - l.soft)), 0) INTO rest
      FROM ts.stock_level l
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(t.on_hand - t.held), 0) AS free FROM ts.lot t
        WHERE t.tenant_id = me AND t.product_id = l.product_id AND t.warehouse_id = l.warehouse_id AND t.heat_no = each.heat) heat
      WHERE l.tenant_id = me AND l.product_id = each.sku;
      IF rest < each.qty THEN
        short := true;
        RETURN QUERY SELECT each.line, each.sku, each.qty, rest, each.heat;
      END IF;
    ELSIF rest < each.whole THEN
      short := true;
      RETURN QUERY SELECT each.line, each.sku, each.whole, rest, each.heat;
    END IF;
  END LOOP;
  IF short THEN RETURN; END IF;

  FOR each IN  -- named heats first: the others take what these leave
    SELECT w.line, w.sku, w.qty, coalesce(w.heat, '') AS heat
    FROM jsonb_to_recordset(p_lines) AS w(line uuid, sku uuid, qty numeric, heat text)
    ORDER BY coalesce(w.heat, '') = '', w.sku, w.line
  LOOP
    rest := each.qty;
    FOR place IN
      SELECT l.warehouse_id, t.id AS lot_id,
             least(l.on_hand - l.hard - l.soft, coalesce(t.on_hand - t.held, l.on_hand)) AS free
      FROM ts.stock_level l
      JOIN ts.warehouse h ON h.tenant_id = l.tenant_id AND h.id = l.warehouse_id
      LEFT JOIN ts.lot t ON each.heat <> '' AND t.tenant_id = me AND t.product_id = each.sku
        AND t.warehouse_id = l.warehouse_id AND t.heat_no = each.heat
      WHERE l.tenant_id = me AND l.product_id = each.sku AND l.on_hand > l.hard + l.soft
        AND (each.heat = '' OR t.on_hand > t.held)
      ORDER BY (l.on_hand - l.hard - l.soft >= each.qty) DESC, h.rank, h.id, t.expires_on NULLS LAST, t.id
    LOOP
      EXIT WHEN rest <= 0;
      take := least(rest, place.free, (  -- an earlier lot of this warehouse may have taken from the same level
        SELECT l.on_hand - l.hard - l.soft FROM ts.stock_level l
        WHERE place.lot_id IS NOT NULL AND l.tenant_id = me AND l.product_id = each.sku AND l.warehouse_id = place.warehouse_id));
      CONTINUE WHEN take <= 0;
      UPDATE ts.stock_level l SET hard = l.hard + CASE kind WHEN 'hard' THEN take ELSE 0 END,
                                  soft = l.soft + CASE kind WHEN 'soft' THEN take ELSE 0 END
      WHERE l.tenant_id = me AND l.product_id = each.sku AND l.warehouse_id = place.warehouse_id
        AND l.on_hand - l.hard - l.soft >= take;
      CONTINUE WHEN NOT FOUND;
      IF place.lot_id IS NOT NULL THEN
        UPDATE ts.lot t SET held = t.held + take WHERE t.tenant_id = me AND t.id = place.lot_id;
      END IF;
      INSERT INTO ts.reservation (tenant_id, id, order_id, line_id, product_id, warehouse_id, lot_id, qty, kind, until)
      VALUES (me, ts.uuid7(), p_order, each.line, each.sku, place.warehouse_id, place.lot_id, take, kind, p_until);
      rest := rest - take;
    END LOOP;
    IF rest > 0 THEN  -- two lots of one warehouse shared its last free goods; the checks above saw them twice
      RAISE EXCEPTION 'stock of % fell short while it was being reserved', each.sku USING ERRCODE = 'serialization_failure';
    END IF;
  END LOOP;
END $$
-- ;;
-- Make an order's soft reservations hard. What has expired meanwhile is reserved anew if it is still there; rows are what
-- is short, as in ts.reserve.
CREATE OR REPLACE FUNCTION ts.harden(p_order uuid)
RETURNS TABLE (line_id uuid, product_id uuid, wanted numeric, free numeric, heat_no text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  me CONSTANT uuid := ts.tenant();
  products uuid[];
  stale uuid[];
  again jsonb;
BEGIN
  SELECT array_agg(DISTINCT r.product_id) INTO products FROM ts.reservation r WHERE r.tenant_id = me AND r.order_id = p_order;
  IF products IS NULL THEN RETURN; END IF;
  PERFORM ts.lock_levels(products);
  SELECT array_agg(r.id) INTO stale FROM ts.reservation r
  WHERE r.tenant_id = me AND r.order_id = p_order AND r.closed_at IS NULL AND r.kind = 'soft' AND r.until <= (SELECT ts.clock());
  IF stale IS NOT NULL THEN
    PERFORM ts.close_reservations(stale, 'expired');
  END IF;
  WITH lost AS (  -- renewed below: a second try must not find them again
    UPDATE ts.reservation r SET outcome = 'renewed'
    WHERE r.tenant_id = me AND r.order_id = p_order AND r.outcome = 'expired' RETURNING r.*)
  SELECT jsonb_agg(jsonb_build_object('line', l.line_id, 'sku', l.product_id, 'qty', l.qty, 'heat', t.heat_no)) INTO again
  FROM lost l LEFT JOIN ts.lot t ON t.tenant_id = l.tenant_id AND t.id = l.lot_id;
  IF again IS NOT NULL THEN
    RETURN QUERY SELECT * FROM ts.reserve(p_order, again, NULL);
  END IF;
  WITH firm AS (
    UPDATE ts.reservation r SET kind = 'hard', until = NULL
    WHERE r.tenant_id = me AND r.order_id = p_order AND r.closed_at IS NULL AND r.kind = 'soft'
    RETURNING r.product_id, r.warehouse_id, r.qty)
  UPDATE ts.stock_level l SET soft = l.soft - f.qty, hard = l.hard + f.qty
  FROM (SELECT product_id, warehouse_id, sum(qty) AS qty FROM firm GROUP BY product_id, warehouse_id) f
  WHERE l.tenant_id = me AND l.product_id = f.product_id AND l.warehouse_id = f.warehouse_id;
END $$
-- ;;
-- Give back what an order (or one line of it) still holds; answers how many reservations were open.
CREATE OR REPLACE FUNCTION ts.release(p_order uuid, p_line uuid) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  me CONSTANT uuid := ts.tenant();
  products uuid[];
  held uuid[];
BEGIN
  UPDATE ts.reservation r SET outcome = 'released'  -- what ran out must not be taken up again either
  WHERE r.tenant_id = me AND r.order_id = p_order AND (p_line IS NULL OR r.line_id = p_line) AND r.outcome = 'expired';
  SELECT array_agg(DISTINCT r.product_id), array_agg(r.id) INTO products, held FROM ts.reservation r
  WHERE r.tenant_id = me AND r.order_id = p_order AND (p_line IS NULL OR r.line_id = p_line) AND r.closed_at IS NULL;
  IF held IS NULL THEN RETURN 0; END IF;
  PERFORM ts.lock_levels(products);
  RETURN ts.close_reservations(held, 'released');
END $$
-- ;;
-- Send goods of order lines out. p_lines: [{line, sku, qty, heat}]. Each line first uses up what it holds, then free goods;
-- lots that expire first go first, then the oldest. Rows: the picks (short false), or, with nothing changed, what is short.
CREATE OR REPLACE FUNCTION ts.pick_lots(p_order uuid, p_line uuid, p_product uuid, p_warehouse uuid, p_lot uuid, p_heat text,
                                        p_qty numeric, p_by text)
RETURNS TABLE (lot_id uuid, lot_no text, heat_no text, qty numeric) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  me CONSTANT uuid := ts.tenant();
  pick record;
  rest numeric := p_qty;
  take numeric;
BEGIN
  FOR pick IN
    SELECT t.id, t.lot_no, t.heat_no, CASE WHEN t.id = p_lot THEN t.held ELSE t.on_hand - t.held END AS free FROM ts.lot t
    WHERE t.tenant_id = me AND t.product_id = p_product AND t.warehouse_id = p_warehouse
      AND CASE WHEN p_lot IS NOT NULL THEN t.id = p_lot ELSE t.on_hand > t.held AND (p_heat = '' OR t.heat_no = p_heat) END
    ORDER BY t.expires_on NULLS LAST, t.received_at, t.id FOR UPDATE
  LOOP
    EXIT WHEN rest <= 0;
    take := least(rest, pick.free);
    CONTINUE WHEN take <= 0;
    rest := rest - take;
    UPDATE ts.lot t SET on_hand = t.on_hand - take, held = t.held - CASE WHEN p_lot IS NULL THEN 0 ELSE take END
    WHERE t.tenant_id = me AND t.id = pick.id;
    INSERT INTO ts.stock_move (tenant_id, id, product_id, warehouse_id, lot_id, kind, qty, reason, order_id, line_id, by)
    VALUES (me, ts.uuid7(), p_product, p_warehouse, pick.id, 'shipment', -take, '', p_order, p_line, p_by);
    RETURN QUERY SELECT pick.id, pick.lot_no, pick.heat_no, take;
  END LOOP;
  IF rest > 0 THEN
    RAISE EXCEPTION 'lots of % ran out while they were picked', p_product USING ERRCODE = 'serialization_failure';
  END IF;
END $$
-- ;;
CREATE OR REPLACE FUNCTION ts.ship(p_order uuid, p_lines jsonb, p_by text)
RETURNS TABLE (line_id uuid, product_id uuid, warehouse_id uuid, lot_id uuid, lot_no text, heat_no text, qty numeric,
               short boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  me CONSTANT uuid := ts.tenant();
  each record;
  hold record;
  place record;
  rest numeric;
  take numeric;
  lacking boolean := false;
BEGIN
  PERFORM ts.lock_levels((SELECT array_agg(DISTINCT w.sku) FROM jsonb_to_recordset(p_lines) AS w(sku uuid)));
  FOR each IN  -- look first: goods beyond a line's own holds must be free, and of the heat it names
    SELECT w.sku, coalesce(w.heat, '') AS heat, sum(greatest(0, w.qty - held.qty)) AS qty, (array_agg(w.line))[1] AS line
    FROM jsonb_to_recordset(p_lines) AS w(line uuid, sku uuid, qty numeric, heat text)
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(r.qty), 0) AS qty FROM ts.reservation r LEFT JOIN ts.lot t ON t.tenant_id = me AND t.id = r.lot_id
      WHERE r.tenant_id = me AND r.order_id = p_order AND r.line_id = w.line AND r.product_id = w.sku
        AND r.closed_at IS NULL AND r.kind = 'hard' AND (coalesce(w.heat, '') = '' OR t.heat_no = w.heat)) held
    GROUP BY w.sku, coalesce(w.heat, '')
  LOOP
    CONTINUE WHEN each.qty = 0;
    SELECT coalesce(sum(CASE WHEN each.heat = '' THEN l.on_hand - l.hard - l.soft ELSE heat.free END), 0) INTO rest
    FROM ts.stock_level l
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(t.on_hand - t.held), 0) AS free FROM ts.lot t
      WHERE t.tenant_id = me AND t.product_id = l.product_id AND t.warehouse_id = l.warehouse_id AND t.heat_no = each.heat) heat
    WHERE l.tenant_id = me AND l.product_id = each.sku;
    IF rest < each.qty THEN
      lacking := true;
      RETURN QUERY SELECT each.line, each.sku, NULL::uuid, NULL::uuid, NULL::text, each.heat, rest, true;
    END IF;
  END LOOP;
  IF lacking THEN RETURN; END IF;

  FOR each IN
    SELECT w.line, w.sku, w.qty, coalesce(w.heat, '') AS heat
    FROM jsonb_to_recordset(p_lines) AS w(line uuid, sku uuid, qty numeric, heat text) ORDER BY w.sku, w.line
  LOOP
    rest := each.qty;
    FOR hold IN
      SELECT r.id, r.qty, r.lot_id, r.warehouse_id FROM ts.reservation r
      WHERE r.tenant_id = me AND r.order_id = p_order AND r.line_id = each.line AND r.product_id = each.sku
        AND r.closed_at IS NULL AND r.kind = 'hard'
      ORDER BY r.lot_id NULLS LAST, r.id
    LOOP
      EXIT WHEN rest <= 0;
      take := least(rest, hold.qty);
      rest := rest - take;
      UPDATE ts.reservation r SET qty = r.qty - take, closed_at = CASE WHEN r.qty = take THEN ts.clock() END,
                                  outcome = CASE WHEN r.qty = take THEN 'shipped' END
      WHERE r.tenant_id = me AND r.id = hold.id;
      UPDATE ts.stock_level l SET hard = l.hard - take, on_hand = l.on_hand - take
      WHERE l.tenant_id = me AND l.product_id = each.sku AND l.warehouse_id = hold.warehouse_id;
      RETURN QUERY SELECT each.line, each.sku, hold.warehouse_id, p.lot_id, p.lot_no, p.heat_no, p.qty, false
      FROM ts.pick_lots(p_order, each.line, each.sku, hold.warehouse_id, hold.lot_id, each.heat, take, p_by) p;
    END LOOP;
    FOR place IN
      SELECT l.warehouse_id, CASE WHEN each.heat = '' THEN l.on_hand - l.hard - l.soft
                                  ELSE least(l.on_hand - l.hard - l.soft, heat.free) END AS free
      FROM ts.stock_level l
      JOIN ts.warehouse h ON h.tenant_id = l.tenant_id AND h.id = l.warehouse_id
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(t.on_hand - t.held), 0) AS free FROM ts.lot t
        WHERE t.tenant_id = me AND t.product_id = l.product_id AND t.warehouse_id = l.warehouse_id AND t.heat_no = each.heat) heat
      WHERE rest > 0 AND l.tenant_id = me AND l.product_id = each.sku ORDER BY h.rank, h.id
    LOOP
      EXIT WHEN rest <= 0;
      take := least(rest, place.free);
      CONTINUE WHEN take <= 0;
      rest := rest - take;
      UPDATE ts.stock_level l SET on_hand = l.on_hand - take
      WHERE l.tenant_id = me AND l.product_id = each.sku AND l.warehouse_id = place.warehouse_id;
      RETURN QUERY SELECT each.line, each.sku, place.warehouse_id, p.lot_id, p.lot_no, p.heat_no, p.qty, false
      FROM ts.pick_lots(p_order, each.line, each.sku, place.warehouse_id, NULL, each.heat, take, p_by) p;
    END LOOP;
    IF rest > 0 THEN
      RAISE EXCEPTION 'stock of % fell short while it was shipped', each.sku USING ERRCODE = 'serialization_failure';
    END IF;
  END LOOP;
END $$
-- ;;
-- Bring goods in, take them out or set what was counted, many rows at once. p_rows: [{sku, warehouse, lot, heat, expires,
-- qty}]; with p_kind `count` qty is what lies there now, else the change. Rows: what could not be done, with what is free.
CREATE OR REPLACE FUNCTION ts.move_stock(p_rows jsonb, p_kind text, p_reason text, p_by text)
RETURNS TABLE (product_id uuid, warehouse_id uuid, change numeric, free numeric)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  me CONSTANT uuid := ts.tenant();
  each record;
  spot record;
  step numeric;
  take numeric;
  delta numeric;
BEGIN
  INSERT INTO ts.stock_level (tenant_id, product_id, warehouse_id, on_hand, hard, soft)
  SELECT DISTINCT me, w.sku, w.warehouse, 0, 0, 0 FROM jsonb_to_recordset(p_rows) AS w(sku uuid, warehouse uuid)
  ORDER BY w.sku, w.warehouse ON CONFLICT DO NOTHING;
  PERFORM ts.lock_levels((SELECT array_agg(DISTINCT w.sku) FROM jsonb_to_recordset(p_rows) AS w(sku uuid)));
  FOR each IN
    SELECT w.sku, w.warehouse, coalesce(w.lot, '') AS lot, coalesce(w.heat, '') AS heat, w.expires, w.qty, w.lot IS NULL AS any_lot
    FROM jsonb_to_recordset(p_rows) AS w(sku uuid, warehouse uuid, lot text, heat text, expires date, qty numeric)
    ORDER BY w.sku, w.warehouse, w.lot
  LOOP
    SELECT l.on_hand, l.on_hand - l.hard - l.soft AS free INTO spot FROM ts.stock_level l
    WHERE l.tenant_id = me AND l.product_id = each.sku AND l.warehouse_id = each.warehouse;
    delta := CASE p_kind WHEN 'count' THEN each.qty - spot.on_hand ELSE each.qty END;
    CONTINUE WHEN delta = 0;
    IF delta > 0 THEN
      INSERT INTO ts.lot AS t (tenant_id, id, product_id, warehouse_id, lot_no, heat_no, expires_on, on_hand, held)
      VALUES (me, ts.uuid7(), each.sku, each.warehouse, each.lot, each.heat, each.expires, delta, 0)
      ON CONFLICT (tenant_id, product_id, warehouse_id, lot_no) DO UPDATE SET on_hand = t.on_hand + excluded.on_hand,
        heat_no = CASE WHEN t.heat_no = '' THEN excluded.heat_no ELSE t.heat_no END,
        expires_on = coalesce(t.expires_on, excluded.expires_on)
      RETURNING t.id INTO spot;
      INSERT INTO ts.stock_move (tenant_id, id, product_id, warehouse_id, lot_id, kind, qty, reason, by)
      VALUES (me, ts.uuid7(), each.sku, each.warehouse, spot.id, p_kind, delta, p_reason, p_by);
    ELSE
      SELECT least(spot.free, coalesce(sum(t.on_hand - t.held), 0)) INTO take FROM ts.lot t
      WHERE t.tenant_id = me AND t.product_id = each.sku AND t.warehouse_id = each.warehouse
        AND (each.any_lot OR t.lot_no = each.lot);
      IF take < -delta THEN
        RETURN QUERY SELECT each.sku, each.warehouse, delta, take;
        CONTINUE;
      END IF;
      step := -delta;
      FOR spot IN
        SELECT t.id, t.on_hand - t.held AS free FROM ts.lot t
        WHERE t.tenant_id = me AND t.product_id = each.sku AND t.warehouse_id = each.warehouse AND t.on_hand > t.held
          AND (each.any_lot OR t.lot_no = each.lot)
        ORDER BY t.expires_on NULLS LAST, t.received_at, t.id FOR UPDATE
      LOOP
        EXIT WHEN step <= 0;
        take := least(step, spot.free);
        step := step - take;
        UPDATE ts.lot t SET on_hand = t.on_hand - take WHERE t.tenant_id = me AND t.id = spot.id;
        INSERT INTO ts.stock_move (tenant_id, id, product_id, warehouse_id, lot_id, kind, qty, reason, by)
        VALUES (me, ts.uuid7(), each.sku, each.warehouse, spot.id, p_kind, -take, p_reason, p_by);
      END LOOP;
    END IF;
    UPDATE ts.stock_level l SET on_hand = l.on_hand + delta
    WHERE l.tenant_id = me AND l.product_id = each.sku AND l.warehouse_id = each.warehouse;
  END LOOP;
END $$
-- ;;
-- The worker's duty across all tenants: soft reservations past their time give their goods back.
CREATE OR REPLACE FUNCTION ts.expire_soft(p_most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  due record;
  expired int := 0;
  freed numeric;
BEGIN
  FOR due IN
    SELECT DISTINCT d.tenant_id, d.product_id, d.warehouse_id FROM (
      SELECT r.tenant_id, r.product_id, r.warehouse_id FROM ts.reservation r
      WHERE r.closed_at IS NULL AND r.kind = 'soft' AND r.until <= (SELECT ts.clock()) ORDER BY r.until LIMIT p_most) d
    ORDER BY 1, 2, 3
  LOOP
    PERFORM 1 FROM ts.stock_level l
    WHERE l.tenant_id = due.tenant_id AND l.product_id = due.product_id AND l.warehouse_id = due.warehouse_id FOR UPDATE;
    WITH gone AS (
      UPDATE ts.reservation r SET closed_at = ts.clock(), outcome = 'expired'
      WHERE r.tenant_id = due.tenant_id AND r.product_id = due.product_id AND r.warehouse_id = due.warehouse_id
        AND r.closed_at IS NULL AND r.kind = 'soft' AND r.until <= (SELECT ts.clock())
      RETURNING r.lot_id, r.qty),
    unheld AS (
      UPDATE ts.lot t SET held = t.held - g.qty
      FROM (SELECT lot_id, sum(qty) AS qty FROM gone WHERE lot_id IS NOT NULL GROUP BY lot_id) g
      WHERE t.tenant_id = due.tenant_id AND t.id = g.lot_id)
    SELECT coalesce(sum(qty), 0), expired + count(*) INTO freed, expired FROM gone;
    UPDATE ts.stock_level l SET soft = l.soft - freed
    WHERE l.tenant_id = due.tenant_id AND l.product_id = due.product_id AND l.warehouse_id = due.warehouse_id;
  END LOOP;
  RETURN expired;
END $$
-- ;;
-- What any enterprise may know of anybody's stock: how much of a listed product is not promised.
CREATE OR REPLACE FUNCTION ts.on_offer(p_skus uuid[]) RETURNS TABLE (sku_id uuid, free numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.id, greatest(0, coalesce((
    SELECT sum(l.on_hand - l.hard - l.soft) FROM ts.stock_level l WHERE l.tenant_id = t.tenant_id AND l.product_id = t.id), 0)
    + coalesce((
    SELECT sum(r.qty) FROM ts.reservation r WHERE r.tenant_id = t.tenant_id AND r.product_id = t.id
      AND r.closed_at IS NULL AND r.kind = 'soft' AND r.until <= (SELECT ts.clock())), 0))
  FROM ts.listing t WHERE t.id = ANY(p_skus) AND t.status = 'listed' AND ts.tenant() IS NOT NULL
$$
-- ;;
REVOKE ALL ON FUNCTION ts.on_offer(uuid[]) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.on_offer(uuid[]) TO ts_app, ts_worker, ts_plugin
-- ;;
REVOKE ALL ON FUNCTION ts.lock_levels(uuid[]), ts.close_reservations(uuid[], text), ts.reserve(uuid, jsonb, timestamptz),
  ts.harden(uuid), ts.release(uuid, uuid), ts.pick_lots(uuid, uuid, uuid, uuid, uuid, text, numeric, text),
  ts.ship(uuid, jsonb, text), ts.move_stock(jsonb, text, text, text),
  ts.expire_soft(int) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.lock_levels(uuid[]), ts.close_reservations(uuid[], text), ts.reserve(uuid, jsonb, timestamptz),
  ts.harden(uuid), ts.release(uuid, uuid), ts.pick_lots(uuid, uuid, uuid, uuid, uuid, text, numeric, text),
  ts.ship(uuid, jsonb, text), ts.move_stock(jsonb, text, text, text)
  TO ts_app, ts_worker
-- ;;
GRANT EXECUTE ON FUNCTION ts.expire_soft(int) TO ts_worker
