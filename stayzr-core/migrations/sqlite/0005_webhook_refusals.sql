-- The last requests to webhook endpoints that were refused, for people to look at: nothing of what they
-- carried. The newest 500 are kept, whoever sends how many.
create table webhook_refusals (
    id          text    not null primary key,
    source      text    not null,
    verdict     text    not null,
    reason      text    not null,
    status      integer not null,
    body_bytes  integer not null,
    at          text    not null
) without rowid;
