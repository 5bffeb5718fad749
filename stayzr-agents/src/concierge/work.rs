use std::sync::Arc;

use stayzr_core::{
    model::{Citation, EscalationAction, ToolCall, Turn, TurnStatus, Usage},
    port::concierge::TurnRequest,
};

use super::{AgentConcierge, citation, exchange::Exchange};
use crate::{
    escalation::{Situation, assess},
    guard::{Evidence, Verdict, check, check_figures, handoff_line, is_duplicate, is_handoff_line},
    model::{ChatModel, ChatRequest, OfflineModel, TurnBrief, phrases},
    router::Route,
    run::{CallRecord, Draft, Driver, End, Run},
    specialists::system_prompt,
    text,
    tool::ToolContext,
};

/// A reply before it goes out.
pub(super) enum Reply {
    /// The guest gets this text.
    Say(String),
    /// A person takes over.
    HandOff,
}

/// A turn while it is worked on.
pub(super) struct Work<'a> {
    pub(super) concierge: &'a AgentConcierge,
    pub(super) request: &'a TurnRequest,
    pub(super) brief: TurnBrief,
    pub(super) exchange: Exchange,
    pub(super) route: Route,
    pub(super) usage: Usage,
    pub(super) records: Vec<CallRecord>,
    pub(super) model: String,
}

impl Work<'_> {
    /// Finds what to tell the guest.
    pub(super) async fn answer(&mut self) -> Reply {
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
        match self.concierge.fallback {
            Some(fallback) if !model.is_extractive() => self.fall_back(fallback).await,
            _ => Reply::HandOff,
        }
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
    async fn fall_back(&mut self, fallback: OfflineModel) -> Reply {
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

    /// The turn as it is shown and stored.
    pub(super) fn finish(self, reply: Reply) -> Turn {
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
