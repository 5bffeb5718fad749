use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::Utc;
use stayzr_core::{
    Result,
    clock::Clock,
    model::{ConversationStatus, Escalation, LanguageTag, Turn, TurnStatus, Usage},
    port::{
        backend::HotelBackend,
        concierge::{Concierge, TurnRequest},
    },
};

use super::{exchange::Exchange, work::Work};
use crate::{
    escalation::{Situation, assess},
    guard::{handoff_line, is_handoff_line},
    model::{ChatLimits, ChatModel, OfflineModel, TurnBrief},
    router::{Router, language_of},
    run::RunLimits,
    specialists::Specialist,
    tool::{PassageSearch, Registry},
};

/// What a turn may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConciergeLimits {
    /// The specialist's run.
    pub run: RunLimits,
    /// One question to the model.
    pub chat: ChatLimits,
    /// The whole turn; after it the guest gets the handoff line.
    pub turn: Duration,
}

impl Default for ConciergeLimits {
    fn default() -> Self {
        Self {
            run: RunLimits::default(),
            chat: ChatLimits::default(),
            turn: Duration::from_secs(28),
        }
    }
}

/// The concierge over a chat model, a hotel and its knowledge.
///
/// With [`OfflineModel`] it needs nothing outside the process. With another model, the offline one
/// stands in whenever that fails, is refused, or says what nothing supports;
/// [`Self::without_fallback`] leaves that to a person.
pub struct AgentConcierge {
    pub(super) model: Arc<dyn ChatModel>,
    pub(super) fallback: Option<OfflineModel>,
    pub(super) tools: Registry,
    router: Router,
    clock: Arc<dyn Clock>,
    pub(super) limits: ConciergeLimits,
}

impl AgentConcierge {
    /// A concierge with the seven tools of the house, which routes offline.
    pub fn new(
        model: Arc<dyn ChatModel>,
        backend: Arc<dyn HotelBackend>,
        search: Arc<dyn PassageSearch>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            model,
            fallback: Some(OfflineModel),
            tools: Registry::hotel(backend, search),
            router: Router::offline(),
            clock,
            limits: ConciergeLimits::default(),
        }
    }

    /// Routes with this router.
    #[must_use]
    pub fn with_router(mut self, router: Router) -> Self {
        self.router = router;
        self
    }

    /// Hands over to a person where the model fails, instead of quoting what was found.
    #[must_use]
    pub fn without_fallback(mut self) -> Self {
        self.fallback = None;
        self
    }

    /// Works within these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: ConciergeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Uses these tools; specialists still use only those that their profile names.
    #[must_use]
    pub fn with_tools(mut self, tools: Registry) -> Self {
        self.tools = tools;
        self
    }

    /// The tools, to offer them elsewhere.
    pub fn tools(&self) -> &Registry {
        &self.tools
    }

    async fn turn(&self, request: &TurnRequest) -> Turn {
        let exchange = Exchange::of(&request.history);
        let language = language_of(
            &exchange.message,
            [
                request.conversation.language.as_ref(),
                request.guest.language.as_ref(),
                request.property.languages.first(),
            ],
        );
        if request.conversation.status != ConversationStatus::Open {
            return self.silent(request, language, TurnStatus::Muted);
        }
        if exchange.message.is_empty() {
            return self.silent(request, language, TurnStatus::Superseded);
        }
        let brief = self.brief(request, language, String::new());
        let (mut route, routing) = self.router.route(&exchange.message, &brief).await;
        if exchange.completes_stay() {
            route.specialist = Specialist::Booking;
        }
        let mut turn = Work {
            concierge: self,
            request,
            brief: TurnBrief {
                intent: route.intent.clone(),
                ..brief
            },
            exchange,
            route,
            usage: routing,
            records: Vec::new(),
            model: self.model.name().to_owned(),
        };
        let reply = turn.answer().await;
        turn.finish(reply)
    }

    fn brief(&self, request: &TurnRequest, language: LanguageTag, intent: String) -> TurnBrief {
        let zone: chrono_tz::Tz = request.property.time_zone.parse().unwrap_or(chrono_tz::UTC);
        TurnBrief {
            language,
            today: self
                .clock
                .now()
                .with_timezone(&Utc)
                .with_timezone(&zone)
                .date_naive(),
            property: request.property.name.clone(),
            intent,
            guest: request.guest.first_name.clone(),
        }
    }

    fn silent(&self, request: &TurnRequest, language: LanguageTag, status: TurnStatus) -> Turn {
        Turn {
            conversation_id: request.conversation.id,
            status,
            reply: None,
            language,
            intent: "none".to_owned(),
            specialist: Specialist::Concierge.as_str().to_owned(),
            confidence: 0.0,
            citations: Vec::new(),
            tool_calls: Vec::new(),
            escalation: Escalation::default(),
            model: self.model.name().to_owned(),
            usage: Usage::default(),
            trace_id: request.trace_id.clone(),
        }
    }

    /// The line that hands over, for a turn that found no time for anything else.
    fn abandoned(&self, request: &TurnRequest) -> Turn {
        let exchange = Exchange::of(&request.history);
        let language = language_of(
            &exchange.message,
            [
                request.conversation.language.as_ref(),
                request.guest.language.as_ref(),
                request.property.languages.first(),
            ],
        );
        let said = exchange.machine_replies().any(is_handoff_line);
        let line = handoff_line(&language).to_owned();
        Turn {
            reply: (!said).then_some(line),
            escalation: assess(&Situation {
                handed_off: true,
                ..Situation::default()
            }),
            ..self.silent(request, language, TurnStatus::HandedOff)
        }
    }
}

#[async_trait]
impl Concierge for AgentConcierge {
    async fn respond(&self, request: &TurnRequest) -> Result<Turn> {
        match tokio::time::timeout(self.limits.turn, self.turn(request)).await {
            Ok(turn) => Ok(turn),
            Err(_) => {
                tracing::warn!(trace_id = request.trace_id, "a turn ran out of time");
                Ok(self.abandoned(request))
            }
        }
    }
}

impl std::fmt::Debug for AgentConcierge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentConcierge")
            .field("model", &self.model.name())
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}
