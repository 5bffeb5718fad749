-- Vendors' limits, kept for all server processes by this database's clock. One row for each quota and
-- fingerprint of a vendor's access token; no secret, and nothing of a tenant.
--
-- Times are nanoseconds since 1970.
--
-- Keep, enforced by `sweep`: one day after a row was last asked.
create table rate_limits (
    key                  text        not null primary key,
    arrival              bigint      not null, -- when the next call would arrive if calls came evenly spaced
    arrival_before       bigint      not null, -- what it was when the row was last asked
    asked_at             bigint      not null
);
-- Every call rewrites its row: room for new versions on its page keeps that out of the index.
alter table rate_limits set (fillfactor = 50);

alter table rate_limits enable row level security;
alter table rate_limits force row level security;
create policy system on rate_limits to stayzr_system using (true) with check (true);
grant select, insert, update, delete on rate_limits to stayzr_system;
