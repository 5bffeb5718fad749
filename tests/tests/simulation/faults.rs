//! Faults that the engine could have. Each is made around the real engine, by what it is told or by
//! what becomes of its writes, and behaves as the engine would if it had the fault.

/// A fault of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Vendors' marks are not compared: what is older is taken.
    MarkIgnored,
    /// A row is written whatever version it has by then.
    RowVersionUnchecked,
    /// A mapping is replaced whatever revision it has by then.
    RevisionUnchecked,
    /// After a push the base stays as it was.
    BaseKeptAfterPush,
    /// The base is what stands here, agreed or not.
    BaseIsRow,
    /// The place in a backfill is saved before the page that was read.
    CursorBeforePage,
    /// What was read up to is told by our clock.
    WatermarkOfOurClock,
    /// A window begins where the last one ended.
    NoOverlap,
    /// What was sent is not remembered.
    NotesForgotten,
    /// A late read is never doubted.
    LateReadTrusted,
    /// The push that a merge asks for is not enqueued.
    PushDropped,
    /// Nothing is journalled.
    JournalDropped,
    /// A merged guest keeps what hangs on him.
    MergeNotFollowed,
    /// A lost lease writes on.
    LeaseUnchecked,
    /// What waits for a decision is applied at once.
    WaitingApplied,
    /// A conflict is found and not kept.
    ConflictForgotten,
    /// A guest's addresses are not kept.
    ContactsForgotten,
    /// A record that is gone is not remembered as gone.
    GoneUnmarked,
    /// A record that was put aside and is read again still stands put aside.
    ReadUntold,
    /// A create is repeated without looking whether it was made.
    CreateNotLookedUp,
    /// Calls are not held back.
    LimiterOff,
}

/// Every fault, with what must catch it.
pub const FAULTS: &[Fault] = &[
    Fault::MarkIgnored,
    Fault::RowVersionUnchecked,
    Fault::RevisionUnchecked,
    Fault::BaseKeptAfterPush,
    Fault::BaseIsRow,
    Fault::CursorBeforePage,
    Fault::WatermarkOfOurClock,
    Fault::NoOverlap,
    Fault::NotesForgotten,
    Fault::LateReadTrusted,
    Fault::PushDropped,
    Fault::JournalDropped,
    Fault::MergeNotFollowed,
    Fault::LeaseUnchecked,
    Fault::WaitingApplied,
    Fault::ConflictForgotten,
    Fault::ContactsForgotten,
    Fault::GoneUnmarked,
    Fault::ReadUntold,
    Fault::CreateNotLookedUp,
    Fault::LimiterOff,
];
