//! Configuration: the commented default file, then `stayzr.toml`, then the environment, then flags.

mod key;
mod load;
mod sections;

pub use key::load_master_key;
pub(crate) use key::write_private;
pub use load::{DEFAULT_FILE, Sources, load};
pub use sections::{
    Auth, Channels, Config, Embedder, Knowledge, Model, PaymentAccount, Payments, Postmark, Resend,
    Secrets, Server, Store, StoreBackendKind, StoreUrl, Telemetry, Whatsapp, Workers,
};
