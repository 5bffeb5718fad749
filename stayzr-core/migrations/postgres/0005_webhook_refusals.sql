-- The last requests to webhook endpoints that were refused, for people to look at: nothing of what they
-- carried, and nothing of a tenant. The newest 500 are kept, whoever sends how many.
create table webhook_refusals (
    id                   uuid        not null primary key,
    source               text        not null,
    verdict              text        not null,
    reason               text        not null,
    status               integer     not null,
    body_bytes           bigint      not null,
    at                   timestamptz not null
);

alter table webhook_refusals enable row level security;
alter table webhook_refusals force row level security;
create policy system on webhook_refusals to stayzr_system using (true) with check (true);
grant select, insert, delete on webhook_refusals to stayzr_system;
