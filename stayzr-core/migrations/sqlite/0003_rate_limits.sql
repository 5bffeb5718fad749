-- Vendors' limits, kept for all processes on this file by the machine's clock. One row for each quota
-- and fingerprint of a vendor's access token; no secret, and nothing of a tenant.
--
-- Times are nanoseconds since 1970.
--
-- Keep, enforced by `sweep`: one day after a row was last written.
create table rate_limits (
    key                  text    not null primary key,
    arrival              integer not null, -- when the next call would arrive if calls came evenly spaced
    asked_at             integer not null
) without rowid;
