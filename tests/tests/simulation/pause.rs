//! Where a process may be interrupted: once before and once after each call of a port.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Gives way once. The scheduler decides who goes on, or that the process is no more.
pub fn pause() -> impl Future<Output = ()> + Send {
    struct Once(bool);

    impl Future for Once {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            match std::mem::replace(&mut self.0, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }
    }

    Once(false)
}
