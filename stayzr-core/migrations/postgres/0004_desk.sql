-- Requests to the staff are rows that a PMS may hold too: versions, its own word for where one stands, and when
-- it is wanted.
alter table service_requests add column version bigint not null default 1;
alter table service_requests add column status_vendor text;
alter table service_requests add column due_at timestamptz;
