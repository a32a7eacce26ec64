CREATE OR REPLACE FUNCTION ts.orders_due(batch int) RETURNS TABLE (kind text, order_id uuid, tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  (SELECT 'expire', o.id, o.buyer_id FROM ts.trade_order o
   WHERE o.offer_expires_at <= ts.clock() AND o.state IN ('submitted', 'countered', 'pending_approval')
   ORDER BY o.offer_expires_at LIMIT batch)
  UNION ALL
  (SELECT 'accept', o.id, o.seller_id FROM ts.trade_order o
   WHERE o.state = 'delivered' AND o.delivered_at + make_interval(days => o.accept_days) <= ts.clock()
   ORDER BY o.delivered_at LIMIT batch)
  UNION ALL
  (SELECT 'close', o.id, o.seller_id FROM ts.trade_order o
   WHERE o.state = 'completed' AND o.completed_at <= ts.clock() - interval '365 days'
   ORDER BY o.completed_at LIMIT batch)
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.orders_due(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ts.orders_due(int) TO ts_worker;
-- ;;
-- Once an order left its buyer's desk, no line of it disappears any more.
CREATE OR REPLACE FUNCTION ts.only_drafts_lose_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM ts.trade_order o WHERE o.id = OLD.order_id AND o.state <> 'draft') THEN
    RAISE EXCEPTION 'a line of order % cannot be deleted', OLD.order_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END $$
-- ;;
CREATE TRIGGER only_drafts_lose_lines BEFORE DELETE ON ts.order_line FOR EACH ROW EXECUTE FUNCTION ts.only_drafts_lose_lines()
-- ;;
-- Whether an order has its number yet decides whether its seller may see it; lines and events bear a copy for their policies.
CREATE OR REPLACE FUNCTION ts.born_numbered() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.numbered := EXISTS (SELECT 1 FROM ts.trade_order o WHERE o.id = NEW.order_id AND o.number IS NOT NULL);
  RETURN NEW;
END $$
-- ;;
CREATE TRIGGER born_numbered BEFORE INSERT ON ts.order_line FOR EACH ROW EXECUTE FUNCTION ts.born_numbered()
-- ;;
CREATE TRIGGER born_numbered BEFORE INSERT ON ts.order_event FOR EACH ROW EXECUTE FUNCTION ts.born_numbered()
-- ;;
CREATE OR REPLACE FUNCTION ts.number_what_hangs_on_it() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE ts.order_line SET numbered = true WHERE order_id = NEW.id;
  UPDATE ts.order_event SET numbered = true WHERE order_id = NEW.id;
  RETURN NULL;
END $$
-- ;;
CREATE TRIGGER number_what_hangs_on_it AFTER UPDATE OF number ON ts.trade_order FOR EACH ROW
  WHEN (OLD.number IS NULL AND NEW.number IS NOT NULL) EXECUTE FUNCTION ts.number_what_hangs_on_it()
-- ;;
REVOKE ALL ON FUNCTION ts.born_numbered(), ts.number_what_hangs_on_it() FROM PUBLIC
