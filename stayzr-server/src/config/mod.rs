//! Configuration: the commented default file, then `stayzr.toml`, then the environment, then flags.

mod key;
mod load;
mod sections;
mod senders;

pub use key::load_master_key;
pub(crate) use key::write_private;
pub use load::{DEFAULT_FILE, Sources, load};
pub use sections::{
    Auth, Config, Embedder, Knowledge, Model, Secrets, Server, Store, StoreBackendKind, StoreUrl,
    Telemetry, Workers,
};
pub use senders::{Channels, PaymentAccount, Payments, Postmark, Resend, Whatsapp};
