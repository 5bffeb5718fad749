-- Notes, guests that turned out to be another, records that are gone at the vendor, and conflicts that a
-- person can decide.

-- A note about a reservation or a guest that the vendor keeps as a record of its own.
create table notes (
    id              text    not null primary key,
    organization_id text    not null,
    property_id     text    not null,
    version         integer not null,
    created_at      text    not null,
    updated_at      text    not null,
    reservation_id  text,
    guest_id        text,
    kind            text    not null,
    kind_vendor     text,
    text            text    not null,
    active          integer not null
);
create index notes_organization on notes (organization_id, id);
create index notes_property on notes (organization_id, property_id, id);
create index notes_reservation on notes (organization_id, reservation_id, id) where reservation_id is not null;
create index notes_guest on notes (organization_id, guest_id, id) where guest_id is not null;

-- The guest that this one turned out to be; the row stays so that old links lead on.
alter table guests add column merged_into text;
create index service_requests_guest on service_requests (organization_id, guest_id) where guest_id is not null;

-- When the vendor was found not to have the record any more.
alter table pms_entity_mappings add column gone_at text;

alter table pms_sync_runs add column unknown integer not null default 0;
alter table pms_sync_runs add column gone integer not null default 0;

-- waiting: what the vendor changed beside the disputed fields. resolution: what was chosen, by whom, when.
-- revision: counts the writes of the conflict.
alter table pms_conflicts add column external_id text not null default '';
alter table pms_conflicts add column waiting text not null default '{}';
alter table pms_conflicts add column resolution text;
alter table pms_conflicts add column revision integer not null default 1;
create index pms_conflicts_list on pms_conflicts (organization_id, id);

-- The vendor's id of the record that a line is about. Lines about a record that never became a row have the
-- nil id as their entity_id.
alter table change_log add column external_id text;
create index change_log_list on change_log (organization_id, id);
create index change_log_refused on change_log (organization_id, id) where outcome = 'refused';
