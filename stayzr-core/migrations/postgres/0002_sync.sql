-- Notes, guests that turned out to be another, records that are gone at the vendor, and conflicts that a
-- person can decide.

-- A note about a reservation or a guest that the vendor keeps as a record of its own.
create table notes (
    id                   uuid        not null primary key,
    organization_id      uuid        not null,
    property_id          uuid        not null,
    version              bigint      not null,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    reservation_id       uuid,
    guest_id             uuid,
    kind                 text        not null,
    kind_vendor          text,
    text                 text        not null,
    active               boolean     not null
);
create index notes_organization on notes (organization_id, id);
create index notes_property on notes (organization_id, property_id, id);
create index notes_reservation on notes (organization_id, reservation_id, id) where reservation_id is not null;
create index notes_guest on notes (organization_id, guest_id, id) where guest_id is not null;

alter table notes enable row level security;
alter table notes force row level security;
create policy tenant on notes to stayzr_tenant
    using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)
    with check (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
grant select, insert, update, delete on notes to stayzr_tenant;

-- The guest that this one turned out to be; the row stays so that old links lead on.
alter table guests add column merged_into uuid;
create index service_requests_guest on service_requests (organization_id, guest_id) where guest_id is not null;

-- When the vendor was found not to have the record any more.
alter table pms_entity_mappings add column gone_at timestamptz;
-- By their bytes, in whatever language the database sorts: a sweep goes through them in that order.
alter table pms_entity_mappings alter column external_id type text collate "C";
-- One index finds the mappings of a row, in one integration or in all. It begins with the row: the planner,
-- which knows nothing of a table that is being filled, must not take it for the primary key.
drop index pms_entity_mappings_local;
drop index pms_entity_mappings_row;
create unique index pms_entity_mappings_local on pms_entity_mappings (local_id, entity, integration_id);

alter table pms_sync_runs add column unknown bigint not null default 0;
alter table pms_sync_runs add column gone bigint not null default 0;

-- waiting: what the vendor changed beside the disputed fields. resolution: what was chosen, by whom, when.
-- revision: counts the writes of the conflict.
alter table pms_conflicts add column external_id text not null default '';
alter table pms_conflicts add column waiting jsonb not null default '{}';
alter table pms_conflicts add column resolution jsonb;
alter table pms_conflicts add column revision bigint not null default 1;
create index pms_conflicts_list on pms_conflicts (organization_id, id);

-- The vendor's id of the record that a line is about. Lines about a record that never became a row have the
-- nil id as their entity_id.
alter table change_log add column external_id text collate "C";
create index change_log_list on change_log (organization_id, id);
create index change_log_refused on change_log (organization_id, id) where outcome = 'refused';
