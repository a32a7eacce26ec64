-- Prices for one buyer, for all lines at once. The caller is the seller, or the buyer itself: nobody learns what a third
-- enterprise pays. Levels in order: contract, tenant, group, public, base; the first level with a hit wins, there the row
-- with the largest min_qty reached, then the latest list, then the lowest price, then the id.
-- `climb` is the graduated amount: a ladder that starts at 1 counts pieces (the 10th piece is the first of tier 10), one
-- that starts at 0 measures. A line without a quantity asks for the smallest one that has a price. The LIMIT
-- inside each LATERAL keeps one generic plan on the indexes, however many lines.
CREATE OR REPLACE FUNCTION ts.quote(p_buyer uuid, p_currency text, p_lines jsonb)
RETURNS TABLE (line_no int, sku_id uuid, seller_id uuid, code text, name_zh text, name_en text, spec text, base_uom text,
               tax_class text, weight_kg numeric, status text, factor numeric, base_qty numeric, level text, row_id uuid,
               ladder text, tax_incl boolean, tier_price numeric, unit_price numeric, amount numeric, cheaper boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  me CONSTANT uuid := ts.tenant();
  moment CONSTANT timestamptz := ts.clock();
BEGIN
  RETURN QUERY
  SELECT w.no, p.id, p.tenant_id, p.code, p.name_zh, p.name_en, p.spec, p.base_uom, p.tax_class, p.weight_kg, p.status,
         f.factor, f.qty, price.level, price.row_id, price.ladder, price.tax_incl,
         price.first_price, price.unit_price, price.amount, price.later < price.unit_price
  FROM jsonb_to_recordset(p_lines) AS w(no int, sku uuid, qty numeric, uom text, fixed jsonb)
  JOIN LATERAL (
    SELECT * FROM ts.product x
    WHERE x.id = w.sku AND (x.tenant_id = me OR (p_buyer = me AND x.status = 'active')) LIMIT 1
  ) p ON true
  LEFT JOIN LATERAL (
    SELECT c.factor FROM ts.uom_conversion c
    WHERE c.tenant_id = p.tenant_id AND c.product_id = p.id AND c.uom = w.uom LIMIT 1
  ) own ON w.uom <> p.base_uom
  LEFT JOIN LATERAL (
    SELECT r.price_group FROM ts.partner_relation r
    WHERE r.tenant_id = p.tenant_id AND r.partner_id = p_buyer LIMIT 1
  ) partner ON true
  CROSS JOIN LATERAL (
    SELECT k.factor, round(k.factor * CASE WHEN w.qty IS NOT NULL THEN w.qty ELSE (
      SELECT greatest(1, min(r.min_qty)) FROM ts.price_row r
      JOIN ts.price_list l ON l.tenant_id = r.tenant_id AND l.id = r.price_list_id
      WHERE r.tenant_id = p.tenant_id AND r.product_id = p.id AND l.currency = p_currency
        AND l.valid_from <= moment AND (l.valid_to IS NULL OR moment < l.valid_to)
        AND (l.audience IN ('public', 'base') OR l.customer_id = p_buyer OR l.group_code = partner.price_group)
    ) END, 6) AS qty
    FROM (SELECT CASE WHEN coalesce(w.uom, p.base_uom) = p.base_uom THEN 1
                      ELSE coalesce(own.factor, (w.fixed ->> p.base_uom)::numeric) END AS factor) k LIMIT 1
  ) f
  LEFT JOIN LATERAL (
    SELECT c.*, min(c.unit_price) OVER (ORDER BY c.rank RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS later
    FROM (
      SELECT b.*, CASE b.ladder WHEN 'graduated' THEN round(b.climb / f.qty, 6) ELSE b.price END AS unit_price,
             CASE b.ladder WHEN 'graduated' THEN b.climb ELSE f.qty * b.price END AS amount
      FROM (
        SELECT a.*, a.first_price * (a.first_min - least(a.first_min, 1))
                    + sum(a.price * (coalesce(a.next_min, f.qty + least(a.first_min, 1)) - a.min_qty))
                      OVER (PARTITION BY a.list_id) AS climb
        FROM (
          SELECT r.id AS row_id, l.id AS list_id, r.min_qty, r.price, l.ladder, l.tax_incl, l.valid_from,
                 l.audience AS level,
                 array_position(ARRAY['contract', 'tenant', 'group', 'public', 'base'], l.audience) AS rank,
                 lead(r.min_qty) OVER tiers AS next_min,
                 first_value(r.min_qty) OVER tiers AS first_min,
                 first_value(r.price) OVER tiers AS first_price
          FROM ts.price_row r
          JOIN ts.price_list l ON l.tenant_id = r.tenant_id AND l.id = r.price_list_id
          WHERE r.tenant_id = p.tenant_id AND r.product_id = p.id AND r.min_qty <= f.qty
            AND l.currency = p_currency AND l.valid_from <= moment AND (l.valid_to IS NULL OR moment < l.valid_to)
            AND (l.audience IN ('public', 'base') OR l.customer_id = p_buyer OR l.group_code = partner.price_group)
          WINDOW tiers AS (PARTITION BY l.id ORDER BY r.min_qty)
        ) a
      ) b
      WHERE b.next_min IS NULL
    ) c
    ORDER BY c.rank, c.min_qty DESC, c.valid_from DESC, c.price, c.row_id LIMIT 1
  ) price ON true
  ORDER BY w.no;
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.quote(uuid, text, jsonb) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.quote(uuid, text, jsonb) TO ts_app, ts_worker, ts_plugin
-- ;;
-- The tiers that could apply to a buyer for one product, best level first: what the detail page explains.
CREATE OR REPLACE FUNCTION ts.price_tiers(p_buyer uuid, p_sku uuid)
RETURNS TABLE (level text, list_id uuid, list_name text, ladder text, currency text, tax_incl boolean, min_qty numeric,
               price numeric, valid_to timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  me CONSTANT uuid := ts.tenant();
  moment CONSTANT timestamptz := ts.clock();
BEGIN
  RETURN QUERY
  SELECT l.audience, l.id, l.name, l.ladder, l.currency, l.tax_incl, r.min_qty, r.price, l.valid_to
  FROM ts.product p
  LEFT JOIN ts.partner_relation partner ON partner.tenant_id = p.tenant_id AND partner.partner_id = p_buyer
  JOIN ts.price_row r ON r.tenant_id = p.tenant_id AND r.product_id = p.id
  JOIN ts.price_list l ON l.tenant_id = r.tenant_id AND l.id = r.price_list_id
  WHERE p.id = p_sku AND (p.tenant_id = me OR (p_buyer = me AND p.status = 'active'))
    AND l.valid_from <= moment AND (l.valid_to IS NULL OR moment < l.valid_to)
    AND (l.audience = 'public' OR (l.audience = 'base' AND p.tenant_id = me) OR l.customer_id = p_buyer
         OR l.group_code = partner.price_group)
  ORDER BY array_position(ARRAY['contract', 'tenant', 'group', 'public', 'base'], l.audience), l.valid_from DESC, l.id,
           r.min_qty;
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.price_tiers(uuid, uuid) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.price_tiers(uuid, uuid) TO ts_app, ts_worker, ts_plugin
-- ;;
-- The units a product may be bought in besides its base unit and the exact relatives of that.
CREATE OR REPLACE FUNCTION ts.units_of(p_sku uuid) RETURNS TABLE (uom text, factor numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.uom, c.factor FROM ts.product p JOIN ts.uom_conversion c ON c.tenant_id = p.tenant_id AND c.product_id = p.id
  WHERE p.id = p_sku AND (p.status = 'active' OR p.tenant_id = ts.tenant()) AND ts.tenant() IS NOT NULL ORDER BY c.uom
$$
-- ;;
REVOKE ALL ON FUNCTION ts.units_of(uuid) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.units_of(uuid) TO ts_app, ts_worker, ts_plugin
-- ;;
-- The catalogue search. It runs as the owner because under row-level security PostgreSQL may not use an index for `@@` or
-- LIKE (they are not leakproof); a listing is public, so nothing is revealed. EXECUTE plans every call for its own words:
-- a generic plan makes a rare word thousands of times slower.
CREATE OR REPLACE FUNCTION ts.listing_filter(p_query text, p_shelf text, p_seller uuid) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat_ws(' AND ', 'status = ''listed''',
    CASE WHEN p_query IS NOT NULL THEN format('search @@ %L::tsquery', p_query) END,
    CASE WHEN p_shelf IS NOT NULL THEN format('(category_path = %L OR category_path LIKE %L)', p_shelf,
      replace(replace(replace(p_shelf, '\', '\\'), '%', '\%'), '_', '\_') || '/%') END,
    CASE WHEN p_seller IS NOT NULL THEN format('tenant_id = %L', p_seller) END)
$$
-- ;;
CREATE OR REPLACE FUNCTION ts.find_listings(p_query text, p_shelf text, p_seller uuid, p_part text, p_sort text,
                                            p_after text[], p_limit int) RETURNS SETOF ts.listing
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found text := ts.listing_filter(p_query, p_shelf, p_seller);
  same text := format('(code_key = %L OR part_key = %L)', p_part, p_part);
  key text;
  way text := 'ASC';
BEGIN
  IF ts.tenant() IS NULL THEN RETURN; END IF;
  CASE p_sort
    WHEN 'code' THEN key := 'code';
    WHEN 'price' THEN key := 'coalesce(public_price, 1e15)';
    WHEN '-price' THEN key := 'coalesce(public_price, -1)'; way := 'DESC';
  END CASE;
  IF p_part IS NOT NULL THEN
    same := format('FROM ts.listing WHERE %s AND %s ORDER BY code, id LIMIT 20',
                   ts.listing_filter(NULL, p_shelf, p_seller), same);
    IF p_after IS NULL THEN  -- the very part number first, on the first page only, and nowhere twice
      RETURN QUERY EXECUTE 'SELECT * ' || same;
    END IF;
    found := format('%s AND id <> ALL (ARRAY(SELECT id %s))', found, same);
  END IF;
  IF p_after IS NOT NULL THEN
    found := found || format(' AND (%s, id) %s (%L, %L::uuid)', key, CASE way WHEN 'ASC' THEN '>' ELSE '<' END,
                             p_after[1], p_after[2]);
  END IF;
  RETURN QUERY EXECUTE format('SELECT * FROM ts.listing WHERE %s ORDER BY %s %s, id %s LIMIT %s', found, key, way, way, p_limit);
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.find_listings(text, text, uuid, text, text, text[], int) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.find_listings(text, text, uuid, text, text, text[], int) TO ts_app, ts_worker, ts_plugin
-- ;;
-- How many listings match, at most p_cap + 1 looked at, split by shelf and by seller; a split leaves its own filter out so
-- that the reader can change it.
CREATE OR REPLACE FUNCTION ts.count_listings(p_query text, p_shelf text, p_seller uuid, p_cap int)
RETURNS TABLE (kind text, shelf text, seller uuid, hits bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF ts.tenant() IS NULL THEN RETURN; END IF;
  RETURN QUERY EXECUTE format(
    'SELECT ''all'', NULL::text, NULL::uuid, count(*) FROM (SELECT FROM ts.listing WHERE %s LIMIT %s) a
     UNION ALL SELECT ''shelf'', category_path, NULL, count(*)
       FROM (SELECT category_path FROM ts.listing WHERE %s LIMIT %s) b GROUP BY category_path
     UNION ALL SELECT ''seller'', NULL, tenant_id, count(*)
       FROM (SELECT tenant_id FROM ts.listing WHERE %s LIMIT %s) c GROUP BY tenant_id',
    ts.listing_filter(p_query, p_shelf, p_seller), p_cap + 1, ts.listing_filter(p_query, NULL, p_seller), p_cap + 1,
    ts.listing_filter(p_query, p_shelf, NULL), p_cap + 1);
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.listing_filter(text, text, uuid), ts.count_listings(text, text, uuid, int) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.count_listings(text, text, uuid, int) TO ts_app, ts_worker, ts_plugin
-- ;;
-- The public price a listing shows, and the duty that renews it when a public list begins or ends.
CREATE OR REPLACE FUNCTION ts.public_price(p_tenant uuid, p_sku uuid, OUT price numeric, OUT currency text, OUT tax_incl boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.price, l.currency, l.tax_incl FROM ts.price_row r
  JOIN ts.price_list l ON l.tenant_id = r.tenant_id AND l.id = r.price_list_id
  WHERE r.tenant_id = p_tenant AND r.product_id = p_sku AND l.audience = 'public'
    AND l.valid_from <= ts.clock() AND (l.valid_to IS NULL OR ts.clock() < l.valid_to)
  ORDER BY r.min_qty, l.valid_from DESC, r.price, r.id LIMIT 1
$$
-- ;;
REVOKE ALL ON FUNCTION ts.public_price(uuid, uuid) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.public_price(uuid, uuid) TO ts_app, ts_worker, ts_plugin
-- ;;
CREATE OR REPLACE FUNCTION ts.turn_price_lists() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  list record;
  turned int := 0;
BEGIN
  FOR list IN
    SELECT l.tenant_id, l.id, CASE WHEN l.valid_to <= ts.clock() THEN 'over' ELSE 'open' END AS phase FROM ts.price_list l
    WHERE (l.phase = 'coming' AND l.valid_from <= ts.clock()) OR (l.phase <> 'over' AND l.valid_to <= ts.clock())
    ORDER BY l.tenant_id, l.id LIMIT 20 FOR UPDATE SKIP LOCKED
  LOOP
    UPDATE ts.price_list l SET phase = list.phase WHERE l.id = list.id;
    UPDATE ts.listing t SET public_price = now.price, price_currency = coalesce(now.currency, t.price_currency),
                            price_tax_incl = coalesce(now.tax_incl, t.price_tax_incl), version = t.version + 1
    FROM ts.listing x CROSS JOIN LATERAL ts.public_price(x.tenant_id, x.id) now
    WHERE x.tenant_id = list.tenant_id AND t.id = x.id AND now.price IS DISTINCT FROM t.public_price
      AND x.id IN (SELECT r.product_id FROM ts.price_row r WHERE r.tenant_id = list.tenant_id AND r.price_list_id = list.id);
    turned := turned + 1;
  END LOOP;
  RETURN turned;
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.turn_price_lists() FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.turn_price_lists() TO ts_worker
