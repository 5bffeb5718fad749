//! Keeps both sides equal: backfill, incremental, targeted, push.
