-- The trust book belongs to no enterprise: it mirrors what the escrow bank holds. Nobody reaches it but these functions.
CREATE OR REPLACE FUNCTION ts.trust_post(
  p_book uuid, p_txn uuid, p_kind text, p_ref text, p_label text, p_currency text, p_actor text, p_at timestamptz,
  p_debit text, p_credit text, p_amount numeric, p_ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO ts.account (id, tenant_id, code, currency)
    VALUES (p_ids[1], p_book, p_debit, p_currency), (p_ids[2], p_book, p_credit, p_currency)
    ON CONFLICT (tenant_id, code, currency) DO NOTHING;
  INSERT INTO ts.ledger_txn (id, tenant_id, kind, ref, label, currency, actor, at)
    VALUES (p_txn, p_book, p_kind, p_ref, p_label, p_currency, p_actor, p_at);
  INSERT INTO ts.ledger_entry (id, tenant_id, txn_id, account_id, currency, no, amount)
    SELECT e.id, p_book, p_txn, a.id, p_currency, e.no, e.amount
    FROM (VALUES (p_ids[3], 1, p_debit, p_amount), (p_ids[4], 2, p_credit, -p_amount)) AS e(id, no, code, amount)
    JOIN ts.account a ON a.tenant_id = p_book AND a.code = e.code AND a.currency = p_currency
    ORDER BY a.id;
END $$;
-- ;;
CREATE OR REPLACE FUNCTION ts.escrow_move(p_order uuid, p_kind text, p_amount numeric, p_actor text, p_ids uuid[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  book constant uuid := '00000000-0000-7000-8000-0000000e5c00';
  me uuid := ts.tenant();
  moment timestamptz := ts.clock();
  o record;
  bank text;
  owed text;
  pot text := 'escrow:' || p_order;
BEGIN
  SELECT id, buyer_id, seller_id, currency, coalesce(number, '') AS number INTO o FROM ts.trade_order WHERE id = p_order;
  IF o.id IS NULL OR me IS NULL OR me NOT IN (o.buyer_id, o.seller_id) THEN
    RAISE insufficient_privilege USING MESSAGE = 'only the parties of an order move its escrow';
  END IF;
  IF p_kind NOT IN ('fund', 'release', 'refund') OR p_amount <= 0 THEN
    RAISE check_violation USING MESSAGE = format('no movement of an escrow: %s %s', p_kind, p_amount);
  END IF;
  INSERT INTO ts.escrow (id, buyer_id, seller_id, order_id, currency)
    VALUES (p_ids[1], o.buyer_id, o.seller_id, o.id, o.currency) ON CONFLICT (order_id) DO NOTHING;
  UPDATE ts.escrow SET
    funded = funded + CASE p_kind WHEN 'fund' THEN p_amount ELSE 0 END,
    released = released + CASE p_kind WHEN 'release' THEN p_amount ELSE 0 END,
    refunded = refunded + CASE p_kind WHEN 'refund' THEN p_amount ELSE 0 END
    WHERE order_id = o.id;
  INSERT INTO ts.escrow_move (id, buyer_id, seller_id, order_id, kind, amount, by, at)
    VALUES (p_ids[2], o.buyer_id, o.seller_id, o.id, p_kind, p_amount, p_actor, moment);
  bank := 'trust_bank:' || o.seller_id;
  IF p_kind = 'fund' THEN
    PERFORM ts.trust_post(book, p_ids[3], 'escrow_fund', p_ids[2]::text, o.number, o.currency, p_actor, moment,
                          bank, pot, p_amount, p_ids[5:8]);
    RETURN;
  END IF;
  owed := 'payable:' || CASE p_kind WHEN 'release' THEN o.seller_id ELSE o.buyer_id END;
  PERFORM ts.trust_post(book, p_ids[3], 'escrow_' || p_kind, p_ids[2]::text, o.number, o.currency, p_actor, moment,
                        pot, owed, p_amount, p_ids[5:8]);
  PERFORM ts.trust_post(book, p_ids[4], 'escrow_payout', p_ids[2]::text, o.number, o.currency, p_actor, moment,
                        owed, bank, p_amount, p_ids[9:12]);
END $$;
-- ;;
REVOKE ALL ON FUNCTION ts.trust_post(uuid, uuid, text, text, text, text, text, timestamptz, text, text, numeric, uuid[]),
  ts.escrow_move(uuid, text, numeric, text, uuid[]) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION ts.escrow_move(uuid, text, numeric, text, uuid[]) TO ts_app, ts_worker;
