-- The schema of Stayzr on SQLite. PostgreSQL has the same names.
--
-- Ids are hyphenated text. Times are RFC 3339 in UTC with exactly six decimals and a Z, so that the
-- order of the text is the order of time. JSON is text with sorted keys. Booleans are 0 and 1.
-- Every table of a tenant has organization_id.
--
-- Keep, enforced by `sweep`: completed jobs 7 days, failed jobs 90 days, deliveries 30 days,
-- finished runs 30 days, idempotency keys 24 hours.

-- ---------------------------------------------------------------------------------------------
-- Tenants and their set-up

create table organizations (
    id         text not null primary key,
    name       text not null,
    created_at text not null
);

create table api_tokens (
    id              text not null primary key,
    organization_id text not null references organizations (id),
    name            text not null,
    role            text not null check (role in ('staff', 'admin')),
    property_ids    text not null,
    hash            text not null unique,
    created_at      text not null,
    revoked_at      text
);
create index api_tokens_organization on api_tokens (organization_id, id);

-- Entity tables: id, organization_id, property_id where it has one, version, created_at,
-- updated_at, then exactly the columns of EntityKind::columns().
create table properties (
    id              text    not null primary key,
    organization_id text    not null references organizations (id),
    version         integer not null,
    created_at      text    not null,
    updated_at      text    not null,
    name            text    not null,
    address         text    not null,
    geo             text,
    time_zone       text    not null,
    currency        text    not null,
    pricing         text    not null,
    languages       text    not null,
    check_in        text,
    check_out       text,
    phone           text,
    email           text,
    website         text,
    amenities       text    not null,
    policies        text    not null
);
create unique index properties_name on properties (organization_id, name);
create index properties_organization on properties (organization_id, id);

create table room_types (
    id              text    not null primary key,
    organization_id text    not null,
    property_id     text    not null,
    version         integer not null,
    created_at      text    not null,
    updated_at      text    not null,
    name            text    not null,
    short_name      text,
    description     text,
    kind            text,
    capacity        integer,
    extra_capacity  integer,
    active          integer not null
);
create index room_types_property on room_types (organization_id, property_id, id);
create index room_types_organization on room_types (organization_id, id);

create table rooms (
    id               text    not null primary key,
    organization_id  text    not null,
    property_id      text    not null,
    version          integer not null,
    created_at       text    not null,
    updated_at       text    not null,
    name             text    not null,
    room_type_id     text,
    floor            text,
    condition        text    not null,
    condition_vendor text,
    active           integer not null
);
create index rooms_property on rooms (organization_id, property_id, id);
create index rooms_organization on rooms (organization_id, id);

create table guests (
    id              text    not null primary key,
    organization_id text    not null,
    version         integer not null,
    created_at      text    not null,
    updated_at      text    not null,
    origin          text    not null,
    title           text,
    first_name      text,
    last_name       text,
    email           text,
    phone           text,
    nationality     text,
    language        text,
    birth_date      text,
    loyalty_code    text,
    notes           text,
    classifications text    not null,
    active          integer not null
);
create index guests_organization on guests (organization_id, id);

-- Addresses that lead to a guest. source: 'record' for one that stands in the guest's row, 'channel' for one
-- the guest wrote from. A change of the row takes away only addresses of source 'record'.
create table guest_contacts (
    organization_id text not null,
    channel         text not null,
    address         text not null,
    guest_id        text not null references guests (id) on delete cascade,
    source          text not null check (source in ('record', 'channel')),
    created_at      text not null,
    primary key (organization_id, channel, address)
);
create index guest_contacts_guest on guest_contacts (guest_id, channel);

create table reservations (
    id                  text    not null primary key,
    organization_id     text    not null,
    property_id         text    not null,
    version             integer not null,
    created_at          text    not null,
    updated_at          text    not null,
    number              text,
    guest_id            text,
    room_type_id        text,
    room_id             text,
    status              text    not null,
    status_vendor       text,
    arrival             text    not null,
    departure           text    not null,
    adults              integer not null,
    children            integer not null,
    rate_vendor         text,
    channel_number      text,
    purpose             text,
    origin              text,
    cancelled_at        text,
    cancellation_reason text
);
create index reservations_organization on reservations (organization_id, id);
create index reservations_property on reservations (organization_id, property_id, id);
create index reservations_guest on reservations (organization_id, guest_id, id);
create index reservations_room on reservations (organization_id, room_id, id);
create index reservations_number on reservations (organization_id, number);
create index reservations_departure on reservations (organization_id, property_id, departure);

create table channel_accounts (
    id              text not null primary key,
    organization_id text not null references organizations (id),
    property_id     text not null references properties (id),
    channel         text not null,
    address         text not null,
    settings        text not null,
    sealed          text not null,
    created_at      text not null,
    updated_at      text not null
);
create unique index channel_accounts_address on channel_accounts (channel, address);
create index channel_accounts_organization on channel_accounts (organization_id, id);

-- ---------------------------------------------------------------------------------------------
-- Synchronisation with a PMS

-- Providers described by data: a versioned document for each organization and provider.
create table pms_provider_configs (
    id              text    not null primary key,
    organization_id text    not null references organizations (id),
    provider        text    not null,
    version         integer not null,
    config          text    not null,
    created_at      text    not null,
    updated_at      text    not null
);
create unique index pms_provider_configs_provider on pms_provider_configs (organization_id, provider);

create table pms_integrations (
    id                 text not null primary key,
    organization_id    text not null references organizations (id),
    property_id        text not null references properties (id),
    provider           text not null,
    account            text not null,
    remote_property_id text not null,
    settings           text not null,
    sealed             text not null,
    status             text not null,
    created_at         text not null,
    updated_at         text not null
);
create unique index pms_integrations_remote on pms_integrations (provider, account, remote_property_id);
create index pms_integrations_organization on pms_integrations (organization_id, id);

create table pms_entity_mappings (
    organization_id text not null,
    integration_id  text not null,
    entity          text not null,
    external_id     text not null,
    local_id        text not null,
    base            text not null,
    version         text,
    hash            text not null,
    extra           text not null,
    merged_into     text,
    revision        integer not null,
    updated_at      text not null,
    primary key (integration_id, entity, external_id)
);
create unique index pms_entity_mappings_local on pms_entity_mappings (integration_id, entity, local_id);
create index pms_entity_mappings_row on pms_entity_mappings (organization_id, entity, local_id);

create table pms_sync_cursors (
    organization_id text not null,
    integration_id  text not null,
    entity          text not null,
    mode            text not null,
    position        text,
    watermark       text,
    updated_at      text not null,
    primary key (integration_id, entity, mode)
);

create table pms_sync_runs (
    id              text    not null primary key,
    organization_id text    not null,
    integration_id  text    not null,
    mode            text    not null,
    status          text    not null,
    read            integer not null,
    created         integer not null,
    updated         integer not null,
    unchanged       integer not null,
    parked          integer not null,
    conflicts       integer not null,
    error           text,
    started_at      text    not null,
    finished_at     text
);
create index pms_sync_runs_integration on pms_sync_runs (organization_id, integration_id, id);
create index pms_sync_runs_finished on pms_sync_runs (finished_at) where finished_at is not null;

create table pms_conflicts (
    id              text not null primary key,
    organization_id text not null,
    integration_id  text not null,
    entity          text not null,
    entity_id       text not null,
    base            text not null,
    local           text not null,
    remote          text not null,
    status          text not null check (status in ('open', 'resolved')),
    created_at      text not null,
    updated_at      text not null
);
create unique index pms_conflicts_open on pms_conflicts (integration_id, entity, entity_id) where status = 'open';
create index pms_conflicts_organization on pms_conflicts (organization_id, status, id);

create table change_log (
    id              text not null primary key,
    organization_id text not null,
    entity          text not null,
    entity_id       text not null,
    field           text,
    base            text,
    old             text,
    new             text,
    source          text not null,
    outcome         text not null check (outcome in ('applied', 'refused')),
    reason          text,
    created_at      text not null
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
-- forward from `position`; a job that becomes ready behind the position takes a new seq. `number` is the
-- order in which jobs came, which decides who is older among jobs with one key.

create table jobs (
    number          integer not null primary key autoincrement,
    id              text    not null unique,
    queue           text    not null,
    organization_id text,
    property_id     text,
    lane            text    not null generated always as (coalesce(organization_id, '')) virtual,
    status          text    not null check (status in ('PENDING', 'PROCESSING')),
    place           text    not null check (place in ('ready', 'delayed', 'blocked', 'held')),
    seq             integer not null,
    attempts        integer not null,
    max_attempts    integer not null,
    last_error      text,
    next_retry_at   text,
    locked_by       text,
    locked_until    text,
    payload         text    not null,
    key             text,
    dedupe_key      text,
    priority        integer not null,
    traceparent     text,
    created_at      text    not null,
    updated_at      text    not null
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
    id              text    not null primary key,
    queue           text    not null,
    organization_id text,
    property_id     text,
    status          text    not null check (status in ('COMPLETED', 'FAILED')),
    attempts        integer not null,
    max_attempts    integer not null,
    last_error      text,
    payload         text    not null,
    key             text,
    dedupe_key      text,
    priority        integer not null,
    traceparent     text,
    created_at      text    not null,
    updated_at      text    not null
);
create index jobs_done_list on jobs_done (organization_id, id);
create index jobs_done_queue on jobs_done (organization_id, queue, status, id);
create index jobs_done_parked on jobs_done (organization_id, queue, dedupe_key) where status = 'FAILED' and dedupe_key is not null;
create index jobs_done_age on jobs_done (status, updated_at);

-- One row for each lane and priority. ready: how many jobs are in place 'ready'. last_seq: the highest seq
-- given out. position: the highest seq claimed. served: rises with each claim from the lane, so that the lane
-- with the lowest is next.
create table job_lanes (
    queue           text    not null,
    lane            text    not null,
    priority        integer not null,
    organization_id text,
    ready           integer not null default 0,
    last_seq        integer not null default 0,
    position        integer not null default 0,
    served          integer not null default 0,
    primary key (queue, lane, priority)
);
create index job_lanes_ready on job_lanes (queue, served) where ready > 0;
create index job_lanes_served on job_lanes (queue, served);

-- The counts of a lane follow its jobs by themselves, whoever moves them. `served + 0` keeps SQLite from
-- looking for the greatest one in job_lanes_served, where it would pass all other lanes.
create trigger jobs_inserted after insert on jobs begin
    insert into job_lanes (queue, lane, priority, organization_id, ready, last_seq, served)
    values (new.queue, new.lane, new.priority, new.organization_id, new.place = 'ready', new.seq,
            (select coalesce(max(served + 0), 0) from job_lanes where queue = new.queue and lane = new.lane))
    on conflict (queue, lane, priority) do update
    set ready = ready + excluded.ready, last_seq = max(last_seq, excluded.last_seq);
end;
create trigger jobs_moved after update of place on jobs
    when old.place <> new.place and 'ready' in (old.place, new.place) begin
    update job_lanes
    set ready = ready + (new.place = 'ready') - (old.place = 'ready'), last_seq = max(last_seq, new.seq)
    where queue = new.queue and lane = new.lane and priority = new.priority;
end;
create trigger jobs_deleted after delete on jobs when old.place = 'ready' begin
    update job_lanes set ready = ready - 1
    where queue = old.queue and lane = old.lane and priority = old.priority;
end;

-- A verified delivery; its job in webhook_inbox has the same id. body: the verified bytes, card numbers masked.
create table webhook_deliveries (
    id              text not null primary key,
    organization_id text,
    property_id     text,
    endpoint        text not null,
    dedupe_id       text,
    content_type    text,
    body            blob not null,
    sha256          text not null,
    received_at     text not null,
    traceparent     text
);
create unique index webhook_deliveries_dedupe on webhook_deliveries (endpoint, dedupe_id) where dedupe_id is not null;
create index webhook_deliveries_age on webhook_deliveries (received_at);

create view pms_sync_queue as
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, next_retry_at, locked_by,
           locked_until, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs where queue = 'pms_sync_queue'
    union all
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, null, null,
           null, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs_done where queue = 'pms_sync_queue';

create view agent_turn_queue as
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, next_retry_at, locked_by,
           locked_until, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs where queue = 'agent_turn_queue'
    union all
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, null, null,
           null, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs_done where queue = 'agent_turn_queue';

create view outbound_queue as
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, next_retry_at, locked_by,
           locked_until, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs where queue = 'outbound_queue'
    union all
    select id, organization_id, property_id, status, attempts, max_attempts, last_error, null, null,
           null, payload, key, dedupe_key, priority, traceparent, created_at, updated_at
    from jobs_done where queue = 'outbound_queue';

create view webhook_inbox as
    select j.id, j.organization_id, j.property_id, j.status, j.attempts, j.max_attempts, j.last_error,
           j.next_retry_at, j.locked_by, j.locked_until, j.payload, j.key, j.dedupe_key, j.priority,
           j.traceparent, j.created_at, j.updated_at, d.endpoint, d.sha256, d.received_at,
           cast(d.body as text) as body
    from jobs j left join webhook_deliveries d on d.id = j.id where j.queue = 'webhook_inbox'
    union all
    select j.id, j.organization_id, j.property_id, j.status, j.attempts, j.max_attempts, j.last_error,
           null, null, null, j.payload, j.key, j.dedupe_key, j.priority,
           j.traceparent, j.created_at, j.updated_at, d.endpoint, d.sha256, d.received_at,
           cast(d.body as text) as body
    from jobs_done j left join webhook_deliveries d on d.id = j.id where j.queue = 'webhook_inbox';

-- ---------------------------------------------------------------------------------------------
-- Conversations

create table conversations (
    id                 text not null primary key,
    organization_id    text not null,
    property_id        text not null,
    guest_id           text not null references guests (id),
    channel            text not null,
    channel_account_id text,
    reply_to           text,
    status             text not null check (status in ('open', 'handed_off', 'closed')),
    language           text,
    last_inbound_at    text,
    created_at         text not null,
    updated_at         text not null
);
-- One at a time for each guest and account.
create unique index conversations_current
    on conversations (organization_id, property_id, guest_id, channel, coalesce(channel_account_id, ''))
    where status <> 'closed';
create index conversations_organization on conversations (organization_id, id);
create index conversations_property on conversations (organization_id, property_id, id);
create index conversations_guest on conversations (organization_id, guest_id, property_id);

-- number: the order in which messages came, which decides whether one is newer than another.
-- job_id: the job that sends it. withdrawn: a person took over while it was being sent, so that it is not
-- tried again.
create table messages (
    number             integer not null primary key autoincrement,
    id                 text    not null unique,
    organization_id    text    not null,
    property_id        text    not null,
    conversation_id    text    not null references conversations (id),
    channel_account_id text,
    direction          text    not null check (direction in ('inbound', 'outbound')),
    author             text    not null,
    text               text    not null,
    kind               text    not null,
    status             text    not null,
    vendor_message_id  text,
    error              text,
    citations          text    not null,
    trace              text,
    job_id             text,
    withdrawn          integer not null default 0,
    created_at         text    not null,
    updated_at         text    not null
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
    id              text not null primary key,
    organization_id text not null,
    property_id     text not null,
    guest_id        text,
    reservation_id  text,
    conversation_id text,
    category        text not null,
    description     text not null,
    status          text not null check (status in ('open', 'in_progress', 'done', 'cancelled')),
    created_at      text not null,
    updated_at      text not null
);
create index service_requests_organization on service_requests (organization_id, id);
create index service_requests_property on service_requests (organization_id, property_id, id);

-- ---------------------------------------------------------------------------------------------
-- Knowledge

create table knowledge_documents (
    id              text not null primary key,
    organization_id text not null,
    property_id     text,
    category        text not null,
    file_name       text not null,
    content_type    text not null,
    content         text not null,
    sha256          text not null,
    created_at      text not null,
    updated_at      text not null
);
create unique index knowledge_documents_name
    on knowledge_documents (organization_id, coalesce(property_id, ''), file_name);
create index knowledge_documents_organization on knowledge_documents (organization_id, id);

-- embedding: 32-bit floats, little end first.
create table knowledge_chunks (
    id              text    not null primary key,
    organization_id text    not null,
    document_id     text    not null references knowledge_documents (id) on delete cascade,
    ordinal         integer not null,
    heading         text    not null,
    text            text    not null,
    embedding       blob    not null
);
create unique index knowledge_chunks_document on knowledge_chunks (document_id, ordinal);
create index knowledge_chunks_organization on knowledge_chunks (organization_id, document_id, ordinal);

-- Where an organization's vectors come from, and how often its documents were written.
create table knowledge_marks (
    organization_id text    not null primary key,
    embedder        text    not null,
    dimension       integer not null,
    generation      integer not null
);

-- ---------------------------------------------------------------------------------------------
-- Requests that may be sent twice

create table idempotency_keys (
    organization_id text not null,
    route           text not null,
    key             text not null,
    fingerprint     text not null,
    status          integer,
    body            text,
    begun_at        text not null,
    primary key (organization_id, route, key)
);
create index idempotency_keys_age on idempotency_keys (begun_at);
