-- The schema of Stayzr on PostgreSQL. SQLite has the same names. It runs with search_path set to the
-- schema that holds Stayzr's tables, so that it may live beside a host application's.
--
-- Decimals are normalised text; JSON is jsonb; embeddings are 32-bit floats, little end first.
-- Every table of a tenant has organization_id, and row-level security forced: see the end.
--
-- Keep, enforced by `sweep`: completed jobs 7 days, failed jobs 90 days, deliveries 30 days,
-- finished runs 30 days, idempotency keys 24 hours.

-- ---------------------------------------------------------------------------------------------
-- Tenants and their set-up

create table organizations (
    id                   uuid        not null primary key,
    name                 text        not null,
    created_at           timestamptz not null
);

create table api_tokens (
    id                   uuid        not null primary key,
    organization_id      uuid        not null references organizations (id),
    name                 text        not null,
    role                 text        not null check (role in ('staff', 'admin')),
    property_ids         jsonb       not null,
    hash                 text        not null unique,
    created_at           timestamptz not null,
    revoked_at           timestamptz
);
create index api_tokens_organization on api_tokens (organization_id, id);

-- Entity tables: id, organization_id, property_id where it has one, version, created_at,
-- updated_at, then exactly the columns of EntityKind::columns().
create table properties (
    id                   uuid        not null primary key,
    organization_id      uuid        not null references organizations (id),
    version              bigint      not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    name                 text        not null,
    address              jsonb       not null,
    geo                  jsonb,
    time_zone            text        not null,
    currency             text        not null,
    pricing              text        not null,
    languages            jsonb       not null,
    check_in             text,
    check_out            text,
    phone                text,
    email                text,
    website              text,
    amenities            jsonb       not null,
    policies             jsonb       not null
);
create unique index properties_name on properties (organization_id, name);
create index properties_organization on properties (organization_id, id);

create table room_types (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    property_id          uuid        not null,
    version              bigint      not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    name                 text        not null,
    short_name           text,
    description          text,
    kind                 text,
    capacity             bigint,
    extra_capacity       bigint,
    active               boolean     not null
);
create index room_types_property on room_types (organization_id, property_id, id);
create index room_types_organization on room_types (organization_id, id);

create table rooms (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    property_id          uuid        not null,
    version              bigint      not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    name                 text        not null,
    room_type_id         uuid,
    floor                text,
    condition            text        not null,
    condition_vendor     text,
    active               boolean     not null
);
create index rooms_property on rooms (organization_id, property_id, id);
create index rooms_organization on rooms (organization_id, id);

create table guests (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    version              bigint      not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    origin               text        not null,
    title                text,
    first_name           text,
    last_name            text,
    email                text,
    phone                text,
    nationality          text,
    language             text,
    birth_date           date,
    loyalty_code         text,
    notes                text,
    classifications      jsonb       not null,
    active               boolean     not null
);
create index guests_organization on guests (organization_id, id);

-- Addresses that lead to a guest. source: 'record' for one that stands in the guest's row, 'channel' for one
-- the guest wrote from. A change of the row takes away only addresses of source 'record'.
create table guest_contacts (
    organization_id      uuid        not null,
    channel              text        not null,
    address              text        not null,
    guest_id             uuid        not null references guests (id) on delete cascade,
    source               text        not null check (source in ('record', 'channel')),
    created_at           timestamptz not null,
    primary key (organization_id, channel, address)
);
create index guest_contacts_guest on guest_contacts (guest_id, channel);

create table reservations (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    property_id          uuid        not null,
    version              bigint      not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    number               text,
    guest_id             uuid,
    room_type_id         uuid,
    room_id              uuid,
    status               text        not null,
    status_vendor        text,
    arrival              timestamptz not null,
    departure            timestamptz not null,
    adults               bigint      not null,
    children             bigint      not null,
    rate_vendor          text,
    channel_number       text,
    purpose              text,
    origin               text,
    cancelled_at         timestamptz,
    cancellation_reason  text
);
create index reservations_organization on reservations (organization_id, id);
create index reservations_property on reservations (organization_id, property_id, id);
create index reservations_guest on reservations (organization_id, guest_id, id);
create index reservations_room on reservations (organization_id, room_id, id);
create index reservations_number on reservations (organization_id, number);
create index reservations_departure on reservations (organization_id, property_id, departure);

create table channel_accounts (
    id                   uuid        not null primary key,
    organization_id      uuid        not null references organizations (id),
    property_id          uuid        not null references properties (id),
    channel              text        not null,
    address              text        not null,
    settings             jsonb       not null,
    sealed               text        not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create unique index channel_accounts_address on channel_accounts (channel, address);
create index channel_accounts_organization on channel_accounts (organization_id, id);

-- ---------------------------------------------------------------------------------------------
-- Synchronisation with a PMS

-- Providers described by data: a versioned document for each organization and provider.
create table pms_provider_configs (
    id                   uuid        not null primary key,
    organization_id      uuid        not null references organizations (id),
    provider             text        not null,
    version              bigint      not null,
    config               jsonb       not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create unique index pms_provider_configs_provider on pms_provider_configs (organization_id, provider);

create table pms_integrations (
    id                   uuid        not null primary key,
    organization_id      uuid        not null references organizations (id),
    property_id          uuid        not null references properties (id),
    provider             text        not null,
    account              text        not null,
    remote_property_id   text        not null,
    settings             jsonb       not null,
    sealed               text        not null,
    status               text        not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create unique index pms_integrations_remote on pms_integrations (provider, account, remote_property_id);
create index pms_integrations_organization on pms_integrations (organization_id, id);

create table pms_entity_mappings (
    organization_id      uuid        not null,
    integration_id       uuid        not null,
    entity               text        not null,
    external_id          text        not null,
    local_id             uuid        not null,
    base                 jsonb       not null,
    version              text,
    hash                 text        not null,
    extra                jsonb       not null,
    merged_into          text,
    revision             bigint      not null,
    updated_at           timestamptz not null,
    primary key (integration_id, entity, external_id)
);
create unique index pms_entity_mappings_local on pms_entity_mappings (integration_id, entity, local_id);
create index pms_entity_mappings_row on pms_entity_mappings (organization_id, entity, local_id);

create table pms_sync_cursors (
    organization_id      uuid        not null,
    integration_id       uuid        not null,
    entity               text        not null,
    mode                 text        not null,
    position             jsonb,
    watermark            timestamptz,
    updated_at           timestamptz not null,
    primary key (integration_id, entity, mode)
);

create table pms_sync_runs (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    integration_id       uuid        not null,
    mode                 text        not null,
    status               text        not null,
    read                 bigint      not null,
    created              bigint      not null,
    updated              bigint      not null,
    unchanged            bigint      not null,
    parked               bigint      not null,
    conflicts            bigint      not null,
    error                text,
    started_at           timestamptz not null,
    finished_at          timestamptz
);
create index pms_sync_runs_integration on pms_sync_runs (organization_id, integration_id, id);
create index pms_sync_runs_finished on pms_sync_runs (finished_at) where finished_at is not null;

create table pms_conflicts (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    integration_id       uuid        not null,
    entity               text        not null,
    entity_id            uuid        not null,
    base                 jsonb       not null,
    local                jsonb       not null,
    remote               jsonb       not null,
    status               text        not null check (status in ('open', 'resolved')),
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create unique index pms_conflicts_open on pms_conflicts (integration_id, entity, entity_id) where status = 'open';
create index pms_conflicts_organization on pms_conflicts (organization_id, status, id);

create table change_log (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    entity               text        not null,
    entity_id            uuid        not null,
    field                text,
    base                 jsonb,
    old                  jsonb,
    new                  jsonb,
    source               jsonb       not null,
    outcome              text        not null check (outcome in ('applied', 'refused')),
    reason               text,
    created_at           timestamptz not null
);
create index change_log_row on change_log (organization_id, entity, entity_id, id);

-- ---------------------------------------------------------------------------------------------
-- Queues
--
-- `jobs` holds unfinished jobs only; a job that ends moves to `jobs_done` in the transaction that ends it.
-- `place` says why a job can be claimed or not:
--   ready    it can be claimed
--   delayed  it waits for next_retry_at
--   blocked  an older unfinished job has its key
--   held     a worker holds it (status PROCESSING); every other place is PENDING
-- A lane is (queue, organization). In a lane, jobs of one priority are claimed in order of `seq`, reading
-- forward from `position`; a job that becomes ready behind the position takes a new seq. A transaction that
-- commits late may leave a job behind the position: claims look a little back, and once a second all the
-- way. `number` is the order in which jobs came, which decides who is older among jobs with one key.

create sequence jobs_seq;

create table jobs (
    number               bigint      generated always as identity primary key,
    id                   uuid        not null unique,
    queue                text        not null,
    organization_id      uuid,
    property_id          uuid,
    lane                 text        not null generated always as (coalesce(organization_id::text, '')) stored,
    status               text        not null check (status in ('PENDING', 'PROCESSING')),
    place                text        not null check (place in ('ready', 'delayed', 'blocked', 'held')),
    seq                  bigint      not null default nextval('jobs_seq'),
    attempts             integer     not null,
    max_attempts         integer     not null,
    last_error           text,
    next_retry_at        timestamptz,
    locked_by            text,
    locked_until         timestamptz,
    payload              jsonb       not null,
    key                  text,
    dedupe_key           text,
    priority             integer     not null,
    traceparent          text,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create index jobs_ready on jobs (queue, lane, priority, seq) where place = 'ready';
create index jobs_delayed on jobs (queue, next_retry_at) where place = 'delayed';
create index jobs_held on jobs (queue, locked_until) where place = 'held';
create index jobs_key on jobs (queue, lane, key, number) where key is not null;
create index jobs_dedupe on jobs (queue, lane, dedupe_key) where dedupe_key is not null and status = 'PENDING';
create index jobs_due on jobs (queue, coalesce(next_retry_at, created_at)) where status = 'PENDING';
create index jobs_lane_due on jobs (queue, lane, coalesce(next_retry_at, created_at)) where status = 'PENDING';
create index jobs_lane on jobs (lane, queue, status, id);
create index jobs_list on jobs (lane, id);

create table jobs_done (
    id                   uuid        not null primary key,
    queue                text        not null,
    organization_id      uuid,
    property_id          uuid,
    status               text        not null check (status in ('COMPLETED', 'FAILED')),
    attempts             integer     not null,
    max_attempts         integer     not null,
    last_error           text,
    payload              jsonb       not null,
    key                  text,
    dedupe_key           text,
    priority             integer     not null,
    traceparent          text,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create index jobs_done_list on jobs_done (organization_id, id);
create index jobs_done_queue on jobs_done (organization_id, queue, status, id);
create index jobs_done_parked on jobs_done (organization_id, queue, dedupe_key) where status = 'FAILED' and dedupe_key is not null;
create index jobs_done_age on jobs_done (status, updated_at);

-- A row for each lane and priority, made with its first job; two, where two transactions stored the first job
-- at once, since neither waits for the other. The highest position and turn count. position: up to where claims have read.
-- served: rises with each claim from the lane, so that the lane with the lowest is next. Each process keeps
-- both in memory and writes them here about once a second, because a row that changes with every claim
-- would leave thousands of dead versions behind while a long transaction holds back the vacuum.
create table job_lanes (
    id                   bigint      generated always as identity primary key,
    queue                text        not null,
    lane                 text        not null,
    priority             integer     not null,
    organization_id      uuid,
    position             bigint      not null default 0,
    served               bigint      not null default 0
);
create index job_lanes_queue on job_lanes (queue, lane, priority);

-- A verified delivery; its job in webhook_inbox has the same id. body: the verified bytes, card numbers masked.
create table webhook_deliveries (
    id                   uuid        not null primary key,
    organization_id      uuid,
    property_id          uuid,
    endpoint             jsonb       not null,
    dedupe_id            text,
    content_type         text,
    body                 bytea       not null,
    sha256               text        not null,
    received_at          timestamptz not null,
    traceparent          text
);
create unique index webhook_deliveries_dedupe on webhook_deliveries (endpoint, dedupe_id) where dedupe_id is not null;
create index webhook_deliveries_age on webhook_deliveries (received_at);

create view pms_sync_queue with (security_invoker = true) as
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, next_retry_at, locked_by,
           locked_until, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs where queue = 'pms_sync_queue'
    union all
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, null::timestamptz, null::text,
           null::timestamptz, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs_done where queue = 'pms_sync_queue';

create view agent_turn_queue with (security_invoker = true) as
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, next_retry_at, locked_by,
           locked_until, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs where queue = 'agent_turn_queue'
    union all
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, null::timestamptz, null::text,
           null::timestamptz, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs_done where queue = 'agent_turn_queue';

create view outbound_queue with (security_invoker = true) as
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, next_retry_at, locked_by,
           locked_until, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs where queue = 'outbound_queue'
    union all
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, null::timestamptz, null::text,
           null::timestamptz, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs_done where queue = 'outbound_queue';

create view webhook_inbox with (security_invoker = true) as
    select j.id, j.organization_id, j.property_id, j.status, j.attempts, j.max_attempts, j.last_error,
           j.next_retry_at, j.locked_by, j.locked_until, j.payload, j.key, j.dedupe_key, j.priority,
           j.traceparent, j.created_at, j.updated_at, d.endpoint, d.sha256, d.received_at,
           encode(d.body, 'escape') as body
    from jobs j left join webhook_deliveries d on d.id = j.id where j.queue = 'webhook_inbox'
    union all
    select j.id, j.organization_id, j.property_id, j.status, j.attempts, j.max_attempts, j.last_error,
           null::timestamptz, null::text, null::timestamptz, j.payload, j.key, j.dedupe_key, j.priority,
           j.traceparent, j.created_at, j.updated_at, d.endpoint, d.sha256, d.received_at,
           encode(d.body, 'escape') as body
    from jobs_done j left join webhook_deliveries d on d.id = j.id where j.queue = 'webhook_inbox';

-- ---------------------------------------------------------------------------------------------
-- Conversations

create table conversations (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    property_id          uuid        not null,
    guest_id             uuid        not null references guests (id),
    channel              text        not null,
    channel_account_id   uuid,
    reply_to             text,
    status               text        not null check (status in ('open', 'handed_off', 'closed')),
    language             text,
    last_inbound_at      timestamptz,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
-- One at a time for each guest and account.
create unique index conversations_current
    on conversations (organization_id, property_id, guest_id, channel, coalesce(channel_account_id, '00000000-0000-0000-0000-000000000000'))
    where status <> 'closed';
create index conversations_organization on conversations (organization_id, id);
create index conversations_property on conversations (organization_id, property_id, id);
create index conversations_guest on conversations (organization_id, guest_id, property_id);

-- number: the order in which messages came, which decides whether one is newer than another.
-- job_id: the job that sends it. withdrawn: a person took over while it was being sent, so that it is not
-- tried again.
create table messages (
    number               bigint      generated always as identity primary key,
    id                   uuid        not null unique,
    organization_id      uuid        not null,
    property_id          uuid        not null,
    conversation_id      uuid        not null references conversations (id),
    channel_account_id   uuid,
    direction            text        not null check (direction in ('inbound', 'outbound')),
    author               text        not null,
    text                 text        not null,
    kind                 text        not null,
    status               text        not null,
    vendor_message_id    text,
    error                text,
    citations            jsonb       not null,
    trace                jsonb,
    job_id               uuid,
    withdrawn            boolean     not null default false,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
-- A message of a guest is stored once for each account (for the API, once for each property).
create unique index messages_inbound
    on messages (organization_id, coalesce(channel_account_id, property_id), vendor_message_id)
    where direction = 'inbound' and vendor_message_id is not null;
create index messages_vendor on messages (organization_id, channel_account_id, vendor_message_id)
    where direction = 'outbound' and vendor_message_id is not null;
create index messages_conversation on messages (conversation_id, direction, number);
create index messages_history on messages (conversation_id, number);
create index messages_outbox on messages (organization_id, number) where direction = 'outbound';
create index messages_waiting on messages (conversation_id) where status in ('pending', 'sending');
create index messages_job on messages (job_id) where job_id is not null;

create table service_requests (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    property_id          uuid        not null,
    guest_id             uuid,
    reservation_id       uuid,
    conversation_id      uuid,
    category             text        not null,
    description          text        not null,
    status               text        not null check (status in ('open', 'in_progress', 'done', 'cancelled')),
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create index service_requests_organization on service_requests (organization_id, id);
create index service_requests_property on service_requests (organization_id, property_id, id);

-- ---------------------------------------------------------------------------------------------
-- Knowledge

create table knowledge_documents (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    property_id          uuid,
    category             text        not null,
    file_name            text        not null,
    content_type         text        not null,
    content              text        not null,
    sha256               text        not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create unique index knowledge_documents_name
    on knowledge_documents (organization_id, coalesce(property_id, '00000000-0000-0000-0000-000000000000'), file_name);
create index knowledge_documents_organization on knowledge_documents (organization_id, id);

-- embedding: 32-bit floats, little end first.
create table knowledge_chunks (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    document_id          uuid        not null references knowledge_documents (id) on delete cascade,
    ordinal              integer     not null,
    heading              text        not null,
    text                 text        not null,
    embedding            bytea       not null
);
create unique index knowledge_chunks_document on knowledge_chunks (document_id, ordinal);
create index knowledge_chunks_organization on knowledge_chunks (organization_id, document_id, ordinal);

-- Where an organization's vectors come from, and how often its documents were written.
create table knowledge_marks (
    organization_id      uuid        not null primary key,
    embedder             text        not null,
    dimension            integer     not null,
    generation           bigint      not null
);

-- ---------------------------------------------------------------------------------------------
-- Requests that may be sent twice

create table idempotency_keys (
    organization_id      uuid        not null,
    route                text        not null,
    key                  text        not null,
    fingerprint          text        not null,
    status               integer,
    body                 text,
    begun_at             timestamptz not null,
    primary key (organization_id, route, key)
);
create index idempotency_keys_age on idempotency_keys (begun_at);

-- ---------------------------------------------------------------------------------------------
-- Roles
--
-- Nobody reads these tables as the user who logged in: every transaction takes one of two roles that
-- cannot log in and own nothing. Roles belong to the whole cluster, so another database may have made
-- them already, or be making them at this moment.
do $$
declare
    name text;
begin
    foreach name in array array['stayzr_tenant', 'stayzr_system'] loop
        if not exists (select 1 from pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
        execute format('grant usage on schema %I to %I', current_schema(), name);
    end loop;
end
$$;

-- stayzr_tenant sees the rows of the organization that its transaction names, and no others.
do $$
declare
    name text;
    mine constant text := 'nullif(current_setting(''app.organization_id'', true), '''')::uuid';
begin
    for name in
        select c.relname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
          and c.relname in ('api_tokens', 'properties', 'room_types', 'rooms', 'guests', 'guest_contacts',
              'reservations', 'channel_accounts', 'pms_provider_configs', 'pms_integrations',
              'pms_entity_mappings', 'pms_sync_cursors', 'pms_sync_runs', 'pms_conflicts', 'change_log', 'jobs',
              'jobs_done', 'job_lanes', 'webhook_deliveries', 'conversations', 'messages', 'service_requests',
              'knowledge_documents', 'knowledge_chunks', 'knowledge_marks', 'idempotency_keys')
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I to stayzr_tenant using (organization_id = %s) '
                       'with check (organization_id = %s)', name, mine, mine);
        execute format('grant select, insert, update, delete on %I to stayzr_tenant', name);
    end loop;
    alter table organizations enable row level security;
    alter table organizations force row level security;
    execute format('create policy tenant on organizations to stayzr_tenant using (id = %s) '
                   'with check (id = %s)', mine, mine);
end
$$;
grant select, insert on organizations to stayzr_tenant;
grant usage on sequence jobs_seq to stayzr_tenant, stayzr_system;
grant select on pms_sync_queue, agent_turn_queue, outbound_queue, webhook_inbox to stayzr_tenant, stayzr_system;

-- stayzr_system answers what comes before a tenant is known, and cleans up:
--
--   table                who needs it
--   organizations        the operator's list
--   api_tokens           whose is this token
--   channel_accounts     whose is this address
--   pms_integrations     whose is this integration
--   jobs, jobs_done      which job is next, deliveries without an owner, finished jobs past their keep
--   job_lanes            whose turn it is
--   webhook_deliveries   deliveries without an owner, deliveries past their keep
--   messages             a send that was cut off on its last attempt: the three columns that settle it
--   pms_sync_runs        runs past their keep
--   idempotency_keys     keys past their keep
do $$
declare
    name text;
begin
    foreach name in array array['organizations', 'api_tokens', 'channel_accounts', 'pms_integrations',
        'pms_sync_runs', 'idempotency_keys', 'jobs', 'jobs_done', 'job_lanes', 'webhook_deliveries', 'messages']
    loop
        execute format('create policy system on %I to stayzr_system using (true) with check (true)', name);
    end loop;
end
$$;
grant select on organizations to stayzr_system;
grant select (id, organization_id, name, role, property_ids, hash, revoked_at) on api_tokens to stayzr_system;
grant select (id, organization_id, property_id, channel, address) on channel_accounts to stayzr_system;
grant select (id, organization_id, property_id, provider, account, remote_property_id) on pms_integrations
    to stayzr_system;
grant select, insert, update, delete on jobs, jobs_done, job_lanes, webhook_deliveries to stayzr_system;
grant select (id, job_id, status), update (status, error, updated_at) on messages to stayzr_system;
grant select (id, finished_at), delete on pms_sync_runs to stayzr_system;
grant select (begun_at), delete on idempotency_keys to stayzr_system;
