"""Requests and quotes: the tables, and the policies that keep each seller to its own and a sealed quote shut.

A request is read by the sellers it was sent to. A quote is written by its seller only; its buyer reads it at once, or from
the moment a sealed request closes. Two triggers hold what a policy cannot: a published request stays sealed until its time,
and no line is awarded beyond what was asked for.
"""

from alembic import op

revision = "20261123_0001"
down_revision = None

ROLES = "ts_app, ts_worker, ts_plugin"
ME = "(SELECT ts.tenant())"
SENT = f"""EXISTS (SELECT 1 FROM plugin_rfq.invitation i
    WHERE i.request_id = {{request}} AND i.seller_id = {ME} AND i.state <> 'drafted')"""
OPENED = "EXISTS (SELECT 1 FROM plugin_rfq.request r WHERE r.id = request_id AND (NOT r.sealed OR r.closes_at <= ts.clock()))"
DRAFT = "EXISTS (SELECT 1 FROM plugin_rfq.request r WHERE r.id = request_id AND r.state = 'draft')"
OWN = f"tenant_id = {ME}"
BUYER = f"buyer_id = {ME}"
SIDES = f"{BUYER} OR seller_id = {ME}"
KNOWS = f"{BUYER} OR (seller_id = {ME} AND state <> 'drafted')"
QUOTED = f"seller_id = {ME} OR ({BUYER} AND {OPENED})"
SAID = f"(side = 'buyer' AND {BUYER}) OR (side = 'seller' AND seller_id = {ME})"

TABLES = [
    """CREATE TABLE plugin_rfq.request (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        number text,
        title text NOT NULL,
        state text NOT NULL,
        version integer NOT NULL,
        currency text NOT NULL,
        sealed boolean NOT NULL,
        audience text NOT NULL,
        closes_at timestamptz,
        deliver_by date,
        ship_to text NOT NULL,
        payment_wish text NOT NULL,
        note text NOT NULL,
        reason text,
        created_by uuid,
        created_at timestamptz NOT NULL,
        published_at timestamptz,
        decided_at timestamptz,
        CONSTRAINT pk_request PRIMARY KEY (id),
        CONSTRAINT uq_request_id_tenant_id UNIQUE (id, tenant_id),
        CONSTRAINT ck_request_state CHECK (state IN ('draft', 'open', 'closed', 'awarded', 'withdrawn')),
        CONSTRAINT ck_request_audience CHECK (audience IN ('chosen', 'partners'))
    )""",
    "CREATE INDEX ix_request_closing ON plugin_rfq.request (closes_at) WHERE state = 'open'",
    "CREATE INDEX ix_request_new ON plugin_rfq.request (tenant_id, id DESC)",
    """CREATE TABLE plugin_rfq.request_line (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        version integer NOT NULL,
        no integer NOT NULL,
        sku_id uuid,
        sku_code text NOT NULL,
        text text NOT NULL,
        spec text NOT NULL,
        quantity numeric(20, 6) NOT NULL,
        unit text NOT NULL,
        CONSTRAINT pk_request_line PRIMARY KEY (id),
        CONSTRAINT fk_request_line_request_id_tenant_id
            FOREIGN KEY(request_id, tenant_id)
            REFERENCES plugin_rfq.request (id, tenant_id),
        CONSTRAINT uq_request_line_request_id_version_no UNIQUE (request_id, version, no),
        CONSTRAINT ck_request_line_quantity CHECK (quantity > 0)
    )""",
    """CREATE TABLE plugin_rfq.document (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        name text NOT NULL,
        media_type text NOT NULL,
        size integer NOT NULL,
        added_by text NOT NULL,
        added_at timestamptz NOT NULL,
        content bytea NOT NULL,
        CONSTRAINT pk_document PRIMARY KEY (id),
        CONSTRAINT fk_document_request_id_tenant_id
            FOREIGN KEY(request_id, tenant_id)
            REFERENCES plugin_rfq.request (id, tenant_id)
    )""",
    "CREATE INDEX ix_document_request ON plugin_rfq.document (request_id)",
    """CREATE TABLE plugin_rfq.invitation (
        buyer_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        state text NOT NULL,
        told_version integer NOT NULL,
        invited_at timestamptz,
        seen_at timestamptz,
        answered_at timestamptz,
        reason text,
        quote_id uuid,
        quote_version integer NOT NULL,
        valid_until timestamptz,
        better_until timestamptz,
        result text NOT NULL,
        winning_total numeric(20, 4),
        CONSTRAINT pk_invitation PRIMARY KEY (id),
        CONSTRAINT fk_invitation_request_id_buyer_id
            FOREIGN KEY(request_id, buyer_id)
            REFERENCES plugin_rfq.request (id, tenant_id),
        CONSTRAINT uq_invitation_request_id_seller_id UNIQUE (request_id, seller_id),
        CONSTRAINT uq_invitation_id_request_id_buyer_id_seller_id UNIQUE (id, request_id, buyer_id, seller_id),
        CONSTRAINT ck_invitation_state CHECK (state IN ('drafted', 'invited', 'declined', 'quoted', 'retracted', 'expired')),
        CONSTRAINT ck_invitation_result CHECK (result IN ('', 'won', 'lost')),
        CONSTRAINT ck_invitation_two_parties CHECK (buyer_id <> seller_id)
    )""",
    "CREATE INDEX ix_invitation_seller ON plugin_rfq.invitation (seller_id, id DESC)",
    "CREATE INDEX ix_invitation_valid ON plugin_rfq.invitation (valid_until) WHERE state = 'quoted'",
    """CREATE TABLE plugin_rfq.quote (
        buyer_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        invitation_id uuid NOT NULL,
        version integer NOT NULL,
        request_version integer NOT NULL,
        valid_until timestamptz NOT NULL,
        tax_included boolean NOT NULL,
        prepay_percent numeric(20, 6) NOT NULL,
        terms_days integer NOT NULL,
        remarks text NOT NULL,
        net numeric(20, 4) NOT NULL,
        tax numeric(20, 4) NOT NULL,
        gross numeric(20, 4) NOT NULL,
        given_by text NOT NULL,
        given_at timestamptz NOT NULL,
        CONSTRAINT pk_quote PRIMARY KEY (id),
        CONSTRAINT fk_quote_invitation_id_request_id_buyer_id_seller_id
            FOREIGN KEY(invitation_id, request_id, buyer_id, seller_id)
            REFERENCES plugin_rfq.invitation (id, request_id, buyer_id, seller_id),
        CONSTRAINT uq_quote_invitation_id_version UNIQUE (invitation_id, version),
        CONSTRAINT ck_quote_sums CHECK (gross = net + tax),
        CONSTRAINT ck_quote_prepay CHECK (prepay_percent BETWEEN 0 AND 100)
    )""",
    """CREATE TABLE plugin_rfq.quote_line (
        buyer_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        invitation_id uuid NOT NULL,
        quote_id uuid NOT NULL,
        line_no integer NOT NULL,
        option integer NOT NULL,
        sku_id uuid NOT NULL,
        sku_code text NOT NULL,
        text text NOT NULL,
        quantity numeric(20, 6) NOT NULL,
        unit text NOT NULL,
        unit_price numeric(20, 6) NOT NULL,
        vat_rate numeric(20, 6) NOT NULL,
        lead_days integer,
        remark text NOT NULL,
        net numeric(20, 4) NOT NULL,
        tax numeric(20, 4) NOT NULL,
        gross numeric(20, 4) NOT NULL,
        CONSTRAINT pk_quote_line PRIMARY KEY (id),
        CONSTRAINT fk_quote_line_invitation_id_request_id_buyer_id_seller_id
            FOREIGN KEY(invitation_id, request_id, buyer_id, seller_id)
            REFERENCES plugin_rfq.invitation (id, request_id, buyer_id, seller_id),
        CONSTRAINT uq_quote_line_quote_id_line_no_option UNIQUE (quote_id, line_no, option),
        CONSTRAINT ck_quote_line_positive CHECK (quantity > 0 AND unit_price >= 0 AND vat_rate BETWEEN 0 AND 1),
        CONSTRAINT ck_quote_line_sums CHECK (gross = net + tax)
    )""",
    """CREATE TABLE plugin_rfq.quote_tier (
        buyer_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        invitation_id uuid NOT NULL,
        quote_line_id uuid NOT NULL,
        min_quantity numeric(20, 6) NOT NULL,
        unit_price numeric(20, 6) NOT NULL,
        CONSTRAINT pk_quote_tier PRIMARY KEY (id),
        CONSTRAINT fk_quote_tier_invitation_id_request_id_buyer_id_seller_id
            FOREIGN KEY(invitation_id, request_id, buyer_id, seller_id)
            REFERENCES plugin_rfq.invitation (id, request_id, buyer_id, seller_id),
        CONSTRAINT uq_quote_tier_quote_line_id_min_quantity UNIQUE (quote_line_id, min_quantity),
        CONSTRAINT ck_quote_tier_positive CHECK (min_quantity > 0 AND unit_price >= 0)
    )""",
    """CREATE TABLE plugin_rfq.message (
        buyer_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        invitation_id uuid NOT NULL,
        side text NOT NULL,
        kind text NOT NULL,
        body text NOT NULL,
        said_by text NOT NULL,
        said_at timestamptz NOT NULL,
        CONSTRAINT pk_message PRIMARY KEY (id),
        CONSTRAINT fk_message_invitation_id_request_id_buyer_id_seller_id
            FOREIGN KEY(invitation_id, request_id, buyer_id, seller_id)
            REFERENCES plugin_rfq.invitation (id, request_id, buyer_id, seller_id),
        CONSTRAINT ck_message_side CHECK (side IN ('buyer', 'seller')),
        CONSTRAINT ck_message_kind CHECK (kind IN ('question', 'answer', 'better', 'notice'))
    )""",
    "CREATE INDEX ix_message_invitation ON plugin_rfq.message (invitation_id, id)",
    """CREATE TABLE plugin_rfq.award (
        buyer_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        invitation_id uuid NOT NULL,
        quote_id uuid NOT NULL,
        order_id uuid,
        state text NOT NULL,
        total numeric(20, 4) NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL,
        CONSTRAINT pk_award PRIMARY KEY (id),
        CONSTRAINT fk_award_invitation_id_request_id_buyer_id_seller_id
            FOREIGN KEY(invitation_id, request_id, buyer_id, seller_id)
            REFERENCES plugin_rfq.invitation (id, request_id, buyer_id, seller_id),
        CONSTRAINT uq_award_order_id UNIQUE (order_id),
        CONSTRAINT ck_award_state CHECK (state IN ('made', 'void'))
    )""",
    "CREATE INDEX ix_award_request ON plugin_rfq.award (request_id)",
    """CREATE TABLE plugin_rfq.award_line (
        buyer_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        invitation_id uuid NOT NULL,
        award_id uuid NOT NULL,
        quote_line_id uuid NOT NULL,
        no integer NOT NULL,
        line_no integer NOT NULL,
        sku_id uuid NOT NULL,
        quantity numeric(20, 6) NOT NULL,
        unit text NOT NULL,
        unit_price numeric(20, 6) NOT NULL,
        tax_included boolean NOT NULL,
        vat_rate numeric(20, 6) NOT NULL,
        CONSTRAINT pk_award_line PRIMARY KEY (id),
        CONSTRAINT fk_award_line_invitation_id_request_id_buyer_id_seller_id
            FOREIGN KEY(invitation_id, request_id, buyer_id, seller_id)
            REFERENCES plugin_rfq.invitation (id, request_id, buyer_id, seller_id),
        CONSTRAINT uq_award_line_award_id_no UNIQUE (award_id, no),
        CONSTRAINT ck_award_line_quantity CHECK (quantity > 0)
    )""",
    "CREATE INDEX ix_award_line_request ON plugin_rfq.award_line (request_id, line_no)",
]
ACCESS = {
    "request": {
        "SELECT": f"{OWN} OR {SENT.format(request='request.id')}",
        "INSERT": OWN,
        "UPDATE": OWN,
    },
    "request_line": {
        "SELECT": f"{OWN} OR {SENT.format(request='request_line.request_id')}",
        "INSERT": OWN,
        "DELETE": f"{OWN} AND {DRAFT}",
    },
    "document": {
        "SELECT": f"{OWN} OR {SENT.format(request='document.request_id')}",
        "INSERT": OWN,
        "DELETE": f"{OWN} AND {DRAFT}",
    },
    "invitation": {
        "SELECT": KNOWS,
        "INSERT": BUYER,
        "UPDATE": KNOWS,
        "DELETE": f"{BUYER} AND state = 'drafted'",
    },
    **{name: {"SELECT": QUOTED, "INSERT": f"seller_id = {ME}"} for name in ("quote", "quote_line", "quote_tier")},
    "message": {"SELECT": SIDES, "INSERT": SAID},
    "award": {"SELECT": SIDES, "INSERT": BUYER, "UPDATE": BUYER},
    "award_line": {"SELECT": SIDES, "INSERT": BUYER},
}
"""Who may do what with which rows; what is not named nobody may."""
CHANGING = {
    "invitation": "state, told_version, invited_at, seen_at, answered_at, reason, quote_id, quote_version, valid_until,"
    " better_until, result, winning_total",
    "award": "order_id, state",
}
"""The columns that change where not all do: the parties of a row can never be rewritten."""

RULES = [
    """CREATE FUNCTION plugin_rfq.stays_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.sealed <> OLD.sealed OR NEW.state = 'draft' THEN
            RAISE EXCEPTION 'request % was published as it is', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.sealed AND NEW.closes_at IS DISTINCT FROM OLD.closes_at
           AND (OLD.closes_at <= ts.clock() OR NEW.closes_at IS NULL OR NEW.closes_at < OLD.closes_at) THEN
            RAISE EXCEPTION 'sealed request % opens at its time', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER stays_sealed BEFORE UPDATE ON plugin_rfq.request FOR EACH ROW WHEN (OLD.state <> 'draft')
        EXECUTE FUNCTION plugin_rfq.stays_sealed()""",
    """CREATE FUNCTION plugin_rfq.within_the_request() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        given numeric;
        asked numeric;
    BEGIN
        PERFORM 1 FROM plugin_rfq.request r WHERE r.id = NEW.request_id FOR UPDATE;
        SELECT l.quantity INTO asked FROM plugin_rfq.request_line l JOIN plugin_rfq.request r ON r.id = l.request_id
        WHERE l.request_id = NEW.request_id AND l.no = NEW.line_no AND l.version = r.version;
        SELECT sum(l.quantity) INTO given FROM plugin_rfq.award_line l JOIN plugin_rfq.award a ON a.id = l.award_id
        WHERE l.request_id = NEW.request_id AND l.line_no = NEW.line_no AND a.state = 'made';
        IF asked IS NULL OR coalesce(given, 0) + NEW.quantity > asked THEN
            RAISE EXCEPTION 'line % of request % is awarded beyond what was asked', NEW.line_no, NEW.request_id
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER within_the_request BEFORE INSERT ON plugin_rfq.award_line FOR EACH ROW
        EXECUTE FUNCTION plugin_rfq.within_the_request()""",
    """CREATE FUNCTION plugin_rfq.due(batch int) RETURNS TABLE (kind text, subject_id uuid, tenant_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        (SELECT 'close', r.id, r.tenant_id FROM plugin_rfq.request r
         WHERE r.state = 'open' AND r.closes_at <= ts.clock() ORDER BY r.closes_at LIMIT batch)
        UNION ALL
        (SELECT 'expire', i.id, i.seller_id FROM plugin_rfq.invitation i
         WHERE i.state = 'quoted' AND i.valid_until <= ts.clock() ORDER BY i.valid_until LIMIT batch)
    $$""",
    "REVOKE ALL ON FUNCTION plugin_rfq.due(int) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION plugin_rfq.due(int) TO ts_worker",
]


def closed(name: str) -> list[str]:
    """The statements that close one table to everybody but those in ACCESS."""
    table = f"plugin_rfq.{name}"
    grants = [f"{act} ({CHANGING[name]})" if act == "UPDATE" and name in CHANGING else act for act in ACCESS[name]]
    found = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY owner_all ON {table} TO CURRENT_ROLE USING (true) WITH CHECK (true)",
        f"GRANT {', '.join(grants)} ON {table} TO {ROLES}",
    ]
    for act, rule in ACCESS[name].items():
        using = "" if act == "INSERT" else f" USING ({rule})"
        check = f" WITH CHECK ({rule})" if act in ("INSERT", "UPDATE") else ""
        found.append(f"CREATE POLICY may_{act.lower()} ON {table} FOR {act} TO {ROLES}{using}{check}")
    return found


def upgrade() -> None:
    grant = f"GRANT USAGE ON SCHEMA plugin_rfq TO {ROLES}"
    for statement in (grant, *TABLES, *(line for name in ACCESS for line in closed(name)), *RULES):
        op.execute(statement)
