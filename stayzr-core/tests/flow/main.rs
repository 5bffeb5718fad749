//! What the flows do over a store: messages in and their answers, edits, availability.
#![cfg(all(feature = "memory", feature = "sqlite", feature = "conformance"))]

/// Runs each test of a module on the stores that need no server.
macro_rules! on_each_store {
    ($($test:ident)*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::hotel::in_memory().await).await;
            })*
        }
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                let (_folder, hotel) = crate::hotel::on_sqlite().await;
                super::$test(hotel).await;
            })*
        }
    };
}

mod backend;
mod create;
mod edit;
mod hotel;
mod inbound;
mod outbound;
mod pms;
mod race;
mod resolve;
mod restore;
mod tenant;
mod turn;
