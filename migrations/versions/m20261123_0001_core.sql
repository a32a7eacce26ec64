-- Written by migrations/freeze.py from the models; do not edit.
CREATE OR REPLACE FUNCTION ts.tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('ts.tenant', true), '')::uuid
-- ;;
CREATE OR REPLACE FUNCTION ts.home() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('ts.home', true), '')::uuid
-- ;;
CREATE OR REPLACE FUNCTION ts.clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
  RETURN clock_timestamp() + COALESCE(NULLIF(current_setting('ts.clock_shift', true), '')::interval, interval '0')
-- ;;
GRANT EXECUTE ON FUNCTION ts.tenant(), ts.home(), ts.clock() TO ts_app, ts_worker, ts_plugin, ts_auditor;
-- ;;
CREATE TABLE auth.invitation (
	id UUID NOT NULL,
	tenant_id UUID NOT NULL,
	email TEXT NOT NULL,
	name TEXT NOT NULL,
	roles TEXT[] NOT NULL,
	token_hash BYTEA NOT NULL,
	invited_by UUID,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	closed_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_invitation PRIMARY KEY (id),
	CONSTRAINT uq_invitation_token_hash UNIQUE (token_hash)
)
-- ;;
CREATE INDEX ix_invitation_tenant ON auth.invitation (tenant_id, email)
-- ;;
CREATE TABLE auth.login_attempt (
	id UUID NOT NULL,
	account BYTEA NOT NULL,
	ip TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	outcome TEXT NOT NULL,
	CONSTRAINT pk_login_attempt PRIMARY KEY (id),
	CONSTRAINT ck_login_attempt_outcome_known CHECK (outcome IN ('tried', 'ok', 'locked'))
)
-- ;;
CREATE INDEX ix_login_attempt_account ON auth.login_attempt (account, at)
-- ;;
CREATE INDEX ix_login_attempt_ip ON auth.login_attempt (ip, at)
-- ;;
CREATE TABLE auth.operator (
	only_one BOOLEAN DEFAULT true NOT NULL,
	tenant_id UUID NOT NULL,
	CONSTRAINT pk_operator PRIMARY KEY (only_one),
	CONSTRAINT ck_operator_one_row CHECK (only_one)
)
-- ;;
CREATE TABLE auth.permission (
	code TEXT NOT NULL,
	title TEXT NOT NULL,
	limited BOOLEAN NOT NULL,
	CONSTRAINT pk_permission PRIMARY KEY (code)
)
-- ;;
CREATE TABLE auth.person (
	id UUID NOT NULL,
	name TEXT NOT NULL,
	email TEXT,
	phone TEXT,
	password_hash TEXT NOT NULL,
	password_set_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	locale TEXT DEFAULT 'zh-CN' NOT NULL,
	theme TEXT DEFAULT 'auto' NOT NULL,
	density TEXT DEFAULT 'comfortable' NOT NULL,
	status TEXT DEFAULT 'active' NOT NULL,
	last_tenant_id UUID,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_person PRIMARY KEY (id),
	CONSTRAINT uq_person_email UNIQUE (email),
	CONSTRAINT uq_person_phone UNIQUE (phone),
	CONSTRAINT ck_person_email_lower CHECK (email = lower(email)),
	CONSTRAINT ck_person_reachable CHECK (email IS NOT NULL OR phone IS NOT NULL),
	CONSTRAINT ck_person_status_known CHECK (status IN ('active', 'locked')),
	CONSTRAINT ck_person_locale_known CHECK (locale IN ('zh-CN', 'en')),
	CONSTRAINT ck_person_theme_known CHECK (theme IN ('auto', 'light', 'dark')),
	CONSTRAINT ck_person_density_known CHECK (density IN ('comfortable', 'compact'))
)
-- ;;
CREATE TABLE ts.account (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	code TEXT NOT NULL,
	currency TEXT NOT NULL,
	min_balance NUMERIC(24, 4),
	balance NUMERIC(24, 4) DEFAULT 0 NOT NULL,
	CONSTRAINT pk_account PRIMARY KEY (id),
	CONSTRAINT uq_account_tenant_id_code_currency UNIQUE (tenant_id, code, currency),
	CONSTRAINT uq_account_tenant_id_id_currency UNIQUE (tenant_id, id, currency),
	CONSTRAINT ck_account_min_balance CHECK (min_balance IS NULL OR balance >= min_balance)
)
-- ;;
CREATE TABLE ts.address (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	label TEXT NOT NULL,
	contact TEXT NOT NULL,
	phone TEXT NOT NULL,
	province TEXT NOT NULL,
	city TEXT NOT NULL,
	district TEXT,
	street TEXT NOT NULL,
	postcode TEXT,
	is_default BOOLEAN NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT pk_address PRIMARY KEY (id)
)
-- ;;
CREATE INDEX ix_address_tenant_id_label ON ts.address (tenant_id, label)
-- ;;
CREATE TABLE ts.audit_entry (
	tenant_id UUID NOT NULL,
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	txid BIGINT DEFAULT pg_current_xact_id()::text::bigint NOT NULL,
	actor_kind TEXT NOT NULL,
	actor_id UUID,
	actor_name TEXT NOT NULL,
	action TEXT NOT NULL,
	object_kind TEXT NOT NULL,
	object_id TEXT NOT NULL,
	object_version INTEGER,
	detail JSONB NOT NULL,
	trace_id TEXT NOT NULL,
	remote TEXT NOT NULL,
	seq BIGINT,
	prev BYTEA,
	hash BYTEA,
	CONSTRAINT pk_audit_entry PRIMARY KEY (id)
)
-- ;;
CREATE INDEX ix_audit_entry_tenant_object ON ts.audit_entry (tenant_id, object_kind, object_id)
-- ;;
CREATE INDEX ix_audit_entry_unsealed ON ts.audit_entry (id) WHERE seq IS NULL
-- ;;
CREATE UNIQUE INDEX uq_audit_entry_tenant_seq ON ts.audit_entry (tenant_id, seq) WHERE seq IS NOT NULL
-- ;;
CREATE TABLE ts.category (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	parent_id UUID,
	code TEXT NOT NULL,
	path TEXT NOT NULL,
	name_zh TEXT NOT NULL,
	name_en TEXT NOT NULL,
	rank INTEGER NOT NULL,
	retired_at TIMESTAMP WITH TIME ZONE,
	version INTEGER NOT NULL,
	CONSTRAINT pk_category PRIMARY KEY (id),
	CONSTRAINT uq_category_tenant_id_path UNIQUE (tenant_id, path),
	CONSTRAINT uq_category_tenant_id_id UNIQUE (tenant_id, id),
	CONSTRAINT fk_category_parent_id FOREIGN KEY(parent_id) REFERENCES ts.category (id)
)
-- ;;
CREATE INDEX ix_category_parent_id ON ts.category (parent_id)
-- ;;
CREATE INDEX ix_category_path ON ts.category (path text_pattern_ops)
-- ;;
CREATE TABLE ts.delivery (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	event_id UUID NOT NULL,
	handler TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_delivery PRIMARY KEY (id),
	CONSTRAINT uq_delivery_tenant_id_event_id_handler UNIQUE (tenant_id, event_id, handler)
)
-- ;;
CREATE TABLE ts.enterprise (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	name TEXT NOT NULL,
	name_en TEXT,
	short_name TEXT,
	uscc TEXT NOT NULL,
	kind TEXT NOT NULL,
	status TEXT DEFAULT 'applied' NOT NULL,
	verified_until DATE,
	legal_representative TEXT,
	contact TEXT,
	phone TEXT,
	website TEXT,
	version INTEGER NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_enterprise PRIMARY KEY (id),
	CONSTRAINT ck_enterprise_own_tenant CHECK (id = tenant_id),
	CONSTRAINT ck_enterprise_kind_known CHECK (kind IN ('trader', 'manufacturer', 'carrier', 'financier', 'inspector', 'guarantor', 'operator')),
	CONSTRAINT ck_enterprise_status_known CHECK (status IN ('applied', 'verified', 'suspended', 'exited'))
)
-- ;;
CREATE TABLE ts.erp_connection (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connector TEXT NOT NULL,
	name TEXT NOT NULL,
	base_url TEXT NOT NULL,
	organisation TEXT DEFAULT '' NOT NULL,
	settings JSONB DEFAULT '{}' NOT NULL,
	secrets BYTEA NOT NULL,
	state TEXT DEFAULT 'active' NOT NULL,
	state_reason TEXT DEFAULT '' NOT NULL,
	draining_since TIMESTAMP WITH TIME ZONE,
	version INTEGER DEFAULT 1 NOT NULL,
	failures INTEGER DEFAULT 0 NOT NULL,
	refusals INTEGER DEFAULT 0 NOT NULL,
	open_until TIMESTAMP WITH TIME ZONE,
	last_ok_at TIMESTAMP WITH TIME ZONE,
	last_error TEXT DEFAULT '' NOT NULL,
	checked JSONB,
	documents TEXT[] DEFAULT '{sales_order}' NOT NULL,
	settle_seconds INTEGER,
	at_once INTEGER,
	per_minute INTEGER,
	ca_pem TEXT DEFAULT '' NOT NULL,
	pinned_sha256 TEXT DEFAULT '' NOT NULL,
	client_cert_pem TEXT DEFAULT '' NOT NULL,
	client_key BYTEA,
	push_hash BYTEA,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_erp_connection PRIMARY KEY (id),
	CONSTRAINT uq_erp_connection_tenant_id_id UNIQUE (tenant_id, id),
	CONSTRAINT uq_erp_connection_tenant_id_name UNIQUE (tenant_id, name),
	CONSTRAINT ck_erp_connection_state CHECK (state IN ('active', 'paused', 'stopped')),
	CONSTRAINT ck_erp_connection_caps CHECK (at_once > 0 AND per_minute > 0),
	CONSTRAINT ck_erp_connection_settle CHECK (settle_seconds BETWEEN 1 AND 86400)
)
-- ;;
CREATE INDEX ix_erp_connection_push_hash ON ts.erp_connection (push_hash) WHERE push_hash IS NOT NULL
-- ;;
CREATE TABLE ts.file_content (
	tenant_id UUID NOT NULL,
	other_id UUID,
	file_id UUID NOT NULL,
	content BYTEA NOT NULL,
	CONSTRAINT pk_file_content PRIMARY KEY (file_id)
)
-- ;;
CREATE TABLE ts.ledger_txn (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	kind TEXT NOT NULL,
	ref TEXT NOT NULL,
	label TEXT NOT NULL,
	currency TEXT NOT NULL,
	actor TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_ledger_txn PRIMARY KEY (id),
	CONSTRAINT uq_ledger_txn_tenant_id_kind_ref UNIQUE (tenant_id, kind, ref),
	CONSTRAINT uq_ledger_txn_tenant_id_id_currency UNIQUE (tenant_id, id, currency)
)
-- ;;
CREATE TABLE ts.number_series (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	kind TEXT NOT NULL,
	year INTEGER NOT NULL,
	next INTEGER DEFAULT 1 NOT NULL,
	CONSTRAINT pk_number_series PRIMARY KEY (id),
	CONSTRAINT uq_number_series_tenant_id_kind_year UNIQUE (tenant_id, kind, year)
)
-- ;;
CREATE TABLE ts.order_private (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	cost_centre TEXT DEFAULT '' NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_order_private PRIMARY KEY (id),
	CONSTRAINT uq_order_private_tenant_id_order_id UNIQUE (tenant_id, order_id)
)
-- ;;
CREATE TABLE ts.outbox_event (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	other_id UUID,
	name TEXT NOT NULL,
	event_version INTEGER DEFAULT 1 NOT NULL,
	subject TEXT NOT NULL,
	payload JSONB NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	trace_id TEXT DEFAULT '' NOT NULL,
	state TEXT DEFAULT 'new' NOT NULL,
	attempt INTEGER DEFAULT 0 NOT NULL,
	not_before TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	lease_until TIMESTAMP WITH TIME ZONE,
	last_error TEXT,
	waits_for TEXT[] DEFAULT '{}' NOT NULL,
	CONSTRAINT pk_outbox_event PRIMARY KEY (id)
)
-- ;;
CREATE INDEX ix_outbox_event_due ON ts.outbox_event (not_before, id) WHERE state = 'new'
-- ;;
CREATE INDEX ix_outbox_event_tenant_subject ON ts.outbox_event (tenant_id, subject)
-- ;;
CREATE INDEX ix_outbox_event_waiting ON ts.outbox_event (id) WHERE state = 'waiting'
-- ;;
CREATE TABLE ts.payment (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	number TEXT NOT NULL,
	order_id UUID,
	currency TEXT NOT NULL,
	amount NUMERIC(20, 4) NOT NULL,
	allocated NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	refunded NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	bank_ref TEXT NOT NULL,
	state TEXT NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	announced_by TEXT NOT NULL,
	announced_at TIMESTAMP WITH TIME ZONE NOT NULL,
	decided_by TEXT,
	decided_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_payment PRIMARY KEY (id),
	CONSTRAINT uq_payment_id_buyer_id_seller_id UNIQUE (id, buyer_id, seller_id),
	CONSTRAINT uq_payment_buyer_id_number UNIQUE (buyer_id, number),
	CONSTRAINT ck_payment_state CHECK (state IN ('announced', 'confirmed', 'rejected')),
	CONSTRAINT ck_payment_positive CHECK (amount > 0 AND allocated >= 0 AND refunded >= 0),
	CONSTRAINT ck_payment_i4_allocated CHECK (allocated + refunded <= amount),
	CONSTRAINT ck_payment_unconfirmed CHECK (state = 'confirmed' OR (allocated = 0 AND refunded = 0))
)
-- ;;
CREATE INDEX ix_payment_buyer_new ON ts.payment (buyer_id, id DESC)
-- ;;
CREATE INDEX ix_payment_order ON ts.payment (order_id) WHERE order_id IS NOT NULL
-- ;;
CREATE INDEX ix_payment_seller_new ON ts.payment (seller_id, id DESC)
-- ;;
CREATE UNIQUE INDEX uq_payment_announced_ref ON ts.payment (buyer_id, seller_id, bank_ref) WHERE state <> 'rejected'
-- ;;
CREATE UNIQUE INDEX uq_payment_bank_ref ON ts.payment (seller_id, bank_ref) WHERE state = 'confirmed'
-- ;;
CREATE TABLE ts.plugin (
	name TEXT NOT NULL,
	state TEXT DEFAULT 'installed' NOT NULL,
	version TEXT NOT NULL,
	packages TEXT[] DEFAULT '{}' NOT NULL,
	previous_version TEXT,
	previous_packages TEXT[],
	revision TEXT,
	manifest JSONB DEFAULT '{}' NOT NULL,
	archive JSONB,
	installed_by TEXT NOT NULL,
	installed_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	stopped_by TEXT,
	stopped_reason TEXT,
	stopped_at TIMESTAMP WITH TIME ZONE,
	stopped_until TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_plugin PRIMARY KEY (name),
	CONSTRAINT ck_plugin_state CHECK (state IN ('installed', 'archived')),
	CONSTRAINT ck_plugin_stopped_by CHECK (stopped_by IN ('platform', 'operator'))
)
-- ;;
CREATE TABLE ts.plugin_change (
	id UUID NOT NULL,
	plugin TEXT NOT NULL,
	verb TEXT NOT NULL,
	state TEXT DEFAULT 'queued' NOT NULL,
	version TEXT,
	packages TEXT[] DEFAULT '{}' NOT NULL,
	plan JSONB DEFAULT '{}' NOT NULL,
	asked_by TEXT NOT NULL,
	tenant_id UUID,
	asked_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE,
	ended_at TIMESTAMP WITH TIME ZONE,
	lease_until TIMESTAMP WITH TIME ZONE,
	steps JSONB DEFAULT '[]' NOT NULL,
	reason TEXT,
	CONSTRAINT pk_plugin_change PRIMARY KEY (id),
	CONSTRAINT ck_plugin_change_verb CHECK (verb IN ('install', 'upgrade', 'rollback', 'archive', 'restore', 'export', 'purge')),
	CONSTRAINT ck_plugin_change_state CHECK (state IN ('asked', 'queued', 'running', 'done', 'rolled_back', 'failed', 'refused'))
)
-- ;;
CREATE INDEX ix_plugin_change_open ON ts.plugin_change (asked_at) WHERE state IN ('queued', 'running')
-- ;;
CREATE TABLE ts.plugin_default (
	plugin TEXT NOT NULL,
	no INTEGER NOT NULL,
	settings JSONB NOT NULL,
	plugin_version TEXT NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	set_by TEXT NOT NULL,
	set_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_plugin_default PRIMARY KEY (plugin, no)
)
-- ;;
CREATE TABLE ts.plugin_enablement (
	tenant_id UUID NOT NULL,
	plugin TEXT NOT NULL,
	state TEXT NOT NULL,
	settings JSONB NOT NULL,
	plugin_version TEXT NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT pk_plugin_enablement PRIMARY KEY (tenant_id, plugin),
	CONSTRAINT ck_plugin_enablement_state_known CHECK (state IN ('enabled', 'draining', 'disabled'))
)
-- ;;
CREATE TABLE ts.plugin_epoch (
	only_one BOOLEAN DEFAULT true NOT NULL,
	epoch INTEGER DEFAULT '1' NOT NULL,
	CONSTRAINT pk_plugin_epoch PRIMARY KEY (only_one),
	CONSTRAINT ck_plugin_epoch_one_row CHECK (only_one)
)
-- ;;
CREATE TABLE ts.plugin_export (
	change_id UUID NOT NULL,
	no INTEGER NOT NULL,
	plugin TEXT NOT NULL,
	content BYTEA NOT NULL,
	made_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_plugin_export PRIMARY KEY (change_id, no)
)
-- ;;
CREATE TABLE ts.plugin_fault (
	id BIGINT GENERATED BY DEFAULT AS IDENTITY,
	plugin TEXT NOT NULL,
	hook TEXT NOT NULL,
	kind TEXT NOT NULL,
	reason TEXT NOT NULL,
	process TEXT NOT NULL,
	tenant_id UUID,
	at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_plugin_fault PRIMARY KEY (id)
)
-- ;;
CREATE INDEX ix_plugin_fault_plugin ON ts.plugin_fault (plugin, at)
-- ;;
CREATE TABLE ts.plugin_minute (
	plugin TEXT NOT NULL,
	hook TEXT NOT NULL,
	minute TIMESTAMP WITH TIME ZONE NOT NULL,
	calls INTEGER NOT NULL,
	errors INTEGER NOT NULL,
	micros BIGINT NOT NULL,
	slower INTEGER[] NOT NULL,
	CONSTRAINT pk_plugin_minute PRIMARY KEY (plugin, hook, minute)
)
-- ;;
CREATE TABLE ts.plugin_package (
	sha256 TEXT NOT NULL,
	kind TEXT NOT NULL,
	plugin TEXT,
	distribution TEXT NOT NULL,
	version TEXT NOT NULL,
	filename TEXT NOT NULL,
	size INTEGER NOT NULL,
	content BYTEA NOT NULL,
	manifest JSONB DEFAULT '{}' NOT NULL,
	requires TEXT[] DEFAULT '{}' NOT NULL,
	signer TEXT,
	source TEXT NOT NULL,
	added_by TEXT NOT NULL,
	added_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_plugin_package PRIMARY KEY (sha256),
	CONSTRAINT ck_plugin_package_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT ck_plugin_package_kind CHECK (kind IN ('plugin', 'library')),
	CONSTRAINT ck_plugin_package_size CHECK (size > 0 AND size <= 52428800)
)
-- ;;
CREATE INDEX ix_plugin_package_plugin ON ts.plugin_package (plugin, version)
-- ;;
CREATE TABLE ts.plugin_process (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	loaded JSONB NOT NULL,
	broken JSONB NOT NULL,
	memory BIGINT NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_plugin_process PRIMARY KEY (id)
)
-- ;;
CREATE TABLE ts.plugin_publisher (
	key_id TEXT NOT NULL,
	name TEXT NOT NULL,
	public_key BYTEA NOT NULL,
	tier TEXT DEFAULT 'verified' NOT NULL,
	open_to_enterprises BOOLEAN DEFAULT false NOT NULL,
	trusted_by TEXT NOT NULL,
	trusted_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	revoked_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_plugin_publisher PRIMARY KEY (key_id)
)
-- ;;
CREATE TABLE ts.plugin_settings (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	plugin TEXT NOT NULL,
	no INTEGER NOT NULL,
	settings JSONB NOT NULL,
	plugin_version TEXT NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	set_by TEXT NOT NULL,
	set_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_plugin_settings PRIMARY KEY (id),
	CONSTRAINT ck_plugin_settings_no_positive CHECK (no > 0)
)
-- ;;
CREATE UNIQUE INDEX uq_plugin_settings_no ON ts.plugin_settings (tenant_id, plugin, no)
-- ;;
CREATE TABLE ts.plugin_source (
	address TEXT NOT NULL,
	kind TEXT NOT NULL,
	added_by TEXT NOT NULL,
	added_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_plugin_source PRIMARY KEY (address),
	CONSTRAINT ck_plugin_source_kind CHECK (kind IN ('folder', 'index'))
)
-- ;;
CREATE TABLE ts.price_list (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	name TEXT NOT NULL,
	audience TEXT NOT NULL,
	group_code TEXT,
	customer_id UUID,
	currency TEXT NOT NULL,
	tax_incl BOOLEAN NOT NULL,
	ladder TEXT NOT NULL,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_to TIMESTAMP WITH TIME ZONE,
	phase TEXT NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT pk_price_list PRIMARY KEY (id),
	CONSTRAINT uq_price_list_tenant_id_name UNIQUE (tenant_id, name),
	CONSTRAINT uq_price_list_tenant_id_id UNIQUE (tenant_id, id),
	CONSTRAINT ck_price_list_audience CHECK (audience IN ('contract', 'tenant', 'group', 'public', 'base')),
	CONSTRAINT ck_price_list_ladder CHECK (ladder IN ('volume', 'graduated')),
	CONSTRAINT ck_price_list_group CHECK ((audience = 'group') = (group_code IS NOT NULL)),
	CONSTRAINT ck_price_list_customer CHECK ((audience IN ('contract', 'tenant')) = (customer_id IS NOT NULL)),
	CONSTRAINT ck_price_list_validity CHECK (valid_to > valid_from)
)
-- ;;
CREATE TABLE ts.saved_view (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	person_id UUID NOT NULL,
	name TEXT NOT NULL,
	side TEXT NOT NULL,
	state TEXT,
	waiting BOOLEAN NOT NULL,
	open BOOLEAN NOT NULL,
	q TEXT NOT NULL,
	sort TEXT NOT NULL,
	columns TEXT[] NOT NULL,
	is_default BOOLEAN NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_saved_view PRIMARY KEY (id),
	CONSTRAINT uq_saved_view_tenant_id_person_id_name UNIQUE (tenant_id, person_id, name),
	CONSTRAINT ck_saved_view_name CHECK (length(name) BETWEEN 1 AND 40)
)
-- ;;
CREATE UNIQUE INDEX uq_saved_view_default ON ts.saved_view (tenant_id, person_id) WHERE is_default
-- ;;
CREATE TABLE ts.shipment (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	number TEXT NOT NULL,
	carrier TEXT DEFAULT '' NOT NULL,
	waybill TEXT DEFAULT '' NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	shipped_by TEXT NOT NULL,
	shipped_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_shipment PRIMARY KEY (id),
	CONSTRAINT uq_shipment_id_buyer_id_seller_id UNIQUE (id, buyer_id, seller_id),
	CONSTRAINT uq_shipment_seller_id_number UNIQUE (seller_id, number)
)
-- ;;
CREATE INDEX ix_shipment_buyer_new ON ts.shipment (buyer_id, id DESC)
-- ;;
CREATE INDEX ix_shipment_seller_new ON ts.shipment (seller_id, id DESC)
-- ;;
CREATE TABLE ts.stored_answer (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	actor TEXT NOT NULL,
	route TEXT NOT NULL,
	key TEXT NOT NULL,
	fingerprint BYTEA NOT NULL,
	status INTEGER,
	body TEXT,
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_stored_answer PRIMARY KEY (id),
	CONSTRAINT uq_stored_answer_tenant_id_actor_route_key UNIQUE (tenant_id, actor, route, key)
)
-- ;;
CREATE TABLE ts.stored_file (
	tenant_id UUID NOT NULL,
	other_id UUID,
	id UUID NOT NULL,
	sha256 BYTEA NOT NULL,
	name TEXT NOT NULL,
	media_type TEXT NOT NULL,
	size INTEGER NOT NULL,
	subject_kind TEXT NOT NULL,
	subject_id UUID NOT NULL,
	added_by TEXT NOT NULL,
	added_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_stored_file PRIMARY KEY (id),
	CONSTRAINT ck_stored_file_size CHECK (size > 0 AND size <= 20971520)
)
-- ;;
CREATE INDEX ix_stored_file_subject ON ts.stored_file (subject_kind, subject_id)
-- ;;
CREATE TABLE ts.trade_order (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	number TEXT,
	buyer_po TEXT,
	mode TEXT NOT NULL,
	state TEXT NOT NULL,
	version INTEGER DEFAULT 1 NOT NULL,
	terms_version INTEGER DEFAULT 0 NOT NULL,
	currency TEXT DEFAULT 'CNY' NOT NULL,
	net NUMERIC(20, 4) NOT NULL,
	tax NUMERIC(20, 4) NOT NULL,
	total NUMERIC(20, 4) NOT NULL,
	invoiced NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	prepaid NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	paid NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	under_tol NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	over_tol NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	terms_days INTEGER DEFAULT 30 NOT NULL,
	accept_days INTEGER DEFAULT 7 NOT NULL,
	delivery_date DATE,
	ship_to TEXT DEFAULT '' NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	source_ref TEXT,
	creator_side TEXT DEFAULT 'buyer' NOT NULL,
	created_by UUID,
	approved_by UUID,
	approval_needed BOOLEAN DEFAULT false NOT NULL,
	rounds INTEGER DEFAULT 0 NOT NULL,
	reason TEXT,
	offer_expires_at TIMESTAMP WITH TIME ZONE,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	submitted_at TIMESTAMP WITH TIME ZONE,
	confirmed_at TIMESTAMP WITH TIME ZONE,
	started_at TIMESTAMP WITH TIME ZONE,
	delivered_at TIMESTAMP WITH TIME ZONE,
	accepted_at TIMESTAMP WITH TIME ZONE,
	completed_at TIMESTAMP WITH TIME ZONE,
	ended_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_trade_order PRIMARY KEY (id),
	CONSTRAINT uq_trade_order_id_buyer_id_seller_id UNIQUE (id, buyer_id, seller_id),
	CONSTRAINT uq_trade_order_seller_id_number UNIQUE (seller_id, number),
	CONSTRAINT ck_trade_order_two_parties CHECK (buyer_id <> seller_id),
	CONSTRAINT ck_trade_order_sums CHECK (total >= 0 AND net >= 0 AND tax >= 0 AND total = net + tax),
	CONSTRAINT ck_trade_order_money CHECK (invoiced >= 0 AND invoiced <= total * (1 + over_tol) + 1 AND prepaid >= 0 AND paid >= 0 AND paid <= invoiced)
)
-- ;;
CREATE INDEX ix_trade_order_buyer_delivered ON ts.trade_order (buyer_id, delivered_at) WHERE delivered_at IS NOT NULL
-- ;;
CREATE INDEX ix_trade_order_buyer_new ON ts.trade_order (buyer_id, created_at DESC, id DESC)
-- ;;
CREATE INDEX ix_trade_order_buyer_po ON ts.trade_order (buyer_id, buyer_po)
-- ;;
CREATE INDEX ix_trade_order_expiring ON ts.trade_order (offer_expires_at) WHERE offer_expires_at IS NOT NULL
-- ;;
CREATE INDEX ix_trade_order_open_credit ON ts.trade_order (seller_id, buyer_id, state)
-- ;;
CREATE INDEX ix_trade_order_seller_delivered ON ts.trade_order (seller_id, delivered_at) WHERE delivered_at IS NOT NULL
-- ;;
CREATE INDEX ix_trade_order_seller_new ON ts.trade_order (seller_id, created_at DESC, id DESC)
-- ;;
CREATE TABLE ts.trade_settings (
	tenant_id UUID NOT NULL,
	approval_threshold NUMERIC(20, 4),
	offer_minutes INTEGER NOT NULL,
	soft_reserve_minutes INTEGER NOT NULL,
	accept_days INTEGER NOT NULL,
	under_tol NUMERIC(20, 6) NOT NULL,
	over_tol NUMERIC(20, 6) NOT NULL,
	default_terms_days INTEGER NOT NULL,
	write_off_amount NUMERIC(20, 4) NOT NULL,
	write_off_share NUMERIC(20, 6) NOT NULL,
	currency TEXT NOT NULL,
	timezone TEXT NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT pk_trade_settings PRIMARY KEY (tenant_id),
	CONSTRAINT ck_trade_settings_threshold_positive CHECK (approval_threshold > 0),
	CONSTRAINT ck_trade_settings_tolerance_is_a_share CHECK (under_tol BETWEEN 0 AND 1 AND over_tol BETWEEN 0 AND 1),
	CONSTRAINT ck_trade_settings_write_off CHECK (write_off_amount >= 0 AND write_off_share BETWEEN 0 AND 1)
)
-- ;;
CREATE TABLE ts.warehouse (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	code TEXT NOT NULL,
	name TEXT NOT NULL,
	address TEXT NOT NULL,
	rank INTEGER NOT NULL,
	CONSTRAINT pk_warehouse PRIMARY KEY (id),
	CONSTRAINT uq_warehouse_tenant_id_code UNIQUE (tenant_id, code),
	CONSTRAINT uq_warehouse_tenant_id_id UNIQUE (tenant_id, id)
)
-- ;;
CREATE TABLE ts.work_run (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	kind TEXT NOT NULL,
	title TEXT NOT NULL,
	given JSONB NOT NULL,
	mark JSONB NOT NULL,
	state TEXT DEFAULT 'queued' NOT NULL,
	total INTEGER,
	done INTEGER DEFAULT 0 NOT NULL,
	refused INTEGER DEFAULT 0 NOT NULL,
	reason TEXT,
	reason_values JSONB NOT NULL,
	actor_kind TEXT NOT NULL,
	actor_id UUID,
	actor_name TEXT NOT NULL,
	person_id UUID,
	may JSONB NOT NULL,
	asked_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE,
	ended_at TIMESTAMP WITH TIME ZONE,
	stop_asked_at TIMESTAMP WITH TIME ZONE,
	turned_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	lease_until TIMESTAMP WITH TIME ZONE,
	claim INTEGER DEFAULT 0 NOT NULL,
	tries INTEGER DEFAULT 0 NOT NULL,
	CONSTRAINT pk_work_run PRIMARY KEY (id),
	CONSTRAINT uq_work_run_tenant_id_id UNIQUE (tenant_id, id),
	CONSTRAINT ck_work_run_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
	CONSTRAINT ck_work_run_ended CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'failed', 'cancelled'))),
	CONSTRAINT ck_work_run_progress CHECK (done >= 0 AND refused BETWEEN 0 AND done AND done <= total)
)
-- ;;
CREATE INDEX ix_work_run_due ON ts.work_run (turned_at, id) WHERE state IN ('queued', 'running')
-- ;;
CREATE INDEX ix_work_run_recent ON ts.work_run (tenant_id, kind, id)
-- ;;
CREATE TABLE auth.api_key (
	id UUID NOT NULL,
	tenant_id UUID NOT NULL,
	prefix TEXT NOT NULL,
	key_hash BYTEA NOT NULL,
	name TEXT NOT NULL,
	scopes TEXT[] NOT NULL,
	cidrs CIDR[] DEFAULT '{}' NOT NULL,
	created_by UUID NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE,
	last_used_at TIMESTAMP WITH TIME ZONE,
	revoked_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_api_key PRIMARY KEY (id),
	CONSTRAINT uq_api_key_key_hash UNIQUE (key_hash),
	CONSTRAINT uq_api_key_prefix UNIQUE (prefix),
	CONSTRAINT fk_api_key_created_by FOREIGN KEY(created_by) REFERENCES auth.person (id)
)
-- ;;
CREATE INDEX ix_api_key_tenant ON auth.api_key (tenant_id, created_at)
-- ;;
CREATE TABLE auth.membership (
	id UUID NOT NULL,
	tenant_id UUID NOT NULL,
	person_id UUID NOT NULL,
	roles TEXT[] DEFAULT '{}' NOT NULL,
	status TEXT DEFAULT 'active' NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_membership PRIMARY KEY (id),
	CONSTRAINT uq_membership_tenant_id_person_id UNIQUE (tenant_id, person_id),
	CONSTRAINT ck_membership_status_known CHECK (status IN ('active', 'removed')),
	CONSTRAINT fk_membership_person_id FOREIGN KEY(person_id) REFERENCES auth.person (id)
)
-- ;;
CREATE INDEX ix_membership_person ON auth.membership (person_id)
-- ;;
CREATE TABLE auth.mfa (
	person_id UUID NOT NULL,
	secret BYTEA NOT NULL,
	last_step INTEGER DEFAULT '0' NOT NULL,
	confirmed_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_mfa PRIMARY KEY (person_id),
	CONSTRAINT fk_mfa_person_id FOREIGN KEY(person_id) REFERENCES auth.person (id)
)
-- ;;
CREATE TABLE auth.password_reset (
	id UUID NOT NULL,
	person_id UUID NOT NULL,
	tenant_id UUID NOT NULL,
	token_hash BYTEA NOT NULL,
	made_by UUID,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	closed_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_password_reset PRIMARY KEY (id),
	CONSTRAINT uq_password_reset_token_hash UNIQUE (token_hash),
	CONSTRAINT fk_password_reset_person_id FOREIGN KEY(person_id) REFERENCES auth.person (id)
)
-- ;;
CREATE INDEX ix_password_reset_person ON auth.password_reset (person_id, created_at)
-- ;;
CREATE TABLE auth.recovery_code (
	person_id UUID NOT NULL,
	code_hash BYTEA NOT NULL,
	used_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_recovery_code PRIMARY KEY (person_id, code_hash),
	CONSTRAINT fk_recovery_code_person_id FOREIGN KEY(person_id) REFERENCES auth.person (id)
)
-- ;;
CREATE TABLE auth.role_permission (
	role TEXT NOT NULL,
	permission TEXT NOT NULL,
	CONSTRAINT pk_role_permission PRIMARY KEY (role, permission),
	CONSTRAINT fk_role_permission_permission FOREIGN KEY(permission) REFERENCES auth.permission (code) ON DELETE CASCADE
)
-- ;;
CREATE TABLE auth.session (
	id UUID NOT NULL,
	token_hash BYTEA NOT NULL,
	person_id UUID NOT NULL,
	tenant_id UUID NOT NULL,
	state TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	last_seen_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	second_factor_at TIMESTAMP WITH TIME ZONE,
	revoked_at TIMESTAMP WITH TIME ZONE,
	ip TEXT NOT NULL,
	agent TEXT NOT NULL,
	CONSTRAINT pk_session PRIMARY KEY (id),
	CONSTRAINT uq_session_token_hash UNIQUE (token_hash),
	CONSTRAINT ck_session_state_known CHECK (state IN ('pending', 'full')),
	CONSTRAINT fk_session_person_id FOREIGN KEY(person_id) REFERENCES auth.person (id)
)
-- ;;
CREATE INDEX ix_session_person_id ON auth.session (person_id)
-- ;;
CREATE TABLE ts.category_attribute (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	category_id UUID NOT NULL,
	key TEXT NOT NULL,
	name_zh TEXT NOT NULL,
	name_en TEXT NOT NULL,
	kind TEXT NOT NULL,
	unit TEXT,
	choices JSONB NOT NULL,
	required BOOLEAN NOT NULL,
	rank INTEGER NOT NULL,
	CONSTRAINT pk_category_attribute PRIMARY KEY (id),
	CONSTRAINT uq_category_attribute_tenant_id_category_id_key UNIQUE (tenant_id, category_id, key),
	CONSTRAINT fk_category_attribute_tenant_id_category_id FOREIGN KEY(tenant_id, category_id) REFERENCES ts.category (tenant_id, id),
	CONSTRAINT ck_category_attribute_kind CHECK (kind IN ('text', 'number', 'enum')),
	CONSTRAINT ck_category_attribute_choices CHECK (kind <> 'enum' OR jsonb_array_length(choices) > 0)
)
-- ;;
CREATE TABLE ts.claim (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	debtor TEXT NOT NULL,
	currency TEXT NOT NULL,
	amount NUMERIC(20, 4) NOT NULL,
	reason TEXT NOT NULL,
	state TEXT DEFAULT 'open' NOT NULL,
	bank_ref TEXT DEFAULT '' NOT NULL,
	raised_by TEXT NOT NULL,
	raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
	closed_by TEXT,
	closed_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_claim PRIMARY KEY (id),
	CONSTRAINT fk_claim_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT ck_claim_debtor CHECK (debtor IN ('buyer', 'seller') AND amount > 0),
	CONSTRAINT ck_claim_state CHECK (state IN ('open', 'paid', 'waived'))
)
-- ;;
CREATE INDEX ix_claim_order ON ts.claim (order_id)
-- ;;
CREATE TABLE ts.enterprise_card (
	tenant_id UUID NOT NULL,
	name TEXT NOT NULL,
	name_en TEXT,
	short_name TEXT,
	uscc TEXT NOT NULL,
	kind TEXT NOT NULL,
	status TEXT DEFAULT 'applied' NOT NULL,
	CONSTRAINT pk_enterprise_card PRIMARY KEY (tenant_id),
	CONSTRAINT uq_enterprise_card_uscc UNIQUE (uscc),
	CONSTRAINT ck_enterprise_card_kind_known CHECK (kind IN ('trader', 'manufacturer', 'carrier', 'financier', 'inspector', 'guarantor', 'operator')),
	CONSTRAINT ck_enterprise_card_status_known CHECK (status IN ('applied', 'verified', 'suspended', 'exited')),
	CONSTRAINT fk_enterprise_card_tenant_id FOREIGN KEY(tenant_id) REFERENCES ts.enterprise (id)
)
-- ;;
CREATE INDEX ix_enterprise_card_name ON ts.enterprise_card (name)
-- ;;
CREATE TABLE ts.escrow (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	currency TEXT NOT NULL,
	funded NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	released NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	refunded NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	CONSTRAINT pk_escrow PRIMARY KEY (id),
	CONSTRAINT fk_escrow_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT uq_escrow_order_id UNIQUE (order_id),
	CONSTRAINT ck_escrow_held CHECK (released >= 0 AND refunded >= 0 AND funded >= released + refunded)
)
-- ;;
CREATE TABLE ts.escrow_move (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	kind TEXT NOT NULL,
	amount NUMERIC(20, 4) NOT NULL,
	by TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_escrow_move PRIMARY KEY (id),
	CONSTRAINT fk_escrow_move_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT ck_escrow_move_kind CHECK (kind IN ('fund', 'release', 'refund') AND amount > 0)
)
-- ;;
CREATE INDEX ix_escrow_move_order ON ts.escrow_move (order_id)
-- ;;
CREATE TABLE ts.external_ref (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	kind TEXT NOT NULL,
	local_id UUID NOT NULL,
	external_id TEXT NOT NULL,
	external_number TEXT DEFAULT '' NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_external_ref PRIMARY KEY (id),
	CONSTRAINT uq_external_ref_tenant_id_connection_id_kind_local_id UNIQUE (tenant_id, connection_id, kind, local_id),
	CONSTRAINT uq_external_ref_tenant_id_connection_id_kind_external_id UNIQUE (tenant_id, connection_id, kind, external_id),
	CONSTRAINT fk_external_ref_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE TABLE ts.gate (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	key TEXT NOT NULL,
	stage TEXT NOT NULL,
	title TEXT NOT NULL,
	plugin TEXT,
	state TEXT DEFAULT 'open' NOT NULL,
	evidence TEXT DEFAULT '' NOT NULL,
	decided_by TEXT,
	decided_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_gate PRIMARY KEY (id),
	CONSTRAINT fk_gate_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT uq_gate_order_id_key UNIQUE (order_id, key),
	CONSTRAINT ck_gate_state CHECK (state IN ('open', 'satisfied', 'waived', 'failed'))
)
-- ;;
CREATE TABLE ts.hold (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	key TEXT NOT NULL,
	side TEXT NOT NULL,
	reason TEXT NOT NULL,
	blocks TEXT[] NOT NULL,
	placed_by TEXT NOT NULL,
	placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	lifted_by TEXT,
	lifted_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_hold PRIMARY KEY (id),
	CONSTRAINT fk_hold_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id)
)
-- ;;
CREATE INDEX ix_hold_open ON ts.hold (order_id) WHERE lifted_at IS NULL
-- ;;
CREATE TABLE ts.import_run (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	file_id UUID NOT NULL,
	charset TEXT NOT NULL,
	added INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	unchanged INTEGER NOT NULL,
	CONSTRAINT pk_import_run PRIMARY KEY (id),
	CONSTRAINT uq_import_run_tenant_id_id UNIQUE (tenant_id, id),
	CONSTRAINT fk_import_run_tenant_id_id FOREIGN KEY(tenant_id, id) REFERENCES ts.work_run (tenant_id, id)
)
-- ;;
CREATE TABLE ts.invoice (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	number TEXT NOT NULL,
	kind TEXT NOT NULL,
	order_id UUID NOT NULL,
	original_id UUID,
	currency TEXT NOT NULL,
	net NUMERIC(20, 4) NOT NULL,
	tax NUMERIC(20, 4) NOT NULL,
	total NUMERIC(20, 4) NOT NULL,
	settled NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	credited NUMERIC(20, 4) DEFAULT 0 NOT NULL,
	state TEXT NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	issued_on DATE NOT NULL,
	due_on DATE NOT NULL,
	issued_by TEXT NOT NULL,
	issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
	buyer_title TEXT NOT NULL,
	buyer_code TEXT NOT NULL,
	seller_title TEXT NOT NULL,
	seller_code TEXT NOT NULL,
	payee_name TEXT DEFAULT '' NOT NULL,
	payee_bank TEXT DEFAULT '' NOT NULL,
	payee_account TEXT DEFAULT '' NOT NULL,
	payee_reason TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_invoice PRIMARY KEY (id),
	CONSTRAINT uq_invoice_id_buyer_id_seller_id UNIQUE (id, buyer_id, seller_id),
	CONSTRAINT uq_invoice_seller_id_number UNIQUE (seller_id, number),
	CONSTRAINT fk_invoice_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT ck_invoice_kind CHECK (kind IN ('blue', 'red')),
	CONSTRAINT ck_invoice_state CHECK (state IN ('issued', 'part_paid', 'paid', 'credited')),
	CONSTRAINT ck_invoice_sums CHECK (total = net + tax),
	CONSTRAINT ck_invoice_money CHECK (CASE kind WHEN 'blue' THEN total >= 0 AND settled >= 0 AND credited >= 0 AND settled + credited <= total ELSE total <= 0 AND settled = 0 AND credited = 0 AND original_id IS NOT NULL END)
)
-- ;;
CREATE INDEX ix_invoice_buyer_new ON ts.invoice (buyer_id, id DESC)
-- ;;
CREATE INDEX ix_invoice_open ON ts.invoice (seller_id, buyer_id, due_on) WHERE state IN ('issued', 'part_paid')
-- ;;
CREATE INDEX ix_invoice_order ON ts.invoice (order_id)
-- ;;
CREATE INDEX ix_invoice_original ON ts.invoice (original_id) WHERE original_id IS NOT NULL
-- ;;
CREATE INDEX ix_invoice_seller_new ON ts.invoice (seller_id, id DESC)
-- ;;
CREATE TABLE ts.invoice_details (
	tenant_id UUID NOT NULL,
	title TEXT NOT NULL,
	tax_no TEXT NOT NULL,
	registered_address TEXT NOT NULL,
	phone TEXT NOT NULL,
	bank TEXT NOT NULL,
	bank_code TEXT,
	account TEXT NOT NULL,
	email TEXT,
	version INTEGER NOT NULL,
	CONSTRAINT pk_invoice_details PRIMARY KEY (tenant_id),
	CONSTRAINT fk_invoice_details_tenant_id FOREIGN KEY(tenant_id) REFERENCES ts.enterprise (id)
)
-- ;;
CREATE TABLE ts.ledger_entry (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	txn_id UUID NOT NULL,
	account_id UUID NOT NULL,
	currency TEXT NOT NULL,
	no INTEGER NOT NULL,
	amount NUMERIC(24, 4) NOT NULL,
	CONSTRAINT pk_ledger_entry PRIMARY KEY (id),
	CONSTRAINT fk_ledger_entry_tenant_id_txn_id_currency FOREIGN KEY(tenant_id, txn_id, currency) REFERENCES ts.ledger_txn (tenant_id, id, currency),
	CONSTRAINT fk_ledger_entry_tenant_id_account_id_currency FOREIGN KEY(tenant_id, account_id, currency) REFERENCES ts.account (tenant_id, id, currency),
	CONSTRAINT uq_ledger_entry_tenant_id_txn_id_no UNIQUE (tenant_id, txn_id, no),
	CONSTRAINT ck_ledger_entry_amount CHECK (amount <> 0)
)
-- ;;
CREATE INDEX ix_ledger_entry_statement ON ts.ledger_entry (tenant_id, account_id, id)
-- ;;
CREATE TABLE ts.order_event (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	numbered BOOLEAN NOT NULL,
	version INTEGER NOT NULL,
	verb TEXT NOT NULL,
	source TEXT NOT NULL,
	target TEXT NOT NULL,
	side TEXT NOT NULL,
	actor TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	detail JSONB DEFAULT '{}' NOT NULL,
	CONSTRAINT pk_order_event PRIMARY KEY (id),
	CONSTRAINT fk_order_event_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT uq_order_event_order_id_version UNIQUE (order_id, version)
)
-- ;;
CREATE TABLE ts.order_line (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	no INTEGER NOT NULL,
	numbered BOOLEAN NOT NULL,
	sku_id UUID NOT NULL,
	sku_code TEXT NOT NULL,
	name_zh TEXT NOT NULL,
	name_en TEXT NOT NULL,
	spec TEXT DEFAULT '' NOT NULL,
	unit TEXT NOT NULL,
	quantity NUMERIC(20, 6) NOT NULL,
	factor NUMERIC(20, 6) DEFAULT 1 NOT NULL,
	unit_price NUMERIC(20, 6) NOT NULL,
	tax_incl BOOLEAN NOT NULL,
	vat_rate NUMERIC(20, 6) NOT NULL,
	net NUMERIC(20, 4) NOT NULL,
	tax NUMERIC(20, 4) NOT NULL,
	gross NUMERIC(20, 4) NOT NULL,
	components JSONB DEFAULT '[]' NOT NULL,
	over_tol NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	shipped NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	received NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	accepted NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	rejected NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	short_closed NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	invoiced NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	CONSTRAINT pk_order_line PRIMARY KEY (id),
	CONSTRAINT fk_order_line_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT uq_order_line_order_id_no UNIQUE (order_id, no),
	CONSTRAINT ck_order_line_positive CHECK (quantity > 0 AND factor > 0),
	CONSTRAINT ck_order_line_i1_disposed CHECK (accepted + rejected <= received),
	CONSTRAINT ck_order_line_i2_shipped CHECK (shipped <= quantity * (1 + over_tol)),
	CONSTRAINT ck_order_line_i3_invoiced CHECK (invoiced <= accepted),
	CONSTRAINT ck_order_line_i7_short CHECK (short_closed >= 0 AND short_closed <= quantity),
	CONSTRAINT ck_order_line_sums CHECK (gross = net + tax)
)
-- ;;
CREATE TABLE ts.order_message (
	tenant_id UUID NOT NULL,
	other_id UUID,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	side TEXT NOT NULL,
	author TEXT NOT NULL,
	text TEXT NOT NULL,
	file_id UUID,
	file_name TEXT,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_order_message PRIMARY KEY (id),
	CONSTRAINT fk_order_message_order_id FOREIGN KEY(order_id) REFERENCES ts.trade_order (id),
	CONSTRAINT ck_order_message_text CHECK (length(text) BETWEEN 1 AND 2000),
	CONSTRAINT ck_order_message_file CHECK ((file_id IS NULL) = (file_name IS NULL))
)
-- ;;
CREATE INDEX ix_order_message_order ON ts.order_message (order_id, at DESC, id DESC)
-- ;;
CREATE TABLE ts.order_talk (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	order_id UUID NOT NULL,
	waits_for TEXT,
	last_id UUID NOT NULL,
	since TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_order_talk PRIMARY KEY (order_id),
	CONSTRAINT fk_order_talk_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT ck_order_talk_waits_for CHECK (waits_for IN ('buyer', 'seller'))
)
-- ;;
CREATE INDEX ix_order_talk_buyer ON ts.order_talk (buyer_id, since) WHERE waits_for = 'buyer'
-- ;;
CREATE INDEX ix_order_talk_seller ON ts.order_talk (seller_id, since) WHERE waits_for = 'seller'
-- ;;
CREATE TABLE ts.order_version (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	no INTEGER NOT NULL,
	terms JSONB NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_order_version PRIMARY KEY (id),
	CONSTRAINT fk_order_version_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT uq_order_version_order_id_no UNIQUE (order_id, no)
)
-- ;;
CREATE TABLE ts.plan_item (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	no INTEGER NOT NULL,
	kind TEXT NOT NULL,
	amount NUMERIC(20, 4) NOT NULL,
	due_base TEXT NOT NULL,
	due_days INTEGER NOT NULL,
	gate TEXT,
	CONSTRAINT pk_plan_item PRIMARY KEY (id),
	CONSTRAINT fk_plan_item_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT uq_plan_item_order_id_no UNIQUE (order_id, no),
	CONSTRAINT ck_plan_item_amount CHECK (amount >= 0)
)
-- ;;
CREATE TABLE ts.product (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	code TEXT NOT NULL,
	category_id UUID,
	category_path TEXT NOT NULL,
	name_zh TEXT NOT NULL,
	name_en TEXT NOT NULL,
	spec TEXT NOT NULL,
	base_uom TEXT NOT NULL,
	tax_class TEXT NOT NULL,
	weight_kg NUMERIC(20, 6),
	attributes JSONB NOT NULL,
	part_no TEXT NOT NULL,
	words TEXT NOT NULL,
	code_key TEXT NOT NULL,
	part_key TEXT NOT NULL,
	search TSVECTOR NOT NULL,
	status TEXT NOT NULL,
	version INTEGER NOT NULL,
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_product PRIMARY KEY (id),
	CONSTRAINT uq_product_tenant_id_code UNIQUE (tenant_id, code),
	CONSTRAINT uq_product_tenant_id_id UNIQUE (tenant_id, id),
	CONSTRAINT ck_product_status CHECK (status IN ('draft', 'active', 'withdrawn')),
	CONSTRAINT ck_product_weight CHECK (weight_kg > 0),
	CONSTRAINT fk_product_category_id FOREIGN KEY(category_id) REFERENCES ts.category (id)
)
-- ;;
CREATE INDEX ix_product_category_id ON ts.product (category_id)
-- ;;
CREATE INDEX ix_product_search ON ts.product USING gin (search)
-- ;;
CREATE INDEX ix_product_shelf ON ts.product (tenant_id, category_path text_pattern_ops, code)
-- ;;
CREATE INDEX ix_product_state ON ts.product (tenant_id, status, code)
-- ;;
CREATE TABLE ts.proposal (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	kind TEXT NOT NULL,
	side TEXT NOT NULL,
	body JSONB NOT NULL,
	reason TEXT NOT NULL,
	proposed_by TEXT NOT NULL,
	proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	state TEXT DEFAULT 'open' NOT NULL,
	answered_by TEXT,
	answered_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_proposal PRIMARY KEY (id),
	CONSTRAINT fk_proposal_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT ck_proposal_state CHECK (state IN ('open', 'agreed', 'refused', 'withdrawn'))
)
-- ;;
CREATE UNIQUE INDEX uq_proposal_open ON ts.proposal (order_id) WHERE state = 'open'
-- ;;
CREATE TABLE ts.receipt (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	number TEXT NOT NULL,
	shipment_id UUID NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	received_by TEXT NOT NULL,
	received_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reversed_by TEXT,
	reversed_at TIMESTAMP WITH TIME ZONE,
	reversed_why TEXT,
	CONSTRAINT pk_receipt PRIMARY KEY (id),
	CONSTRAINT uq_receipt_id_buyer_id_seller_id UNIQUE (id, buyer_id, seller_id),
	CONSTRAINT uq_receipt_buyer_id_number UNIQUE (buyer_id, number),
	CONSTRAINT fk_receipt_shipment_id_buyer_id_seller_id FOREIGN KEY(shipment_id, buyer_id, seller_id) REFERENCES ts.shipment (id, buyer_id, seller_id)
)
-- ;;
CREATE INDEX ix_receipt_shipment ON ts.receipt (shipment_id)
-- ;;
CREATE TABLE ts.refund (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	payment_id UUID NOT NULL,
	amount NUMERIC(20, 4) NOT NULL,
	bank_ref TEXT NOT NULL,
	reason TEXT NOT NULL,
	by TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_refund PRIMARY KEY (id),
	CONSTRAINT fk_refund_payment_id_buyer_id_seller_id FOREIGN KEY(payment_id, buyer_id, seller_id) REFERENCES ts.payment (id, buyer_id, seller_id),
	CONSTRAINT uq_refund_payment_id_bank_ref UNIQUE (payment_id, bank_ref),
	CONSTRAINT ck_refund_positive CHECK (amount > 0)
)
-- ;;
CREATE TABLE ts.sync_document (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	kind TEXT NOT NULL,
	object_id UUID NOT NULL,
	order_id UUID,
	intent TEXT NOT NULL,
	version INTEGER NOT NULL,
	idem_key TEXT NOT NULL,
	reference TEXT NOT NULL,
	partner TEXT DEFAULT '' NOT NULL,
	total NUMERIC(20, 4) NOT NULL,
	currency TEXT DEFAULT 'CNY' NOT NULL,
	dated_on DATE DEFAULT CURRENT_DATE NOT NULL,
	body JSONB NOT NULL,
	state TEXT DEFAULT 'new' NOT NULL,
	attempt INTEGER DEFAULT 0 NOT NULL,
	tries INTEGER DEFAULT 0 NOT NULL,
	lease_until TIMESTAMP WITH TIME ZONE,
	not_before TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	remote_id TEXT,
	remote_number TEXT,
	cause TEXT,
	cause_field TEXT DEFAULT '' NOT NULL,
	cause_text TEXT DEFAULT '' NOT NULL,
	exchanges JSONB DEFAULT '[]' NOT NULL,
	trace_id TEXT DEFAULT '' NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_sync_document PRIMARY KEY (id),
	CONSTRAINT uq_sync_document_tenant_id_connection_id_kind_idem_key UNIQUE (tenant_id, connection_id, kind, idem_key),
	CONSTRAINT ck_sync_document_state CHECK (state IN ('new', 'sending', 'unknown', 'done', 'failed', 'held', 'superseded')),
	CONSTRAINT ck_sync_document_intent CHECK (intent IN ('create', 'change', 'cancel')),
	CONSTRAINT fk_sync_document_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE INDEX ix_sync_document_connection_state ON ts.sync_document (tenant_id, connection_id, state, id)
-- ;;
CREATE INDEX ix_sync_document_day ON ts.sync_document (tenant_id, connection_id, kind, dated_on)
-- ;;
CREATE INDEX ix_sync_document_done ON ts.sync_document (tenant_id, connection_id, changed_at) WHERE state = 'done'
-- ;;
CREATE INDEX ix_sync_document_due ON ts.sync_document (connection_id, not_before, id) WHERE state IN ('new', 'sending', 'unknown')
-- ;;
CREATE INDEX ix_sync_document_flying ON ts.sync_document (connection_id, lease_until) WHERE state IN ('sending', 'unknown') AND lease_until IS NOT NULL
-- ;;
CREATE INDEX ix_sync_document_object ON ts.sync_document (object_id, version)
-- ;;
CREATE INDEX ix_sync_document_order ON ts.sync_document (tenant_id, order_id)
-- ;;
CREATE INDEX ix_sync_document_reference ON ts.sync_document (tenant_id, connection_id, reference)
-- ;;
CREATE TABLE ts.sync_drill (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	state TEXT DEFAULT 'running' NOT NULL,
	asked_by TEXT NOT NULL,
	asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	sample JSONB NOT NULL,
	total INTEGER NOT NULL,
	results JSONB DEFAULT '[]' NOT NULL,
	said TEXT DEFAULT '' NOT NULL,
	report JSONB,
	attempt INTEGER DEFAULT 0 NOT NULL,
	lease_until TIMESTAMP WITH TIME ZONE,
	turned_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_sync_drill PRIMARY KEY (id),
	CONSTRAINT uq_sync_drill_tenant_id_id UNIQUE (tenant_id, id),
	CONSTRAINT ck_sync_drill_state CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
	CONSTRAINT ck_sync_drill_ended CHECK ((ended_at IS NOT NULL) = (state <> 'running')),
	CONSTRAINT fk_sync_drill_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE INDEX ix_sync_drill_connection_new ON ts.sync_drill (tenant_id, connection_id, asked_at DESC)
-- ;;
CREATE INDEX ix_sync_drill_due ON ts.sync_drill (turned_at, id) WHERE state = 'running'
-- ;;
CREATE TABLE ts.sync_mapping (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	no INTEGER NOT NULL,
	document JSONB NOT NULL,
	author TEXT NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_sync_mapping PRIMARY KEY (id),
	CONSTRAINT uq_sync_mapping_tenant_id_connection_id_no UNIQUE (tenant_id, connection_id, no),
	CONSTRAINT ck_sync_mapping_no_positive CHECK (no > 0),
	CONSTRAINT fk_sync_mapping_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE TABLE ts.sync_push (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	key TEXT NOT NULL,
	kind TEXT DEFAULT '' NOT NULL,
	path TEXT DEFAULT '' NOT NULL,
	body TEXT NOT NULL,
	records JSONB DEFAULT '[]' NOT NULL,
	state TEXT NOT NULL,
	said TEXT DEFAULT '' NOT NULL,
	stored INTEGER DEFAULT 0 NOT NULL,
	skipped INTEGER DEFAULT 0 NOT NULL,
	answer_status INTEGER NOT NULL,
	answer_type TEXT NOT NULL,
	answer BYTEA NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	landed_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_sync_push PRIMARY KEY (id),
	CONSTRAINT uq_sync_push_tenant_id_connection_id_key UNIQUE (tenant_id, connection_id, key),
	CONSTRAINT ck_sync_push_state CHECK (state IN ('landed', 'waiting', 'refused')),
	CONSTRAINT fk_sync_push_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE INDEX ix_sync_push_new ON ts.sync_push (tenant_id, connection_id, id DESC)
-- ;;
CREATE INDEX ix_sync_push_refused ON ts.sync_push (connection_id, id) WHERE state = 'refused'
-- ;;
CREATE INDEX ix_sync_push_waiting ON ts.sync_push (connection_id, id) WHERE state = 'waiting'
-- ;;
CREATE TABLE ts.sync_run (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	stream TEXT NOT NULL,
	trigger TEXT NOT NULL,
	state TEXT DEFAULT 'running' NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	total INTEGER,
	read INTEGER DEFAULT 0 NOT NULL,
	stored INTEGER DEFAULT 0 NOT NULL,
	skipped INTEGER DEFAULT 0 NOT NULL,
	said TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_sync_run PRIMARY KEY (id),
	CONSTRAINT ck_sync_run_state CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
	CONSTRAINT fk_sync_run_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE INDEX ix_sync_run_connection_new ON ts.sync_run (tenant_id, connection_id, started_at DESC)
-- ;;
CREATE TABLE ts.sync_stream (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	key TEXT NOT NULL,
	enabled BOOLEAN DEFAULT true NOT NULL,
	every_minutes INTEGER DEFAULT 60 NOT NULL,
	next_at TIMESTAMP WITH TIME ZONE,
	wanted_by TEXT DEFAULT '' NOT NULL,
	cursor TEXT,
	position TEXT,
	run_id UUID,
	attempt INTEGER DEFAULT 0 NOT NULL,
	lease_until TIMESTAMP WITH TIME ZONE,
	failures INTEGER DEFAULT 0 NOT NULL,
	CONSTRAINT pk_sync_stream PRIMARY KEY (id),
	CONSTRAINT uq_sync_stream_tenant_id_connection_id_key UNIQUE (tenant_id, connection_id, key),
	CONSTRAINT fk_sync_stream_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE INDEX ix_sync_stream_due ON ts.sync_stream (next_at) WHERE enabled OR wanted_by <> ''
-- ;;
CREATE TABLE ts.sync_tally (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	kind TEXT DEFAULT 'sales_order' NOT NULL,
	day DATE NOT NULL,
	state TEXT DEFAULT 'wanted' NOT NULL,
	asked_by TEXT DEFAULT '' NOT NULL,
	asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	ours INTEGER DEFAULT 0 NOT NULL,
	theirs INTEGER DEFAULT 0 NOT NULL,
	our_sums JSONB DEFAULT '{}' NOT NULL,
	their_sums JSONB DEFAULT '{}' NOT NULL,
	under_way INTEGER DEFAULT 0 NOT NULL,
	checked INTEGER DEFAULT 0 NOT NULL,
	total INTEGER DEFAULT 0 NOT NULL,
	differing INTEGER DEFAULT 0 NOT NULL,
	said TEXT DEFAULT '' NOT NULL,
	attempt INTEGER DEFAULT 0 NOT NULL,
	lease_until TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_sync_tally PRIMARY KEY (id),
	CONSTRAINT uq_sync_tally_tenant_id_connection_id_kind_day UNIQUE (tenant_id, connection_id, kind, day),
	CONSTRAINT ck_sync_tally_state CHECK (state IN ('wanted', 'running', 'done', 'failed')),
	CONSTRAINT fk_sync_tally_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE INDEX ix_sync_tally_due ON ts.sync_tally (asked_at) WHERE state IN ('wanted', 'running')
-- ;;
CREATE TABLE ts.sync_term (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	kind TEXT NOT NULL,
	external_id TEXT NOT NULL,
	number TEXT NOT NULL,
	name TEXT NOT NULL,
	code TEXT DEFAULT '' NOT NULL,
	active BOOLEAN DEFAULT true NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_sync_term PRIMARY KEY (id),
	CONSTRAINT uq_sync_term_tenant_id_connection_id_kind_external_id UNIQUE (tenant_id, connection_id, kind, external_id),
	CONSTRAINT ck_sync_term_kind CHECK (kind IN ('unit', 'partner')),
	CONSTRAINT fk_sync_term_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE TABLE ts.work_reason (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	run_id UUID NOT NULL,
	place INTEGER NOT NULL,
	field TEXT NOT NULL,
	code TEXT NOT NULL,
	detail JSONB NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_work_reason PRIMARY KEY (id),
	CONSTRAINT fk_work_reason_tenant_id_run_id FOREIGN KEY(tenant_id, run_id) REFERENCES ts.work_run (tenant_id, id)
)
-- ;;
CREATE INDEX ix_work_reason_run ON ts.work_reason (tenant_id, run_id, place, id)
-- ;;
CREATE TABLE auth.membership_limit (
	membership_id UUID NOT NULL,
	permission TEXT NOT NULL,
	amount NUMERIC(20, 4) NOT NULL,
	CONSTRAINT pk_membership_limit PRIMARY KEY (membership_id, permission),
	CONSTRAINT ck_membership_limit_not_negative CHECK (amount >= 0),
	CONSTRAINT fk_membership_limit_membership_id FOREIGN KEY(membership_id) REFERENCES auth.membership (id)
)
-- ;;
CREATE TABLE ts.allocation (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	payment_id UUID NOT NULL,
	order_id UUID NOT NULL,
	invoice_id UUID,
	amount NUMERIC(20, 4) NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_allocation PRIMARY KEY (id),
	CONSTRAINT fk_allocation_payment_id_buyer_id_seller_id FOREIGN KEY(payment_id, buyer_id, seller_id) REFERENCES ts.payment (id, buyer_id, seller_id),
	CONSTRAINT fk_allocation_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT fk_allocation_invoice_id_buyer_id_seller_id FOREIGN KEY(invoice_id, buyer_id, seller_id) REFERENCES ts.invoice (id, buyer_id, seller_id),
	CONSTRAINT ck_allocation_amount CHECK (amount <> 0)
)
-- ;;
CREATE INDEX ix_allocation_invoice ON ts.allocation (invoice_id)
-- ;;
CREATE INDEX ix_allocation_order ON ts.allocation (order_id)
-- ;;
CREATE INDEX ix_allocation_payment ON ts.allocation (payment_id)
-- ;;
CREATE TABLE ts.invoice_line (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	invoice_id UUID NOT NULL,
	order_line_id UUID NOT NULL,
	no INTEGER NOT NULL,
	quantity NUMERIC(20, 6) NOT NULL,
	unit_price NUMERIC(20, 6) NOT NULL,
	tax_incl BOOLEAN NOT NULL,
	vat_rate NUMERIC(20, 6) NOT NULL,
	net NUMERIC(20, 4) NOT NULL,
	tax NUMERIC(20, 4) NOT NULL,
	gross NUMERIC(20, 4) NOT NULL,
	CONSTRAINT pk_invoice_line PRIMARY KEY (id),
	CONSTRAINT uq_invoice_line_id_buyer_id_seller_id UNIQUE (id, buyer_id, seller_id),
	CONSTRAINT fk_invoice_line_invoice_id_buyer_id_seller_id FOREIGN KEY(invoice_id, buyer_id, seller_id) REFERENCES ts.invoice (id, buyer_id, seller_id),
	CONSTRAINT fk_invoice_line_order_line_id FOREIGN KEY(order_line_id) REFERENCES ts.order_line (id),
	CONSTRAINT uq_invoice_line_invoice_id_no UNIQUE (invoice_id, no),
	CONSTRAINT ck_invoice_line_sums CHECK (gross = net + tax)
)
-- ;;
CREATE INDEX ix_invoice_line_order_line ON ts.invoice_line (order_line_id)
-- ;;
CREATE TABLE ts.listing (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	code TEXT NOT NULL,
	category_path TEXT NOT NULL,
	name_zh TEXT NOT NULL,
	name_en TEXT NOT NULL,
	spec TEXT NOT NULL,
	base_uom TEXT NOT NULL,
	tax_class TEXT NOT NULL,
	weight_kg NUMERIC(20, 6),
	attributes JSONB NOT NULL,
	part_no TEXT NOT NULL,
	code_key TEXT NOT NULL,
	part_key TEXT NOT NULL,
	search TSVECTOR NOT NULL,
	public_price NUMERIC(20, 6),
	price_currency TEXT NOT NULL,
	price_tax_incl BOOLEAN NOT NULL,
	status TEXT NOT NULL,
	version INTEGER NOT NULL,
	listed_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_listing PRIMARY KEY (id),
	CONSTRAINT fk_listing_tenant_id_id FOREIGN KEY(tenant_id, id) REFERENCES ts.product (tenant_id, id),
	CONSTRAINT ck_listing_status CHECK (status IN ('listed', 'withdrawn'))
)
-- ;;
CREATE INDEX ix_listing_cheap ON ts.listing (coalesce(public_price, 1e15), id) WHERE status = 'listed'
-- ;;
CREATE INDEX ix_listing_code ON ts.listing (code, id) WHERE status = 'listed'
-- ;;
CREATE INDEX ix_listing_code_key ON ts.listing (code_key text_pattern_ops)
-- ;;
CREATE INDEX ix_listing_dear ON ts.listing (coalesce(public_price, -1), id) WHERE status = 'listed'
-- ;;
CREATE INDEX ix_listing_part_key ON ts.listing (part_key text_pattern_ops)
-- ;;
CREATE INDEX ix_listing_search ON ts.listing USING gin (search)
-- ;;
CREATE INDEX ix_listing_seller ON ts.listing (tenant_id, code, id) WHERE status = 'listed'
-- ;;
CREATE INDEX ix_listing_shelf ON ts.listing (category_path text_pattern_ops, code)
-- ;;
CREATE TABLE ts.lot (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	product_id UUID NOT NULL,
	warehouse_id UUID NOT NULL,
	lot_no TEXT NOT NULL,
	heat_no TEXT NOT NULL,
	expires_on DATE,
	on_hand NUMERIC(20, 6) NOT NULL,
	held NUMERIC(20, 6) NOT NULL,
	received_at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_lot PRIMARY KEY (id),
	CONSTRAINT uq_lot_tenant_id_product_id_warehouse_id_lot_no UNIQUE (tenant_id, product_id, warehouse_id, lot_no),
	CONSTRAINT uq_lot_tenant_id_id UNIQUE (tenant_id, id),
	CONSTRAINT fk_lot_tenant_id_product_id FOREIGN KEY(tenant_id, product_id) REFERENCES ts.product (tenant_id, id),
	CONSTRAINT fk_lot_tenant_id_warehouse_id FOREIGN KEY(tenant_id, warehouse_id) REFERENCES ts.warehouse (tenant_id, id),
	CONSTRAINT ck_lot_on_hand CHECK (on_hand >= 0),
	CONSTRAINT ck_lot_held CHECK (held >= 0 AND held <= on_hand)
)
-- ;;
CREATE INDEX ix_lot_heat ON ts.lot (tenant_id, product_id, heat_no)
-- ;;
CREATE TABLE ts.partner_relation (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	partner_id UUID NOT NULL,
	code TEXT,
	price_group TEXT,
	credit_limit NUMERIC(20, 4),
	terms_days INTEGER,
	blocked BOOLEAN NOT NULL,
	note TEXT,
	version INTEGER NOT NULL,
	CONSTRAINT pk_partner_relation PRIMARY KEY (id),
	CONSTRAINT uq_partner_relation_tenant_id_partner_id UNIQUE (tenant_id, partner_id),
	CONSTRAINT uq_partner_relation_tenant_id_code UNIQUE (tenant_id, code),
	CONSTRAINT ck_partner_relation_somebody_else CHECK (tenant_id <> partner_id),
	CONSTRAINT ck_partner_relation_credit_not_negative CHECK (credit_limit >= 0),
	CONSTRAINT ck_partner_relation_terms_within_a_year CHECK (terms_days BETWEEN 0 AND 365),
	CONSTRAINT fk_partner_relation_partner_id FOREIGN KEY(partner_id) REFERENCES ts.enterprise_card (tenant_id)
)
-- ;;
CREATE TABLE ts.payment_target (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	payment_id UUID NOT NULL,
	invoice_id UUID NOT NULL,
	amount NUMERIC(20, 4),
	CONSTRAINT pk_payment_target PRIMARY KEY (id),
	CONSTRAINT fk_payment_target_payment_id_buyer_id_seller_id FOREIGN KEY(payment_id, buyer_id, seller_id) REFERENCES ts.payment (id, buyer_id, seller_id),
	CONSTRAINT fk_payment_target_invoice_id_buyer_id_seller_id FOREIGN KEY(invoice_id, buyer_id, seller_id) REFERENCES ts.invoice (id, buyer_id, seller_id),
	CONSTRAINT uq_payment_target_payment_id_invoice_id UNIQUE (payment_id, invoice_id),
	CONSTRAINT ck_payment_target_positive CHECK (amount > 0)
)
-- ;;
CREATE INDEX ix_payment_target_invoice ON ts.payment_target (invoice_id)
-- ;;
CREATE TABLE ts.price_row (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	price_list_id UUID NOT NULL,
	product_id UUID NOT NULL,
	min_qty NUMERIC(20, 6) NOT NULL,
	price NUMERIC(20, 6) NOT NULL,
	CONSTRAINT pk_price_row PRIMARY KEY (id),
	CONSTRAINT uq_price_row_tenant_id_product_id_price_list_id_min_qty UNIQUE (tenant_id, product_id, price_list_id, min_qty),
	CONSTRAINT fk_price_row_tenant_id_price_list_id FOREIGN KEY(tenant_id, price_list_id) REFERENCES ts.price_list (tenant_id, id),
	CONSTRAINT fk_price_row_tenant_id_product_id FOREIGN KEY(tenant_id, product_id) REFERENCES ts.product (tenant_id, id),
	CONSTRAINT ck_price_row_min_qty CHECK (min_qty >= 0),
	CONSTRAINT ck_price_row_price CHECK (price >= 0)
)
-- ;;
CREATE INDEX ix_price_row_list ON ts.price_row (tenant_id, price_list_id, product_id)
-- ;;
CREATE TABLE ts.shipment_line (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	shipment_id UUID NOT NULL,
	order_id UUID NOT NULL,
	order_line_id UUID NOT NULL,
	quantity NUMERIC(20, 6) NOT NULL,
	base_quantity NUMERIC(20, 6) NOT NULL,
	received NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	CONSTRAINT pk_shipment_line PRIMARY KEY (id),
	CONSTRAINT uq_shipment_line_id_buyer_id_seller_id UNIQUE (id, buyer_id, seller_id),
	CONSTRAINT fk_shipment_line_shipment_id_buyer_id_seller_id FOREIGN KEY(shipment_id, buyer_id, seller_id) REFERENCES ts.shipment (id, buyer_id, seller_id),
	CONSTRAINT fk_shipment_line_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT fk_shipment_line_order_line_id FOREIGN KEY(order_line_id) REFERENCES ts.order_line (id),
	CONSTRAINT uq_shipment_line_shipment_id_order_line_id UNIQUE (shipment_id, order_line_id),
	CONSTRAINT ck_shipment_line_positive CHECK (quantity > 0 AND base_quantity > 0 AND received >= 0)
)
-- ;;
CREATE INDEX ix_shipment_line_order ON ts.shipment_line (order_id)
-- ;;
CREATE INDEX ix_shipment_line_order_line ON ts.shipment_line (order_line_id)
-- ;;
CREATE TABLE ts.short_close (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	order_line_id UUID NOT NULL,
	quantity NUMERIC(20, 6) NOT NULL,
	reason TEXT NOT NULL,
	side TEXT NOT NULL,
	asked_by TEXT NOT NULL,
	asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
	state TEXT NOT NULL,
	answered_by TEXT,
	answered_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_short_close PRIMARY KEY (id),
	CONSTRAINT fk_short_close_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT fk_short_close_order_line_id FOREIGN KEY(order_line_id) REFERENCES ts.order_line (id),
	CONSTRAINT ck_short_close_positive CHECK (quantity > 0),
	CONSTRAINT ck_short_close_state CHECK (state IN ('open', 'done', 'refused'))
)
-- ;;
CREATE INDEX ix_short_close_order ON ts.short_close (order_id)
-- ;;
CREATE UNIQUE INDEX uq_short_close_open ON ts.short_close (order_line_id) WHERE state = 'open'
-- ;;
CREATE TABLE ts.stock_level (
	tenant_id UUID NOT NULL,
	product_id UUID NOT NULL,
	warehouse_id UUID NOT NULL,
	on_hand NUMERIC(20, 6) NOT NULL,
	hard NUMERIC(20, 6) NOT NULL,
	soft NUMERIC(20, 6) NOT NULL,
	CONSTRAINT pk_stock_level PRIMARY KEY (tenant_id, product_id, warehouse_id),
	CONSTRAINT fk_stock_level_tenant_id_product_id FOREIGN KEY(tenant_id, product_id) REFERENCES ts.product (tenant_id, id),
	CONSTRAINT fk_stock_level_tenant_id_warehouse_id FOREIGN KEY(tenant_id, warehouse_id) REFERENCES ts.warehouse (tenant_id, id),
	CONSTRAINT ck_stock_level_on_hand CHECK (on_hand >= 0),
	CONSTRAINT ck_stock_level_hard CHECK (hard >= 0),
	CONSTRAINT ck_stock_level_soft CHECK (soft >= 0),
	CONSTRAINT ck_stock_level_promised CHECK (hard + soft <= on_hand)
)
 WITH (fillfactor = 70)
-- ;;
CREATE TABLE ts.sync_difference (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	tally_id UUID NOT NULL,
	reference TEXT NOT NULL,
	kind TEXT NOT NULL,
	act TEXT NOT NULL,
	currency TEXT DEFAULT '' NOT NULL,
	ours NUMERIC(20, 4),
	theirs NUMERIC(20, 4),
	document_id UUID,
	object_id UUID,
	acted_by TEXT DEFAULT '' NOT NULL,
	acted_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_sync_difference PRIMARY KEY (id),
	CONSTRAINT uq_sync_difference_tenant_id_tally_id_reference UNIQUE (tenant_id, tally_id, reference),
	CONSTRAINT ck_sync_difference_kind CHECK (kind IN ('missing_there', 'missing_here', 'differs', 'cancelled_there', 'alive_there', 'twice_there')),
	CONSTRAINT ck_sync_difference_act CHECK (act IN ('replay', 'look', 'cancel')),
	CONSTRAINT fk_sync_difference_tally_id FOREIGN KEY(tally_id) REFERENCES ts.sync_tally (id) ON DELETE CASCADE,
	CONSTRAINT fk_sync_difference_document_id FOREIGN KEY(document_id) REFERENCES ts.sync_document (id)
)
-- ;;
CREATE TABLE ts.sync_figure (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	product_id UUID NOT NULL,
	warehouse TEXT NOT NULL,
	quantity NUMERIC(20, 6) NOT NULL,
	first_at TIMESTAMP WITH TIME ZONE NOT NULL,
	told_at TIMESTAMP WITH TIME ZONE NOT NULL,
	agreed NUMERIC(20, 6),
	agreed_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_sync_figure PRIMARY KEY (id),
	CONSTRAINT uq_sync_figure_tenant_id_connection_id_product_id_warehouse UNIQUE (tenant_id, connection_id, product_id, warehouse),
	CONSTRAINT fk_sync_figure_tenant_id_product_id FOREIGN KEY(tenant_id, product_id) REFERENCES ts.product (tenant_id, id),
	CONSTRAINT ck_sync_figure_agreed CHECK ((agreed IS NULL) = (agreed_at IS NULL)),
	CONSTRAINT fk_sync_figure_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE TABLE ts.sync_issue (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	run_id UUID,
	push_id UUID,
	external_id TEXT NOT NULL,
	code TEXT NOT NULL,
	said TEXT NOT NULL,
	record JSONB NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_sync_issue PRIMARY KEY (id),
	CONSTRAINT ck_sync_issue_source CHECK ((run_id IS NULL) <> (push_id IS NULL)),
	CONSTRAINT fk_sync_issue_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id),
	CONSTRAINT fk_sync_issue_run_id FOREIGN KEY(run_id) REFERENCES ts.sync_run (id),
	CONSTRAINT fk_sync_issue_push_id FOREIGN KEY(push_id) REFERENCES ts.sync_push (id)
)
-- ;;
CREATE INDEX ix_sync_issue_new ON ts.sync_issue (tenant_id, connection_id, id)
-- ;;
CREATE INDEX ix_sync_issue_push ON ts.sync_issue (tenant_id, push_id)
-- ;;
CREATE INDEX ix_sync_issue_run ON ts.sync_issue (tenant_id, run_id, id)
-- ;;
CREATE INDEX ix_sync_issue_same ON ts.sync_issue (tenant_id, connection_id, code, external_id)
-- ;;
CREATE TABLE ts.sync_move (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	connection_id UUID NOT NULL,
	external_id TEXT NOT NULL,
	product_id UUID NOT NULL,
	warehouse TEXT NOT NULL,
	quantity NUMERIC(20, 6) NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	reference TEXT DEFAULT '' NOT NULL,
	day DATE NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_sync_move PRIMARY KEY (id),
	CONSTRAINT uq_sync_move_tenant_id_connection_id_external_id UNIQUE (tenant_id, connection_id, external_id),
	CONSTRAINT fk_sync_move_tenant_id_product_id FOREIGN KEY(tenant_id, product_id) REFERENCES ts.product (tenant_id, id),
	CONSTRAINT ck_sync_move_quantity CHECK (quantity <> 0),
	CONSTRAINT fk_sync_move_connection_id FOREIGN KEY(connection_id) REFERENCES ts.erp_connection (id)
)
-- ;;
CREATE INDEX ix_sync_move_connection ON ts.sync_move (tenant_id, connection_id, id)
-- ;;
CREATE INDEX ix_sync_move_product ON ts.sync_move (tenant_id, connection_id, product_id, warehouse, at)
-- ;;
CREATE TABLE ts.uom_conversion (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	product_id UUID NOT NULL,
	uom TEXT NOT NULL,
	factor NUMERIC(20, 6) NOT NULL,
	kind TEXT NOT NULL,
	CONSTRAINT pk_uom_conversion PRIMARY KEY (id),
	CONSTRAINT uq_uom_conversion_tenant_id_product_id_uom UNIQUE (tenant_id, product_id, uom),
	CONSTRAINT fk_uom_conversion_tenant_id_product_id FOREIGN KEY(tenant_id, product_id) REFERENCES ts.product (tenant_id, id),
	CONSTRAINT ck_uom_conversion_factor CHECK (factor > 0),
	CONSTRAINT ck_uom_conversion_kind CHECK (kind IN ('fixed', 'theoretical'))
)
-- ;;
CREATE TABLE ts.write_off (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	invoice_id UUID NOT NULL,
	amount NUMERIC(20, 4) NOT NULL,
	reason TEXT NOT NULL,
	by TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_write_off PRIMARY KEY (id),
	CONSTRAINT fk_write_off_invoice_id_buyer_id_seller_id FOREIGN KEY(invoice_id, buyer_id, seller_id) REFERENCES ts.invoice (id, buyer_id, seller_id),
	CONSTRAINT ck_write_off_amount CHECK (amount <> 0)
)
-- ;;
CREATE INDEX ix_write_off_invoice ON ts.write_off (invoice_id)
-- ;;
CREATE TABLE ts.receipt_line (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	receipt_id UUID NOT NULL,
	shipment_line_id UUID NOT NULL,
	order_id UUID NOT NULL,
	order_line_id UUID NOT NULL,
	received NUMERIC(20, 6) NOT NULL,
	accepted NUMERIC(20, 6) NOT NULL,
	rejected NUMERIC(20, 6) NOT NULL,
	over_held NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	excess_accepted NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	excess_returned NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	returned NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	reopened NUMERIC(20, 6) DEFAULT 0 NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_receipt_line PRIMARY KEY (id),
	CONSTRAINT uq_receipt_line_id_buyer_id_seller_id UNIQUE (id, buyer_id, seller_id),
	CONSTRAINT fk_receipt_line_receipt_id_buyer_id_seller_id FOREIGN KEY(receipt_id, buyer_id, seller_id) REFERENCES ts.receipt (id, buyer_id, seller_id),
	CONSTRAINT fk_receipt_line_shipment_line_id_buyer_id_seller_id FOREIGN KEY(shipment_line_id, buyer_id, seller_id) REFERENCES ts.shipment_line (id, buyer_id, seller_id),
	CONSTRAINT fk_receipt_line_order_id_buyer_id_seller_id FOREIGN KEY(order_id, buyer_id, seller_id) REFERENCES ts.trade_order (id, buyer_id, seller_id),
	CONSTRAINT fk_receipt_line_order_line_id FOREIGN KEY(order_line_id) REFERENCES ts.order_line (id),
	CONSTRAINT uq_receipt_line_receipt_id_shipment_line_id UNIQUE (receipt_id, shipment_line_id),
	CONSTRAINT ck_receipt_line_positive CHECK (received >= 0 AND accepted >= 0 AND rejected >= 0 AND over_held >= 0),
	CONSTRAINT ck_receipt_line_disposed CHECK (accepted + rejected <= received),
	CONSTRAINT ck_receipt_line_returned CHECK (returned >= 0 AND returned <= rejected AND reopened >= 0 AND reopened <= returned)
)
-- ;;
CREATE INDEX ix_receipt_line_order ON ts.receipt_line (order_id)
-- ;;
CREATE INDEX ix_receipt_line_order_line ON ts.receipt_line (order_line_id)
-- ;;
CREATE INDEX ix_receipt_line_shipment_line ON ts.receipt_line (shipment_line_id)
-- ;;
CREATE TABLE ts.reservation (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	order_id UUID NOT NULL,
	line_id UUID NOT NULL,
	product_id UUID NOT NULL,
	warehouse_id UUID NOT NULL,
	lot_id UUID,
	qty NUMERIC(20, 6) NOT NULL,
	kind TEXT NOT NULL,
	until TIMESTAMP WITH TIME ZONE,
	closed_at TIMESTAMP WITH TIME ZONE,
	outcome TEXT,
	CONSTRAINT pk_reservation PRIMARY KEY (id),
	CONSTRAINT fk_reservation_tenant_id_product_id_warehouse_id FOREIGN KEY(tenant_id, product_id, warehouse_id) REFERENCES ts.stock_level (tenant_id, product_id, warehouse_id),
	CONSTRAINT ck_reservation_qty CHECK (qty >= 0),
	CONSTRAINT ck_reservation_kind CHECK (kind IN ('soft', 'hard')),
	CONSTRAINT ck_reservation_until CHECK ((kind = 'soft') = (until IS NOT NULL)),
	CONSTRAINT ck_reservation_outcome CHECK ((closed_at IS NULL) = (outcome IS NULL))
)
-- ;;
CREATE INDEX ix_reservation_due ON ts.reservation (until) WHERE closed_at IS NULL AND kind = 'soft'
-- ;;
CREATE INDEX ix_reservation_order ON ts.reservation (tenant_id, order_id)
-- ;;
CREATE INDEX ix_reservation_soft ON ts.reservation (tenant_id, product_id, until) WHERE closed_at IS NULL AND kind = 'soft'
-- ;;
CREATE TABLE ts.shipment_pick (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	shipment_line_id UUID NOT NULL,
	lot_id UUID NOT NULL,
	lot_no TEXT NOT NULL,
	heat_no TEXT NOT NULL,
	base_quantity NUMERIC(20, 6) NOT NULL,
	CONSTRAINT pk_shipment_pick PRIMARY KEY (id),
	CONSTRAINT fk_shipment_pick_shipment_line_id_buyer_id_seller_id FOREIGN KEY(shipment_line_id, buyer_id, seller_id) REFERENCES ts.shipment_line (id, buyer_id, seller_id),
	CONSTRAINT ck_shipment_pick_positive CHECK (base_quantity > 0)
)
-- ;;
CREATE INDEX ix_shipment_pick_line ON ts.shipment_pick (shipment_line_id)
-- ;;
CREATE INDEX ix_shipment_pick_lot ON ts.shipment_pick (seller_id, lot_id)
-- ;;
CREATE TABLE ts.stock_move (
	tenant_id UUID NOT NULL,
	id UUID NOT NULL,
	product_id UUID NOT NULL,
	warehouse_id UUID NOT NULL,
	lot_id UUID NOT NULL,
	kind TEXT NOT NULL,
	qty NUMERIC(20, 6) NOT NULL,
	reason TEXT NOT NULL,
	order_id UUID,
	line_id UUID,
	by TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT ts.clock() NOT NULL,
	CONSTRAINT pk_stock_move PRIMARY KEY (id),
	CONSTRAINT fk_stock_move_tenant_id_lot_id FOREIGN KEY(tenant_id, lot_id) REFERENCES ts.lot (tenant_id, id),
	CONSTRAINT ck_stock_move_kind CHECK (kind IN ('receipt', 'shipment', 'adjustment', 'count', 'return')),
	CONSTRAINT ck_stock_move_qty CHECK (qty <> 0),
	CONSTRAINT ck_stock_move_reason CHECK (kind NOT IN ('adjustment', 'count') OR reason <> '')
)
-- ;;
CREATE INDEX ix_stock_move_order ON ts.stock_move (tenant_id, order_id) WHERE order_id IS NOT NULL
-- ;;
CREATE INDEX ix_stock_move_product ON ts.stock_move (tenant_id, product_id, warehouse_id, id)
-- ;;
CREATE TABLE ts.invoice_match (
	buyer_id UUID NOT NULL,
	seller_id UUID NOT NULL,
	id UUID NOT NULL,
	invoice_line_id UUID NOT NULL,
	receipt_line_id UUID NOT NULL,
	quantity NUMERIC(20, 6) NOT NULL,
	CONSTRAINT pk_invoice_match PRIMARY KEY (id),
	CONSTRAINT fk_invoice_match_invoice_line_id_buyer_id_seller_id FOREIGN KEY(invoice_line_id, buyer_id, seller_id) REFERENCES ts.invoice_line (id, buyer_id, seller_id),
	CONSTRAINT fk_invoice_match_receipt_line_id_buyer_id_seller_id FOREIGN KEY(receipt_line_id, buyer_id, seller_id) REFERENCES ts.receipt_line (id, buyer_id, seller_id),
	CONSTRAINT ck_invoice_match_quantity CHECK (quantity <> 0)
)
-- ;;
CREATE INDEX ix_invoice_match_invoice_line ON ts.invoice_match (invoice_line_id)
-- ;;
CREATE INDEX ix_invoice_match_receipt_line ON ts.invoice_match (receipt_line_id)
-- ;;
CREATE OR REPLACE FUNCTION ts.audit_digest(prev bytea, e ts.audit_entry, seq bigint) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256(prev || convert_to(jsonb_build_array(
    e.tenant_id, seq, extract(epoch FROM e.at)::text, e.actor_kind, e.actor_id, e.actor_name, e.action,
    e.object_kind, e.object_id, e.object_version, e.detail, e.trace_id, e.remote)::text, 'UTF8'))
$$;
-- ;;
CREATE OR REPLACE FUNCTION ts.audit_seal(batch int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  e ts.audit_entry;
  last_hash bytea;
  last_seq bigint;
  sealed int := 0;
BEGIN
  -- one sealer at a time; a second one goes home at once
  IF NOT pg_try_advisory_xact_lock(hashtextextended('ts.audit_seal', 0)) THEN RETURN 0; END IF;
  FOR e IN
    SELECT * FROM ts.audit_entry
    WHERE seq IS NULL AND txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY id LIMIT batch
  LOOP
    SELECT a.seq, a.hash INTO last_seq, last_hash FROM ts.audit_entry a
    WHERE a.tenant_id = e.tenant_id AND a.seq IS NOT NULL ORDER BY a.seq DESC LIMIT 1;
    last_seq := coalesce(last_seq, 0) + 1;
    last_hash := coalesce(last_hash, sha256(convert_to(e.tenant_id::text, 'UTF8')));
    UPDATE ts.audit_entry SET seq = last_seq, prev = last_hash, hash = ts.audit_digest(last_hash, e, last_seq)
    WHERE id = e.id;
    sealed := sealed + 1;
  END LOOP;
  RETURN sealed;
END $$;
-- ;;
CREATE OR REPLACE FUNCTION ts.audit_breaks() RETURNS TABLE (tenant_id uuid, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT x.tenant_id, min(x.seq) FROM (
    SELECT a.tenant_id, a.seq, a.hash, a.prev,
      lag(a.hash, 1, sha256(convert_to(a.tenant_id::text, 'UTF8'))) OVER w AS want,
      row_number() OVER w AS rn,
      ts.audit_digest(a.prev, a, a.seq) AS calc
    FROM ts.audit_entry a WHERE a.seq IS NOT NULL
    WINDOW w AS (PARTITION BY a.tenant_id ORDER BY a.seq)) x
  WHERE x.prev <> x.want OR x.hash <> x.calc OR x.seq <> x.rn
  GROUP BY x.tenant_id
$$;
-- ;;
CREATE OR REPLACE FUNCTION ts.audit_tail_age() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::double precision
  FROM ts.audit_entry WHERE seq IS NULL
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.audit_seal(int), ts.audit_breaks(), ts.audit_tail_age() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ts.audit_seal(int), ts.audit_breaks(), ts.audit_tail_age() TO ts_worker;
GRANT EXECUTE ON FUNCTION ts.audit_breaks(), ts.audit_tail_age() TO ts_auditor;
-- ;;
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
-- ;;
-- The run that waited longest for its turn, across all tenants. Whose lease ran out has died; his uncommitted batch is gone
-- with him, so the next one goes on at the mark of the last committed one.
CREATE OR REPLACE FUNCTION ts.work_claim(lease interval) RETURNS SETOF ts.work_run
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH due AS MATERIALIZED (  -- else a plan may ask it once for each row
        SELECT w.id FROM ts.work_run w
        WHERE w.state IN ('queued', 'running') AND (w.lease_until IS NULL OR w.lease_until <= clock_timestamp())
        ORDER BY w.turned_at, w.id FOR UPDATE SKIP LOCKED LIMIT 1)
  UPDATE ts.work_run r SET state = 'running', claim = r.claim + 1, tries = r.tries + 1, turned_at = clock_timestamp(),
         started_at = coalesce(r.started_at, clock_timestamp()), lease_until = clock_timestamp() + lease
  FROM due WHERE r.id = due.id RETURNING r.*
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.work_claim(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ts.work_claim(interval) TO ts_worker;
-- ;;
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
-- ;;
-- Whether an enterprise is verified is the operator's word. The application may not write it, not even on its own rows;
-- the definer function below is the only way.
CREATE FUNCTION ts.guard_enterprise_status() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_user IN ('ts_app', 'ts_worker', 'ts_plugin') THEN
    IF TG_OP = 'INSERT' AND NEW.status <> 'applied' THEN
      RAISE EXCEPTION 'the status of an enterprise is set by the operator' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.status IS DISTINCT FROM OLD.status THEN
      RAISE EXCEPTION 'the status of an enterprise is set by the operator' USING ERRCODE = 'insufficient_privilege';
    END IF;
  END IF;
  RETURN NEW;
END $$
-- ;;
CREATE TRIGGER guard_status BEFORE INSERT OR UPDATE ON ts.enterprise
  FOR EACH ROW EXECUTE FUNCTION ts.guard_enterprise_status()
-- ;;
CREATE TRIGGER guard_status BEFORE INSERT OR UPDATE ON ts.enterprise_card
  FOR EACH ROW EXECUTE FUNCTION ts.guard_enterprise_status()
-- ;;
CREATE FUNCTION ts.set_enterprise_status(_tenant uuid, _status text, _until date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant()) THEN
    RETURN false;
  END IF;
  UPDATE ts.enterprise SET status = _status, verified_until = _until, version = version + 1 WHERE id = _tenant;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE ts.enterprise_card SET status = _status WHERE tenant_id = _tenant;
  RETURN true;
END $$
-- ;;
CREATE FUNCTION ts.enter_enterprise(_id uuid, _name text, _name_en text, _short_name text, _uscc text, _kind text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- The operator enters others; its own enterprise was entered when the platform was set up.
  IF NOT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant()) OR _kind = 'operator' THEN
    RETURN 'operator_only';
  END IF;
  IF EXISTS (SELECT 1 FROM ts.enterprise_card c WHERE c.uscc = _uscc) THEN
    RETURN 'taken';
  END IF;
  INSERT INTO ts.enterprise (id, tenant_id, name, name_en, short_name, uscc, kind, version)
  VALUES (_id, _id, _name, _name_en, _short_name, _uscc, _kind, 1);
  INSERT INTO ts.enterprise_card (tenant_id, name, name_en, short_name, uscc, kind)
  VALUES (_id, _name, _name_en, _short_name, _uscc, _kind) ON CONFLICT (uscc) DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another enterprise with this code came first' USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN 'ok';
END $$
-- ;;
CREATE FUNCTION ts.plugins_of(_tenant uuid) RETURNS TABLE (plugin text, state text, settings jsonb, plugin_version text,
  defaults jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- Which plugins a partner uses decides how an order with it runs; how they are set is the partner's own affair.
  SELECT e.plugin, e.state, CASE WHEN e.tenant_id = ts.tenant() THEN e.settings END, e.plugin_version,
    CASE WHEN e.tenant_id = ts.tenant() THEN
      COALESCE((SELECT d.settings FROM ts.plugin_default d WHERE d.plugin = e.plugin ORDER BY d.no DESC LIMIT 1), '{}') END
  FROM ts.plugin_enablement e WHERE e.tenant_id = _tenant AND ts.tenant() IS NOT NULL
$$
-- ;;
CREATE FUNCTION ts.my_enterprises(_person uuid) RETURNS TABLE (tenant_id uuid, name text, name_en text, short_name text, roles text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.tenant_id, c.name, c.name_en, c.short_name, m.roles
  FROM auth.tenants_of(_person) m JOIN ts.enterprise_card c ON c.tenant_id = m.tenant_id
  ORDER BY c.name, c.tenant_id
$$
-- ;;
REVOKE ALL ON FUNCTION ts.set_enterprise_status(uuid, text, date), ts.enter_enterprise(uuid, text, text, text, text, text),
  ts.plugins_of(uuid), ts.my_enterprises(uuid) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.set_enterprise_status(uuid, text, date), ts.enter_enterprise(uuid, text, text, text, text, text)
  TO ts_app, ts_worker
-- ;;
GRANT EXECUTE ON FUNCTION ts.plugins_of(uuid) TO ts_app, ts_worker, ts_plugin
-- ;;
GRANT EXECUTE ON FUNCTION ts.my_enterprises(uuid) TO ts_app
-- ;;
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
-- ;;
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
-- ;;
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
-- ;;
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
-- ;;
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
-- ;;
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
-- ;;
-- The drill that waited longest for its next case, across all tenants; one whose worker died is gone on with.
CREATE OR REPLACE FUNCTION ts.sync_claim_drill(lease interval) RETURNS SETOF ts.sync_drill
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH due AS MATERIALIZED (  -- else a plan may ask it once for each row
        SELECT w.id FROM ts.sync_drill w
        WHERE w.state = 'running' AND (w.lease_until IS NULL OR w.lease_until <= clock_timestamp())
        ORDER BY w.turned_at, w.id FOR UPDATE SKIP LOCKED LIMIT 1)
  UPDATE ts.sync_drill d SET attempt = d.attempt + 1, turned_at = clock_timestamp(), lease_until = clock_timestamp() + lease
  FROM due WHERE d.id = due.id RETURNING d.*
$$;
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim_drill(interval) FROM PUBLIC;
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim_drill(interval) TO ts_worker;
-- ;;
CREATE OR REPLACE FUNCTION ts.sync_knock(_token bytea) RETURNS TABLE (tenant_id uuid, connection_id uuid, moment timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- Whoever calls is nobody before this: the token alone says whose connection it is, and points the transaction there.
DECLARE
  entry record;
BEGIN
  SELECT c.tenant_id, c.id INTO entry FROM ts.erp_connection c WHERE c.push_hash = _token;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM set_config('ts.tenant', entry.tenant_id::text, true);
  RETURN QUERY SELECT entry.tenant_id, entry.id, ts.clock();
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_knock(bytea) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_knock(bytea) TO ts_app
-- ;;
CREATE OR REPLACE FUNCTION ts.sync_waiting_pushes(most int) RETURNS TABLE (id uuid, tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  -- By connection: what waits on those that are paused is never read.
  SELECT p.id, p.tenant_id FROM ts.erp_connection c, LATERAL (
    SELECT w.id, w.tenant_id FROM ts.sync_push w
    WHERE w.connection_id = c.id AND w.state = 'waiting' ORDER BY w.id LIMIT most) p
  WHERE c.state = 'active' ORDER BY p.id LIMIT most
$$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_waiting_pushes(int) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_waiting_pushes(int) TO ts_worker
-- ;;
-- More new documents of one kind for a call that carries several; like ts.sync_claim, one claimer at a time.
-- Only what was never tried: anything else must be looked for first, and travels alone. The plan is held to the indexes for
-- the same reason as there.
CREATE OR REPLACE FUNCTION ts.sync_claim_more(connection uuid, kind text, most int, lease interval)
RETURNS SETOF ts.sync_document LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  now_at CONSTANT timestamptz := clock_timestamp();
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('ts.sync_claim')) THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH due AS MATERIALIZED (
    SELECT d.id FROM ts.sync_document d
    WHERE d.connection_id = sync_claim_more.connection AND d.kind = sync_claim_more.kind AND d.state = 'new'
      AND d.attempt = 0 AND d.intent = 'create' AND d.not_before <= now_at
      AND EXISTS (SELECT 1 FROM ts.erp_connection c WHERE c.id = d.connection_id AND c.state = 'active')
      -- Only the object may lead to an index here; the rest is compared so that it cannot.
      AND NOT EXISTS (SELECT 1 FROM ts.sync_document e WHERE e.object_id = d.object_id AND e.version < d.version
                      AND e.tenant_id IS NOT DISTINCT FROM d.tenant_id
                      AND e.connection_id IS NOT DISTINCT FROM d.connection_id AND e.kind = d.kind)
    ORDER BY d.not_before, d.id LIMIT most FOR UPDATE OF d SKIP LOCKED)
  UPDATE ts.sync_document d
  SET state = 'sending', attempt = 1, lease_until = clock_timestamp() + lease, changed_at = clock_timestamp()
  FROM due WHERE d.id = due.id RETURNING d.*;
END $$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim_more(uuid, text, int, interval) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim_more(uuid, text, int, interval) TO ts_worker
-- ;;
-- Yesterday is counted an hour after it ended, on every connection that had documents of it; once.
CREATE OR REPLACE FUNCTION ts.sync_plan_tallies() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH day AS (SELECT ((ts.clock() - interval '1 hour') AT TIME ZONE 'UTC')::date - 1 AS day),
  planned AS (
    INSERT INTO ts.sync_tally (id, tenant_id, connection_id, kind, day, asked_at)
    SELECT gen_random_uuid(), c.tenant_id, c.id, k.kind, d.day, ts.clock()
    FROM ts.erp_connection c CROSS JOIN unnest(c.documents) k (kind) CROSS JOIN day d
    WHERE c.state = 'active'
      AND NOT EXISTS (SELECT 1 FROM ts.sync_tally t WHERE t.tenant_id = c.tenant_id AND t.connection_id = c.id
                      AND t.kind = k.kind AND t.day = d.day)
      AND EXISTS (SELECT 1 FROM ts.sync_document s WHERE s.tenant_id = c.tenant_id AND s.connection_id = c.id
                  AND s.kind = k.kind AND s.dated_on = d.day)
    ON CONFLICT DO NOTHING RETURNING 1)
  SELECT count(*) FROM planned
$$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_plan_tallies() FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_plan_tallies() TO ts_worker
-- ;;
CREATE OR REPLACE FUNCTION ts.sync_claim_tally(lease interval) RETURNS SETOF ts.sync_tally
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH due AS MATERIALIZED (  -- else a plan may ask it once for each row
        SELECT w.id FROM ts.sync_tally w JOIN ts.erp_connection c ON c.id = w.connection_id
        WHERE w.state IN ('wanted', 'running') AND (w.lease_until IS NULL OR w.lease_until <= clock_timestamp())
          AND c.state = 'active' AND (c.open_until IS NULL OR c.open_until <= clock_timestamp())
        ORDER BY w.asked_at, w.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
  UPDATE ts.sync_tally t SET state = 'running', attempt = t.attempt + 1, lease_until = clock_timestamp() + lease
  FROM due WHERE t.id = due.id RETURNING t.*
$$
-- ;;
REVOKE ALL ON FUNCTION ts.sync_claim_tally(interval) FROM PUBLIC
-- ;;
GRANT EXECUTE ON FUNCTION ts.sync_claim_tally(interval) TO ts_worker
-- ;;
-- The installation's own rows on plugins, as the application may read and write them.
-- A reading function answers whole rows; a writing one refuses (42501) whoever is not of the operator's tenant.
CREATE FUNCTION ts.plugins() RETURNS SETOF ts.plugin
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin ORDER BY name
$$
-- ;;
CREATE FUNCTION ts.plugin_epoch_now() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE((SELECT epoch FROM ts.plugin_epoch), 0)
$$
-- ;;
CREATE FUNCTION ts.plugin_packages() RETURNS TABLE (sha256 text, kind text, plugin text, distribution text, version text,
  filename text, size integer, manifest jsonb, requires text[], signer text, source text, added_by text, added_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256, kind, plugin, distribution, version, filename, size, manifest, requires, signer, source, added_by, added_at
  FROM ts.plugin_package ORDER BY plugin, added_at DESC
$$
-- ;;
CREATE FUNCTION ts.plugin_content(_sha256 text) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT content FROM ts.plugin_package WHERE sha256 = _sha256
$$
-- ;;
CREATE FUNCTION ts.plugin_changes(_plugin text, _limit integer) RETURNS SETOF ts.plugin_change
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_change c WHERE (_plugin IS NULL OR c.plugin = _plugin) ORDER BY c.asked_at DESC LIMIT _limit
$$
-- ;;
CREATE FUNCTION ts.plugin_change_of(_id uuid) RETURNS SETOF ts.plugin_change
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_change c WHERE c.id = _id
$$
-- ;;
CREATE FUNCTION ts.plugin_publishers() RETURNS SETOF ts.plugin_publisher
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_publisher ORDER BY name
$$
-- ;;
CREATE FUNCTION ts.plugin_sources() RETURNS SETOF ts.plugin_source
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_source ORDER BY address
$$
-- ;;
CREATE FUNCTION ts.plugin_processes() RETURNS SETOF ts.plugin_process
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_process WHERE seen_at > ts.clock() - interval '10 seconds' ORDER BY kind, id
$$
-- ;;
CREATE FUNCTION ts.plugin_faults(_plugin text, _limit integer) RETURNS SETOF ts.plugin_fault
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_fault f WHERE f.plugin = _plugin ORDER BY f.at DESC LIMIT _limit
$$
-- ;;
CREATE FUNCTION ts.plugin_minutes(_plugin text, _since timestamptz) RETURNS SETOF ts.plugin_minute
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_minute m WHERE (_plugin IS NULL OR m.plugin = _plugin) AND m.minute >= _since ORDER BY m.minute
$$
-- ;;
CREATE FUNCTION ts.plugin_defaults(_plugin text, _limit integer) RETURNS SETOF ts.plugin_default
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM ts.plugin_default d WHERE d.plugin = _plugin ORDER BY d.no DESC LIMIT _limit
$$
-- ;;
CREATE FUNCTION ts.plugin_exports(_plugin text) RETURNS TABLE (change_id uuid, plugin text, size bigint, made_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT change_id, min(plugin), sum(length(content)), min(made_at) FROM ts.plugin_export e
  WHERE _plugin IS NULL OR e.plugin = _plugin GROUP BY change_id ORDER BY 4 DESC
$$
-- ;;
CREATE FUNCTION ts.plugin_export_piece(_change uuid, _no integer) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  RETURN (SELECT content FROM ts.plugin_export WHERE change_id = _change AND no = _no);
END $$
-- ;;
-- What a change of a plugin would touch, as numbers and one example; the trade modes are those it brings.
CREATE FUNCTION ts.plugin_touches(_plugin text, _modes text[]) RETURNS TABLE (enterprises integer, draining integer,
  open_orders integer, an_order text, open_gates integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH busy AS (SELECT o.id, o.number FROM ts.trade_order o WHERE o.mode = ANY (_modes)
    AND o.state NOT IN ('draft', 'completed', 'closed', 'rejected', 'expired', 'cancelled', 'terminated'))
  SELECT (SELECT count(*)::integer FROM ts.plugin_enablement e WHERE e.plugin = _plugin AND e.state = 'enabled'),
         (SELECT count(*)::integer FROM ts.plugin_enablement e WHERE e.plugin = _plugin AND e.state = 'draining'),
         (SELECT count(*)::integer FROM busy), (SELECT COALESCE(b.number, b.id::text) FROM busy b ORDER BY b.id LIMIT 1),
         (SELECT count(*)::integer FROM ts.gate g WHERE g.plugin = _plugin AND g.state IN ('open', 'failed'))
$$
-- ;;
CREATE FUNCTION ts.must_be_operator() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant()) THEN
    RAISE insufficient_privilege USING MESSAGE = 'only the operator changes the plugins of the installation';
  END IF;
END $$
-- ;;
CREATE FUNCTION ts.plugin_keep(_package jsonb, _content bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  INSERT INTO ts.plugin_package (sha256, kind, plugin, distribution, version, filename, size, content, manifest, requires,
                                 signer, source, added_by)
  SELECT encode(sha256(_content), 'hex'), p.kind, p.plugin, p.distribution, p.version, p.filename, length(_content), _content,
         p.manifest, COALESCE(p.requires, '{}'), p.signer, p.source, p.added_by
  FROM jsonb_to_record(_package) AS p(kind text, plugin text, distribution text, version text, filename text, manifest jsonb,
                                      requires text[], signer text, source text, added_by text)
  ON CONFLICT (sha256) DO UPDATE SET signer = COALESCE(EXCLUDED.signer, ts.plugin_package.signer);
END $$
-- ;;
CREATE FUNCTION ts.plugin_forget_package(_sha256 text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  DELETE FROM ts.plugin_package k WHERE k.sha256 = _sha256
    AND NOT EXISTS (SELECT 1 FROM ts.plugin p WHERE _sha256 = ANY (p.packages) OR _sha256 = ANY (p.previous_packages));
  RETURN FOUND;
END $$
-- ;;
-- An enterprise may only ask for an installation; it is queued at once where the operator opened the signer to enterprises.
CREATE FUNCTION ts.plugin_ask(_id uuid, _plugin text, _verb text, _version text, _packages text[], _plan jsonb, _by text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  operator boolean := EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = ts.tenant());
  open boolean := NOT EXISTS (
    SELECT 1 FROM unnest(_packages) wanted LEFT JOIN ts.plugin_package k ON k.sha256 = wanted
    LEFT JOIN ts.plugin_publisher p ON p.key_id = k.signer AND p.revoked_at IS NULL AND p.open_to_enterprises
    WHERE p.key_id IS NULL);
  told text;
BEGIN
  IF ts.tenant() IS NULL OR NOT operator AND _verb NOT IN ('install', 'upgrade') THEN
    PERFORM ts.must_be_operator();
  END IF;
  told := CASE WHEN operator OR open AND cardinality(_packages) > 0 THEN 'queued' ELSE 'asked' END;
  INSERT INTO ts.plugin_change (id, plugin, verb, state, version, packages, plan, asked_by, tenant_id)
  VALUES (_id, _plugin, _verb, told, _version, _packages, _plan, _by, ts.tenant());
  RETURN told;
END $$
-- ;;
CREATE FUNCTION ts.plugin_answer(_id uuid, _yes boolean, _reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  UPDATE ts.plugin_change SET state = CASE WHEN _yes THEN 'queued' ELSE 'refused' END, reason = _reason
  WHERE id = _id AND state = 'asked';
  RETURN FOUND;
END $$
-- ;;
CREATE FUNCTION ts.plugin_stop(_plugin text, _reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  UPDATE ts.plugin SET stopped_by = 'operator', stopped_reason = _reason, stopped_at = ts.clock(), stopped_until = NULL
  WHERE name = _plugin;
  RETURN FOUND;
END $$
-- ;;
CREATE FUNCTION ts.plugin_lift(_plugin text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  UPDATE ts.plugin SET stopped_by = NULL, stopped_reason = NULL, stopped_at = NULL, stopped_until = NULL
  WHERE name = _plugin AND stopped_by IS NOT NULL;
  RETURN FOUND;
END $$
-- ;;
CREATE FUNCTION ts.plugin_trust(_key_id text, _name text, _public_key bytea, _tier text, _open boolean, _by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  INSERT INTO ts.plugin_publisher (key_id, name, public_key, tier, open_to_enterprises, trusted_by)
  VALUES (_key_id, _name, _public_key, _tier, _open, _by)
  ON CONFLICT (key_id) DO UPDATE SET name = EXCLUDED.name, tier = EXCLUDED.tier, trusted_by = EXCLUDED.trusted_by,
    open_to_enterprises = EXCLUDED.open_to_enterprises, trusted_at = ts.clock(), revoked_at = NULL;
END $$
-- ;;
CREATE FUNCTION ts.plugin_distrust(_key_id text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  UPDATE ts.plugin_publisher SET revoked_at = ts.clock() WHERE key_id = _key_id AND revoked_at IS NULL;
  RETURN FOUND;
END $$
-- ;;
CREATE FUNCTION ts.plugin_source_add(_address text, _kind text, _by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  INSERT INTO ts.plugin_source (address, kind, added_by) VALUES (_address, _kind, _by) ON CONFLICT DO NOTHING;
END $$
-- ;;
CREATE FUNCTION ts.plugin_source_remove(_address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  DELETE FROM ts.plugin_source WHERE address = _address;
  RETURN FOUND;
END $$
-- ;;
-- What enterprises that use a plugin chose for it, so that a new default is tried with every one of them before it counts.
CREATE FUNCTION ts.plugin_choices(_plugin text) RETURNS TABLE (tenant_id uuid, enterprise text, settings jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ts.must_be_operator();
  RETURN QUERY SELECT e.tenant_id, COALESCE(c.name, e.tenant_id::text), e.settings FROM ts.plugin_enablement e
    LEFT JOIN ts.enterprise_card c ON c.tenant_id = e.tenant_id
    WHERE e.plugin = _plugin AND e.state IN ('enabled', 'draining') ORDER BY 2;
END $$
-- ;;
CREATE FUNCTION ts.plugin_default_set(_plugin text, _settings jsonb, _version text, _note text, _by text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  latest integer;
BEGIN
  PERFORM ts.must_be_operator();
  SELECT COALESCE(max(no), 0) + 1 INTO latest FROM ts.plugin_default WHERE plugin = _plugin;
  INSERT INTO ts.plugin_default (plugin, no, settings, plugin_version, note, set_by)
  VALUES (_plugin, latest, _settings, _version, _note, _by);
  RETURN latest;
END $$
-- ;;
-- One heartbeat of a process: it says what it runs and what it measured, and hears what is stopped and which set is current.
CREATE FUNCTION ts.plugin_pulse(_process jsonb, _minutes jsonb, _faults jsonb) RETURNS TABLE (current_epoch integer, stopped jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO ts.plugin_process (id, kind, epoch, loaded, broken, memory, started_at, seen_at)
  SELECT p.id, p.kind, p.epoch, p.loaded, p.broken, p.memory, p.started_at, clock_timestamp()
  FROM jsonb_to_record(_process) AS p(id text, kind text, epoch integer, loaded jsonb, broken jsonb, memory bigint, started_at timestamptz)
  ON CONFLICT (id) DO UPDATE SET epoch = EXCLUDED.epoch, loaded = EXCLUDED.loaded, broken = EXCLUDED.broken,
    memory = EXCLUDED.memory, seen_at = EXCLUDED.seen_at;
  INSERT INTO ts.plugin_minute (plugin, hook, minute, calls, errors, micros, slower)
  SELECT m.plugin, m.hook, m.minute, m.calls, m.errors, m.micros, m.slower
  FROM jsonb_to_recordset(_minutes) AS m(plugin text, hook text, minute timestamptz, calls integer, errors integer, micros bigint,
                                         slower integer[])
  ORDER BY m.plugin, m.hook, m.minute
  ON CONFLICT (plugin, hook, minute) DO UPDATE SET calls = ts.plugin_minute.calls + EXCLUDED.calls,
    errors = ts.plugin_minute.errors + EXCLUDED.errors, micros = ts.plugin_minute.micros + EXCLUDED.micros,
    slower = ARRAY(SELECT COALESCE(old, 0) + COALESCE(new, 0) FROM unnest(ts.plugin_minute.slower, EXCLUDED.slower) AS both_(old, new));
  INSERT INTO ts.plugin_fault (plugin, hook, kind, reason, process, tenant_id, at)
  SELECT f.plugin, f.hook, f.kind, left(f.reason, 2000), f.process, f.tenant_id, f.at
  FROM jsonb_to_recordset(_faults) AS f(plugin text, hook text, kind text, reason text, process text, tenant_id uuid, at timestamptz);
  RETURN QUERY SELECT COALESCE((SELECT e.epoch FROM ts.plugin_epoch e), 0),
    (SELECT COALESCE(jsonb_object_agg(p.name, p.stopped_reason), '{}') FROM ts.plugin p
     WHERE p.stopped_by IS NOT NULL AND (p.stopped_until IS NULL OR p.stopped_until > clock_timestamp()));
END $$
-- ;;
-- Opens a plugin's breaker in every process. The operator's own stop is never shortened by it.
CREATE FUNCTION ts.plugin_quarantine(_plugin text, _reason text, _until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE ts.plugin SET stopped_by = 'platform', stopped_reason = left(_reason, 500), stopped_at = ts.clock(), stopped_until = _until
  WHERE name = _plugin AND (stopped_by IS NULL OR stopped_by = 'platform' AND stopped_until IS NOT NULL);
  RETURN FOUND;
END $$
-- ;;
-- What nobody looks at any more: counts and faults after a fortnight, processes that report no longer.
CREATE FUNCTION ts.plugin_sweep() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone integer;
  swept integer := 0;
BEGIN
  DELETE FROM ts.plugin_minute WHERE minute < clock_timestamp() - interval '14 days';
  GET DIAGNOSTICS gone = ROW_COUNT;
  swept := swept + gone;
  DELETE FROM ts.plugin_fault WHERE at < clock_timestamp() - interval '14 days';
  GET DIAGNOSTICS gone = ROW_COUNT;
  swept := swept + gone;
  DELETE FROM ts.plugin_process WHERE seen_at < clock_timestamp() - interval '10 seconds';
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN swept + gone;
END $$
-- ;;
DO $$
DECLARE
  made record;
BEGIN
  FOR made IN SELECT p.oid::regprocedure AS signature FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
              WHERE n.nspname = 'ts' AND (starts_with(p.proname, 'plugin_') OR p.proname IN ('plugins', 'must_be_operator')) LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made.signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ts_app, ts_worker', made.signature);
  END LOOP;
END $$
-- ;;
ALTER TABLE auth.invitation ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.invitation FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.invitation TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.login_attempt ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.login_attempt FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.login_attempt TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.operator ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.operator FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.operator TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.permission ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.permission FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.permission TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.person ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.person FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.person TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.account ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.account FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.account TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.account TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.account TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.account FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.account FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.address ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.address FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.address TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (label, contact, phone, province, city, district, street, postcode, is_default, version), DELETE ON ts.address TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.address TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.address FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.address FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.address FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.address FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.audit_entry ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.audit_entry FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.audit_entry TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.audit_entry TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.audit_entry TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.audit_entry FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.audit_entry FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.category ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.category FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.category TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (parent_id, code, path, name_zh, name_en, rank, retired_at, version), DELETE ON ts.category TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.category TO ts_plugin
-- ;;
CREATE POLICY public_read ON ts.category FOR SELECT TO ts_app, ts_worker, ts_plugin USING ((SELECT ts.tenant()) IS NOT NULL)
-- ;;
CREATE POLICY own_insert ON ts.category FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.category FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.category FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.delivery ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.delivery FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.delivery TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.delivery TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.delivery TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.delivery FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.delivery FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.enterprise ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.enterprise FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.enterprise TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (name, name_en, short_name, uscc, kind, status, verified_until, legal_representative, contact, phone, website, version, created_at) ON ts.enterprise TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.enterprise TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.enterprise FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.enterprise FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.enterprise FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.erp_connection ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.erp_connection FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.erp_connection TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connector, name, base_url, organisation, settings, secrets, state, state_reason, draining_since, version, failures, refusals, open_until, last_ok_at, last_error, checked, documents, settle_seconds, at_once, per_minute, ca_pem, pinned_sha256, client_cert_pem, client_key, push_hash, created_at), DELETE ON ts.erp_connection TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.erp_connection TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.erp_connection FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.erp_connection FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.erp_connection FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.erp_connection FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.file_content ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.file_content FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.file_content TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.file_content TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.file_content TO ts_plugin
-- ;;
CREATE POLICY shared_read ON ts.file_content FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()) OR other_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.file_content FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.ledger_txn ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.ledger_txn FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.ledger_txn TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.ledger_txn TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.ledger_txn TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.ledger_txn FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.ledger_txn FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.number_series ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.number_series FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.number_series TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (kind, year, next), DELETE ON ts.number_series TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.number_series TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.number_series FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.number_series FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.number_series FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.number_series FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.order_private ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.order_private FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.order_private TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, cost_centre, note), DELETE ON ts.order_private TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.order_private TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.order_private FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.order_private FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.order_private FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.order_private FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.outbox_event ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.outbox_event FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.outbox_event TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (other_id, name, event_version, subject, payload, at, trace_id, state, attempt, not_before, lease_until, last_error, waits_for) ON ts.outbox_event TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.outbox_event TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.outbox_event FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.outbox_event FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.outbox_event FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.payment ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.payment FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.payment TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (number, order_id, currency, amount, allocated, refunded, bank_ref, state, note, announced_by, announced_at, decided_by, decided_at) ON ts.payment TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.payment TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.payment FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.payment FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.payment FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.plugin ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_change ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_change FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_change TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_default ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_default FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_default TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_enablement ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_enablement FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_enablement TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (plugin, state, settings, plugin_version, changed_at, version) ON ts.plugin_enablement TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.plugin_enablement TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.plugin_enablement FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.plugin_enablement FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.plugin_enablement FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.plugin_epoch ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_epoch FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_epoch TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_export ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_export FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_export TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_fault ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_fault FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_fault TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_minute ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_minute FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_minute TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_package ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_package FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_package TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_process ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_process FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_process TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_publisher ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_publisher FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_publisher TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.plugin_settings ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_settings FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_settings TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.plugin_settings TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.plugin_settings TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.plugin_settings FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.plugin_settings FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.plugin_source ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plugin_source FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plugin_source TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.price_list ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.price_list FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.price_list TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (name, audience, group_code, customer_id, currency, tax_incl, ladder, valid_from, valid_to, phase, version), DELETE ON ts.price_list TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.price_list TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.price_list FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.price_list FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.price_list FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.price_list FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.saved_view ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.saved_view FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.saved_view TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (person_id, name, side, state, waiting, open, q, sort, columns, is_default, created_at), DELETE ON ts.saved_view TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.saved_view TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.saved_view FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.saved_view FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.saved_view FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.saved_view FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.shipment ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.shipment FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.shipment TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (number, carrier, waybill, note, shipped_by, shipped_at) ON ts.shipment TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.shipment TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.shipment FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.shipment FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.shipment FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.stored_answer ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.stored_answer FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.stored_answer TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (actor, route, key, fingerprint, status, body, at), DELETE ON ts.stored_answer TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.stored_answer TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.stored_answer FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.stored_answer FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.stored_answer FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.stored_answer FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.stored_file ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.stored_file FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.stored_file TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.stored_file TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.stored_file TO ts_plugin
-- ;;
CREATE POLICY shared_read ON ts.stored_file FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()) OR other_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.stored_file FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.trade_order ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.trade_order FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.trade_order TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (number, buyer_po, mode, state, version, terms_version, currency, net, tax, total, invoiced, prepaid, paid, under_tol, over_tol, terms_days, accept_days, delivery_date, ship_to, note, source_ref, creator_side, created_by, approved_by, approval_needed, rounds, reason, offer_expires_at, created_at, submitted_at, confirmed_at, started_at, delivered_at, accepted_at, completed_at, ended_at) ON ts.trade_order TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.trade_order TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.trade_order FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()) AND (number IS NOT NULL OR buyer_id = (SELECT ts.home())))
-- ;;
CREATE POLICY own_insert ON ts.trade_order FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.trade_order FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()) AND (number IS NOT NULL OR buyer_id = (SELECT ts.home()))) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.trade_settings ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.trade_settings FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.trade_settings TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (approval_threshold, offer_minutes, soft_reserve_minutes, accept_days, under_tol, over_tol, default_terms_days, write_off_amount, write_off_share, currency, timezone, version) ON ts.trade_settings TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.trade_settings TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.trade_settings FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.trade_settings FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.trade_settings FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.warehouse ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.warehouse FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.warehouse TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (code, name, address, rank), DELETE ON ts.warehouse TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.warehouse TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.warehouse FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.warehouse FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.warehouse FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.warehouse FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.work_run ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.work_run FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.work_run TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (kind, title, given, mark, state, total, done, refused, reason, reason_values, actor_kind, actor_id, actor_name, person_id, may, asked_at, started_at, ended_at, stop_asked_at, turned_at, lease_until, claim, tries) ON ts.work_run TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.work_run TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.work_run FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.work_run FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.work_run FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE auth.api_key ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.api_key FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.api_key TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.membership ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.membership FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.membership TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.mfa ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.mfa FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.mfa TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.password_reset ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.password_reset FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.password_reset TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.recovery_code ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.recovery_code FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.recovery_code TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.role_permission ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.role_permission FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.role_permission TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE auth.session ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.session FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.session TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.category_attribute ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.category_attribute FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.category_attribute TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (category_id, key, name_zh, name_en, kind, unit, choices, required, rank), DELETE ON ts.category_attribute TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.category_attribute TO ts_plugin
-- ;;
CREATE POLICY public_read ON ts.category_attribute FOR SELECT TO ts_app, ts_worker, ts_plugin USING ((SELECT ts.tenant()) IS NOT NULL)
-- ;;
CREATE POLICY own_insert ON ts.category_attribute FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.category_attribute FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.category_attribute FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.claim ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.claim FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.claim TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, debtor, currency, amount, reason, state, bank_ref, raised_by, raised_at, closed_by, closed_at) ON ts.claim TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.claim TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.claim FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.claim FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.claim FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.enterprise_card ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.enterprise_card FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.enterprise_card TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (name, name_en, short_name, uscc, kind, status) ON ts.enterprise_card TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.enterprise_card TO ts_plugin
-- ;;
CREATE POLICY public_read ON ts.enterprise_card FOR SELECT TO ts_app, ts_worker, ts_plugin USING ((SELECT ts.tenant()) IS NOT NULL)
-- ;;
CREATE POLICY own_insert ON ts.enterprise_card FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.enterprise_card FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.escrow ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.escrow FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.escrow TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT ON ts.escrow TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.escrow TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.escrow FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.escrow_move ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.escrow_move FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.escrow_move TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT ON ts.escrow_move TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.escrow_move TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.escrow_move FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.external_ref ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.external_ref FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.external_ref TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, kind, local_id, external_id, external_number, at), DELETE ON ts.external_ref TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.external_ref TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.external_ref FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.external_ref FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.external_ref FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.external_ref FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.gate ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.gate FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.gate TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, key, stage, title, plugin, state, evidence, decided_by, decided_at) ON ts.gate TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.gate TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.gate FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.gate FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.gate FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.hold ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.hold FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.hold TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, key, side, reason, blocks, placed_by, placed_at, lifted_by, lifted_at) ON ts.hold TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.hold TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.hold FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.hold FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.hold FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.import_run ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.import_run FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.import_run TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (file_id, charset, added, changed, unchanged) ON ts.import_run TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.import_run TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.import_run FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.import_run FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.import_run FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.invoice ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.invoice FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.invoice TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (number, kind, order_id, original_id, currency, net, tax, total, settled, credited, state, reason, issued_on, due_on, issued_by, issued_at, buyer_title, buyer_code, seller_title, seller_code, payee_name, payee_bank, payee_account, payee_reason) ON ts.invoice TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.invoice TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.invoice FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.invoice FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.invoice FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.invoice_details ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.invoice_details FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.invoice_details TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (title, tax_no, registered_address, phone, bank, bank_code, account, email, version) ON ts.invoice_details TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.invoice_details TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.invoice_details FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.invoice_details FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.invoice_details FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.ledger_entry ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.ledger_entry FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.ledger_entry TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.ledger_entry TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.ledger_entry TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.ledger_entry FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.ledger_entry FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.order_event ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.order_event FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.order_event TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.order_event TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.order_event TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.order_event FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()) AND (numbered OR buyer_id = (SELECT ts.home())))
-- ;;
CREATE POLICY own_insert ON ts.order_event FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.order_line ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.order_line FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.order_line TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, no, numbered, sku_id, sku_code, name_zh, name_en, spec, unit, quantity, factor, unit_price, tax_incl, vat_rate, net, tax, gross, components, over_tol, shipped, received, accepted, rejected, short_closed, invoiced), DELETE ON ts.order_line TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.order_line TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.order_line FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()) AND (numbered OR buyer_id = (SELECT ts.home())))
-- ;;
CREATE POLICY own_insert ON ts.order_line FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.order_line FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()) AND (numbered OR buyer_id = (SELECT ts.home()))) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.order_line FOR DELETE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()) AND (numbered OR buyer_id = (SELECT ts.home())))
-- ;;
ALTER TABLE ts.order_message ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.order_message FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.order_message TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.order_message TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.order_message TO ts_plugin
-- ;;
CREATE POLICY shared_read ON ts.order_message FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()) OR other_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.order_message FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.order_talk ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.order_talk FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.order_talk TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, waits_for, last_id, since) ON ts.order_talk TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.order_talk TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.order_talk FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.order_talk FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.order_talk FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.order_version ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.order_version FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.order_version TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.order_version TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.order_version TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.order_version FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.order_version FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.plan_item ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.plan_item FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.plan_item TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, no, kind, amount, due_base, due_days, gate) ON ts.plan_item TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.plan_item TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.plan_item FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.plan_item FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.plan_item FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.product ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.product FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.product TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (code, category_id, category_path, name_zh, name_en, spec, base_uom, tax_class, weight_kg, attributes, part_no, words, code_key, part_key, search, status, version, updated_at), DELETE ON ts.product TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.product TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.product FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.product FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.product FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.product FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.proposal ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.proposal FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.proposal TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, kind, side, body, reason, proposed_by, proposed_at, state, answered_by, answered_at) ON ts.proposal TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.proposal TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.proposal FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.proposal FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.proposal FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.receipt ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.receipt FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.receipt TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (number, shipment_id, note, received_by, received_at, reversed_by, reversed_at, reversed_why) ON ts.receipt TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.receipt TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.receipt FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.receipt FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.receipt FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.refund ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.refund FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.refund TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.refund TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.refund TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.refund FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.refund FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_document ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_document FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_document TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, kind, object_id, order_id, intent, version, idem_key, reference, partner, total, currency, dated_on, body, state, attempt, tries, lease_until, not_before, remote_id, remote_number, cause, cause_field, cause_text, exchanges, trace_id, created_at, changed_at), DELETE ON ts.sync_document TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_document TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_document FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_document FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_document FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.sync_document FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_drill ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_drill FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_drill TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, state, asked_by, asked_at, ended_at, sample, total, results, said, report, attempt, lease_until, turned_at) ON ts.sync_drill TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_drill TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_drill FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_drill FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_drill FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_mapping ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_mapping FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_mapping TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.sync_mapping TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_mapping TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_mapping FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_mapping FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_push ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_push FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_push TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, key, kind, path, body, records, state, said, stored, skipped, answer_status, answer_type, answer, at, landed_at), DELETE ON ts.sync_push TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_push TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_push FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_push FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_push FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.sync_push FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_run ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_run FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_run TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, stream, trigger, state, started_at, ended_at, total, read, stored, skipped, said), DELETE ON ts.sync_run TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_run TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_run FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_run FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_run FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.sync_run FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_stream ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_stream FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_stream TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, key, enabled, every_minutes, next_at, wanted_by, cursor, position, run_id, attempt, lease_until, failures), DELETE ON ts.sync_stream TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_stream TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_stream FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_stream FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_stream FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.sync_stream FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_tally ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_tally FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_tally TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, kind, day, state, asked_by, asked_at, ended_at, ours, theirs, our_sums, their_sums, under_way, checked, total, differing, said, attempt, lease_until), DELETE ON ts.sync_tally TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_tally TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_tally FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_tally FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_tally FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.sync_tally FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_term ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_term FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_term TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, kind, external_id, number, name, code, active, at), DELETE ON ts.sync_term TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_term TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_term FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_term FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_term FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.sync_term FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.work_reason ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.work_reason FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.work_reason TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.work_reason TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.work_reason TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.work_reason FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.work_reason FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE auth.membership_limit ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE auth.membership_limit FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON auth.membership_limit TO ts_owner USING (true) WITH CHECK (true)
-- ;;
ALTER TABLE ts.allocation ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.allocation FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.allocation TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.allocation TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.allocation TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.allocation FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.allocation FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.invoice_line ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.invoice_line FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.invoice_line TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.invoice_line TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.invoice_line TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.invoice_line FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.invoice_line FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.listing ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.listing FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.listing TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (code, category_path, name_zh, name_en, spec, base_uom, tax_class, weight_kg, attributes, part_no, code_key, part_key, search, public_price, price_currency, price_tax_incl, status, version, listed_at), DELETE ON ts.listing TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.listing TO ts_plugin
-- ;;
CREATE POLICY public_read ON ts.listing FOR SELECT TO ts_app, ts_worker, ts_plugin USING ((SELECT ts.tenant()) IS NOT NULL)
-- ;;
CREATE POLICY own_insert ON ts.listing FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.listing FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.listing FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.lot ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.lot FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.lot TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (product_id, warehouse_id, lot_no, heat_no, expires_on, on_hand, held, received_at), DELETE ON ts.lot TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.lot TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.lot FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.lot FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.lot FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.lot FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.partner_relation ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.partner_relation FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.partner_relation TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (partner_id, code, price_group, credit_limit, terms_days, blocked, note, version), DELETE ON ts.partner_relation TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.partner_relation TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.partner_relation FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.partner_relation FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.partner_relation FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.partner_relation FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.payment_target ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.payment_target FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.payment_target TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.payment_target TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.payment_target TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.payment_target FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.payment_target FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.price_row ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.price_row FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.price_row TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (price_list_id, product_id, min_qty, price), DELETE ON ts.price_row TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.price_row TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.price_row FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.price_row FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.price_row FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.price_row FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.shipment_line ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.shipment_line FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.shipment_line TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (shipment_id, order_id, order_line_id, quantity, base_quantity, received) ON ts.shipment_line TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.shipment_line TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.shipment_line FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.shipment_line FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.shipment_line FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.short_close ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.short_close FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.short_close TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, order_line_id, quantity, reason, side, asked_by, asked_at, state, answered_by, answered_at) ON ts.short_close TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.short_close TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.short_close FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.short_close FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.short_close FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.stock_level ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.stock_level FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.stock_level TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (product_id, warehouse_id, on_hand, hard, soft), DELETE ON ts.stock_level TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.stock_level TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.stock_level FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.stock_level FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.stock_level FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.stock_level FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_difference ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_difference FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_difference TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (tally_id, reference, kind, act, currency, ours, theirs, document_id, object_id, acted_by, acted_at), DELETE ON ts.sync_difference TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_difference TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_difference FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_difference FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_difference FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.sync_difference FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_figure ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_figure FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_figure TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (connection_id, product_id, warehouse, quantity, first_at, told_at, agreed, agreed_at), DELETE ON ts.sync_figure TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_figure TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_figure FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_figure FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.sync_figure FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.sync_figure FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_issue ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_issue FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_issue TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.sync_issue TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_issue TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_issue FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_issue FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.sync_move ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.sync_move FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.sync_move TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.sync_move TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.sync_move TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.sync_move FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.sync_move FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.uom_conversion ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.uom_conversion FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.uom_conversion TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (product_id, uom, factor, kind), DELETE ON ts.uom_conversion TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.uom_conversion TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.uom_conversion FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.uom_conversion FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.uom_conversion FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.uom_conversion FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.write_off ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.write_off FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.write_off TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.write_off TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.write_off TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.write_off FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.write_off FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.receipt_line ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.receipt_line FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.receipt_line TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (receipt_id, shipment_line_id, order_id, order_line_id, received, accepted, rejected, over_held, excess_accepted, excess_returned, returned, reopened, reason) ON ts.receipt_line TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.receipt_line TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.receipt_line FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.receipt_line FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.receipt_line FOR UPDATE TO ts_app, ts_worker USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant())) WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.reservation ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.reservation FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.reservation TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT, UPDATE (order_id, line_id, product_id, warehouse_id, lot_id, qty, kind, until, closed_at, outcome), DELETE ON ts.reservation TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.reservation TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.reservation FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.reservation FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_update ON ts.reservation FOR UPDATE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_delete ON ts.reservation FOR DELETE TO ts_app, ts_worker USING (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.shipment_pick ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.shipment_pick FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.shipment_pick TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.shipment_pick TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.shipment_pick TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.shipment_pick FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.shipment_pick FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.stock_move ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.stock_move FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.stock_move TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.stock_move TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.stock_move TO ts_plugin
-- ;;
CREATE POLICY tenant_read ON ts.stock_move FOR SELECT TO ts_app, ts_worker, ts_plugin USING (tenant_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.stock_move FOR INSERT TO ts_app, ts_worker WITH CHECK (tenant_id = (SELECT ts.tenant()))
-- ;;
ALTER TABLE ts.invoice_match ENABLE ROW LEVEL SECURITY
-- ;;
ALTER TABLE ts.invoice_match FORCE ROW LEVEL SECURITY
-- ;;
CREATE POLICY owner_all ON ts.invoice_match TO ts_owner USING (true) WITH CHECK (true)
-- ;;
GRANT SELECT, INSERT ON ts.invoice_match TO ts_app, ts_worker
-- ;;
GRANT SELECT ON ts.invoice_match TO ts_plugin
-- ;;
CREATE POLICY side_read ON ts.invoice_match FOR SELECT TO ts_app, ts_worker, ts_plugin USING (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
-- ;;
CREATE POLICY own_insert ON ts.invoice_match FOR INSERT TO ts_app, ts_worker WITH CHECK (buyer_id = (SELECT ts.tenant()) OR seller_id = (SELECT ts.tenant()))
