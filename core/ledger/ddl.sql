CREATE OR REPLACE FUNCTION ts.account_opens_at_zero() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.balance := 0;
  RETURN NEW;
END $$;
-- ;;
CREATE TRIGGER account_opens_at_zero BEFORE INSERT ON ts.account
  FOR EACH ROW EXECUTE FUNCTION ts.account_opens_at_zero();
-- ;;
-- Definer: the application may not touch a balance, only its entries may.
CREATE OR REPLACE FUNCTION ts.ledger_apply() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE ts.account SET balance = balance + NEW.amount WHERE id = NEW.account_id;
  RETURN NULL;
END $$;
-- ;;
CREATE TRIGGER ledger_apply AFTER INSERT ON ts.ledger_entry
  FOR EACH ROW EXECUTE FUNCTION ts.ledger_apply();
-- ;;
-- Definer: at commit the transaction may stand in another tenant than the one that was posted for.
CREATE OR REPLACE FUNCTION ts.ledger_balanced() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  total numeric;
  entries int;
  posting uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
BEGIN
  SELECT coalesce(sum(amount), 0), count(*) INTO total, entries FROM ts.ledger_entry WHERE txn_id = posting;
  IF total <> 0 OR entries < 2 THEN
    RAISE check_violation USING MESSAGE = format('posting %s is not balanced: %s entries sum to %s', posting, entries, total);
  END IF;
  RETURN NULL;
END $$;
-- ;;
CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON ts.ledger_txn
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ts.ledger_balanced('id');
-- ;;
CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON ts.ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ts.ledger_balanced('txn_id');
-- ;;
CREATE OR REPLACE FUNCTION ts.ledger_immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE insufficient_privilege USING MESSAGE = format('%s is append-only: post a reversal instead', TG_TABLE_NAME);
END $$;
-- ;;
CREATE TRIGGER ledger_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ts.ledger_entry
  EXECUTE FUNCTION ts.ledger_immutable();
-- ;;
CREATE TRIGGER ledger_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ts.ledger_txn
  EXECUTE FUNCTION ts.ledger_immutable();
-- ;;
REVOKE ALL ON FUNCTION ts.account_opens_at_zero(), ts.ledger_apply(), ts.ledger_balanced(), ts.ledger_immutable() FROM PUBLIC;
