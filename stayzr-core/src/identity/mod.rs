//! Whether a vendor's record is about a guest who is known already.
//!
//! The order, and why: the vendor's own id first, by the mapping and before anything here, since
//! only it says that two records are one. Then the telephone, which a person keeps and no booking
//! site replaces. Then the email, which families and assistants share. A name is never enough: it
//! only confirms an address or speaks against it. Two guests taken for one read each other's
//! messages, one taken for two is a nuisance, so that every doubt is left to a person.

mod name;
mod recognise;
mod relay;

pub use name::{fold, given_names_agree};
pub use recognise::{Candidate, MatchedBy, Recognition, recognise};
pub use relay::is_relay_address;
