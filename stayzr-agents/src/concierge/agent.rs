use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::Utc;
use stayzr_core::{
    Result,
    clock::Clock,
    model::{
        Citation, ConversationStatus, Escalation, EscalationAction, LanguageTag, ToolCall, Turn,
        TurnStatus, Usage,
    },
    port::{
        backend::HotelBackend,
        concierge::{Concierge, TurnRequest},
    },
};

use super::{citation, exchange::Exchange};
use crate::{
    escalation::{Situation, assess},
    guard::{Evidence, Verdict, check, check_figures, handoff_line, is_duplicate, is_handoff_line},
    model::{ChatLimits, ChatModel, ChatRequest, OfflineModel, TurnBrief, phrases},
    router::{Route, Router, language_of},
    run::{CallRecord, Draft, Driver, End, Run, RunLimits},
    specialists::{Specialist, system_prompt},
    text,
    tool::{PassageSearch, Registry, ToolContext},
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
/// stands in whenever that fails, is refused, or says what nothing supports.
pub struct AgentConcierge {
    model: Arc<dyn ChatModel>,
    fallback: OfflineModel,
    tools: Registry,
    router: Router,
    clock: Arc<dyn Clock>,
    limits: ConciergeLimits,
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
            fallback: OfflineModel,
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
        let (route, routing) = self.router.route(&exchange.message, &brief).await;
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

/// A reply before it goes out.
enum Reply {
    /// The guest gets this text.
    Say(String),
    /// A person takes over.
    HandOff,
}

/// A turn while it is worked on.
struct Work<'a> {
    concierge: &'a AgentConcierge,
    request: &'a TurnRequest,
    brief: TurnBrief,
    exchange: Exchange,
    route: Route,
    usage: Usage,
    records: Vec<CallRecord>,
    model: String,
}

impl Work<'_> {
    async fn answer(&mut self) -> Reply {
        if self.accepts_offer() {
            self.route.human = true;
            self.route.escalate = true;
        }
        if self.route.escalate {
            return Reply::HandOff;
        }
        let model = Arc::clone(&self.concierge.model);
        let mut run = self.new_run();
        let draft = self.drive(&mut run, model.as_ref()).await;
        let text = match draft.end {
            End::HandedOff => {
                self.take(&run);
                return Reply::HandOff;
            }
            End::Answered => draft.text,
            end => {
                tracing::warn!(model = model.name(), end = ?end, "the run gave no reply");
                None
            }
        };
        let text = match text {
            Some(text) => self.grounded(&mut run, model.as_ref(), text).await,
            None => None,
        };
        self.take(&run);
        if let Some(text) = text {
            self.model = match run.model() {
                "" => self.model.clone(),
                model => model.to_owned(),
            };
            return self.fresh(text);
        }
        if model.is_extractive() {
            return Reply::HandOff;
        }
        self.fall_back().await
    }

    /// Whether the guest says yes to our offer to ask a colleague.
    fn accepts_offer(&self) -> bool {
        let words = text::words(&self.exchange.message);
        let yes = words.len() <= 5
            && words.first().is_some_and(|word| {
                matches!(
                    word.as_str(),
                    "yes"
                        | "yeah"
                        | "yep"
                        | "sure"
                        | "ok"
                        | "okay"
                        | "please"
                        | "ja"
                        | "gern"
                        | "gerne"
                        | "bitte"
                        | "sim"
                        | "si"
                        | "claro"
                        | "oui"
                        | "volontiers"
                        | "certo"
                        | "volentieri"
                        | "graag"
                )
            });
        yes && self
            .exchange
            .replies()
            .next()
            .is_some_and(phrases::offers_person)
    }

    /// The reply if the run supports it, or a second one if the model mends the first.
    async fn grounded(&self, run: &mut Run, model: &dyn ChatModel, text: String) -> Option<String> {
        let verdict = if model.is_extractive() {
            check_figures(&text, &self.evidence(run.records()))
        } else {
            self.verify(&text, run.records())
        };
        if verdict.is_grounded() {
            return Some(text);
        }
        tracing::warn!(
            model = model.name(),
            problems = verdict.problems.len(),
            "a reply said what nothing supports"
        );
        if model.is_extractive() || !run.reconsider(&remark(&verdict)) {
            return None;
        }
        let draft = self.drive(run, model).await;
        let text = draft.text?;
        self.verify(&text, run.records())
            .is_grounded()
            .then_some(text)
    }

    fn verify(&self, text: &str, records: &[CallRecord]) -> Verdict {
        let evidence = self.evidence(records);
        check(text, &evidence.with_question(&self.exchange.message))
    }

    fn evidence(&self, records: &[CallRecord]) -> Evidence {
        let mut evidence = Evidence::of(records);
        evidence.add(&self.request.property.name);
        evidence
    }

    /// Quotes alone; the last resort is a person.
    async fn fall_back(&mut self) -> Reply {
        let fallback = self.concierge.fallback;
        let mut run = self.new_run();
        let draft = self.drive(&mut run, &fallback).await;
        let handed_off = draft.end == End::HandedOff;
        let text = draft.text.filter(|text| {
            !handed_off && check_figures(text, &self.evidence(run.records())).is_grounded()
        });
        // Where nothing was found, a model's failure must not pass for an answer.
        let empty = run.records().iter().all(|record| !record.ok);
        self.take(&run);
        fallback.name().clone_into(&mut self.model);
        match text {
            Some(text) if !empty || run.records().is_empty() => self.fresh(text),
            _ => Reply::HandOff,
        }
    }

    /// The reply unless the guest was told the same already; then a person is a better answer.
    fn fresh(&self, text: String) -> Reply {
        let last: Vec<&str> = self.exchange.replies().take(3).collect();
        let social = self.records.is_empty();
        if !social && is_duplicate(&text, &last) {
            let asked_again = self
                .exchange
                .questions()
                .take(2)
                .any(|question| is_duplicate(&self.exchange.message, &[question]));
            if !asked_again
                || last
                    .first()
                    .is_some_and(|reply| !is_duplicate(&text, &[reply]))
            {
                // Another question with the same answer, or one that was said longer ago.
                return Reply::Say(text);
            }
            return Reply::HandOff;
        }
        Reply::Say(text)
    }

    fn new_run(&self) -> Run {
        let tools = self.route.specialist.profile().tools;
        let request = ChatRequest {
            system: system_prompt(self.route.specialist, &self.request.property, &self.brief),
            messages: self.exchange.messages(),
            tools: self.concierge.tools.specs(tools),
            limits: self.concierge.limits.chat,
            brief: self.brief.clone(),
        };
        Run::new(request, self.concierge.limits.run)
    }

    async fn drive(&self, run: &mut Run, model: &dyn ChatModel) -> Draft {
        let context = ToolContext {
            scope: self.request.scope,
            property: self.request.property.clone(),
            guest_id: Some(self.request.guest.id),
            conversation_id: Some(self.request.conversation.id),
            trace_id: self.request.trace_id.clone(),
            language: self.brief.language.clone(),
            today: self.brief.today,
            history: self.exchange.turns(),
        };
        let allowed = self.route.specialist.profile().tools;
        Driver::new(model, &self.concierge.tools, &context, allowed)
            .drive(run)
            .await
    }

    fn take(&mut self, run: &Run) {
        self.usage.input_tokens += run.usage().input_tokens;
        self.usage.output_tokens += run.usage().output_tokens;
        self.records.extend_from_slice(run.records());
    }

    fn finish(self, reply: Reply) -> Turn {
        let said_before = self.exchange.machine_replies().any(is_handoff_line);
        let phrases = phrases::phrases(self.brief.language.language());
        let unanswered =
            |text: &str| text.starts_with(phrases.not_found) || text.starts_with(phrases.failed);
        let failed_now = match &reply {
            Reply::Say(text) => unanswered(text),
            Reply::HandOff => !self.route.escalate,
        };
        let failures = if failed_now {
            let before = self
                .exchange
                .machine_replies()
                .take_while(|text| unanswered(text))
                .count();
            u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
        } else {
            0
        };
        let repeated = self
            .exchange
            .questions()
            .take(3)
            .any(|question| is_duplicate(&self.exchange.message, &[question]));
        let escalation = assess(&Situation {
            human: self.route.human,
            emergency: self.route.emergency,
            dispute: self.route.dispute,
            sentiment: self.route.sentiment,
            confidence: self.route.confidence,
            is_request: self.exchange.message.contains('?'),
            failures,
            repeated,
            vip: is_vip(&self.request.guest.classifications),
            handed_off: matches!(reply, Reply::HandOff) && !self.route.escalate,
        });
        let hands_off =
            matches!(reply, Reply::HandOff) || escalation.action == EscalationAction::Escalate;
        let line = handoff_line(&self.brief.language);
        let (status, reply) = match reply {
            Reply::Say(text) if hands_off && !said_before && !failed_now => {
                (TurnStatus::HandedOff, Some(format!("{text}\n{line}")))
            }
            _ if hands_off => (
                TurnStatus::HandedOff,
                (!said_before).then(|| line.to_owned()),
            ),
            Reply::Say(text) => (TurnStatus::Answered, Some(text)),
            Reply::HandOff => (TurnStatus::HandedOff, None),
        };
        let citations: Vec<Citation> = reply
            .as_deref()
            .map(|text| citation::citations(text, &self.records))
            .unwrap_or_default();
        Turn {
            conversation_id: self.request.conversation.id,
            status,
            reply,
            language: self.brief.language,
            intent: self.route.intent,
            specialist: self.route.specialist.as_str().to_owned(),
            confidence: self.route.confidence,
            citations,
            tool_calls: self
                .records
                .into_iter()
                .map(|record| ToolCall {
                    tool: record.request.name,
                    arguments: record.request.arguments,
                    ok: record.ok,
                })
                .collect(),
            escalation,
            model: self.model,
            usage: self.usage,
            trace_id: self.request.trace_id.clone(),
        }
    }
}

fn is_vip(classifications: &[String]) -> bool {
    classifications.iter().any(|class| {
        let class = class.to_lowercase();
        class.contains("vip") || class.contains("very important") || class.contains("important")
    })
}

/// What the model is told about a reply that may not go out.
fn remark(verdict: &Verdict) -> String {
    let claims: Vec<String> = verdict
        .problems
        .iter()
        .take(5)
        .map(|problem| {
            let claim: String = problem.claim.chars().take(160).collect();
            format!("- {claim}")
        })
        .collect();
    format!(
        "(Note of the system, not of the guest:) Your reply cannot be sent, because no tool result \
         of this turn supports:\n{}\nAnswer the guest again with what the tool results say, and \
         nothing else. If they do not hold the answer, say so and offer a colleague.",
        claims.join("\n")
    )
}
