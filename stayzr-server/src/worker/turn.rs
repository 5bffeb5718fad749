use std::sync::Arc;

use async_trait::async_trait;
use stayzr_core::{
    Error, Result,
    clock::Clock,
    flow::{TurnJob, run_turn},
    port::{Store, concierge::Concierge},
    queue::{Claimed, Handler, HandlerResult, Queue, Wakes},
};

/// Runs turns of the concierge.
pub struct TurnHandler {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Answers guests.
    pub concierge: Arc<dyn Concierge>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Wakes the sender of the reply.
    pub wakes: Wakes,
}

#[async_trait]
impl Handler for TurnHandler {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        let TurnJob { conversation_id } = TurnJob::parse(&claimed)?;
        let scope = claimed
            .job
            .scope()
            .ok_or_else(|| Error::corrupt("turn.job", "a turn belongs to no organization"))?;
        run_turn(
            self.store.as_ref(),
            self.concierge.as_ref(),
            self.clock.as_ref(),
            scope,
            conversation_id,
            Some(claimed.lease),
        )
        .await?;
        self.wakes.wake(Queue::OutboundQueue);
        Ok(HandlerResult::Finished)
    }
}
