use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    answer::{Answer, Refusal},
    body::Limits,
};

/// Lets requests in as long as there is place for them, and turns the others away at once: memory
/// does not grow with what is offered.
#[derive(Clone)]
pub(super) struct Gate {
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Self {
        let places = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            requests: places(limits.requests_in_work),
            bytes: places(limits.bytes_in_work),
        }
    }

    /// A place for a request, kept until it is answered.
    pub(super) fn enter(&self) -> Result<Place, Answer> {
        let request = self.requests.clone().try_acquire_owned();
        Ok(Place {
            _request: request.map_err(|_| overloaded())?,
            bytes: self.bytes.clone(),
            taken: None,
        })
    }
}

/// A place for a request and the bytes of its body so far.
pub(super) struct Place {
    _request: OwnedSemaphorePermit,
    bytes: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Makes place for a body of so many bytes, those before included.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Answer> {
        let held = self.taken.as_ref().map_or(0, |taken| taken.num_permits());
        let more = u32::try_from(bytes.saturating_sub(held)).map_err(|_| overloaded())?;
        if more == 0 {
            return Ok(());
        }
        let more = self.bytes.clone().try_acquire_many_owned(more);
        let more = more.map_err(|_| overloaded())?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }
}

fn overloaded() -> Answer {
    Answer::refused(Refusal::Overloaded, 0)
}
